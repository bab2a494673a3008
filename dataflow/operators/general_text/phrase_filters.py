"""Filters by words and phrases that occur in a text."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import Field

from dataflow.operators._lib.text_filter import TextFilter, TextStats
from dataflow.operators._lib.word_lists import block_list, entries_in, stop_words_in

_ENTITY = (
    r"[&＆](?:(?:nbsp|lt|gt|amp|quot|apos|hellip|ndash|mdash|lsquo|rsquo|ldquo|rdquo)"
    r"|#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6})[;；]"
)
_B = r"(?-u:\b)"  # between Latin letters and Chinese ones is a boundary too
_IDENTITY = (
    r"身份证|身份證|身分證|公民身份号码"
    rf"|(?i:{_B}(?:identity|identification)\s+(?:cards?|numbers?|documents?|papers?){_B}"
    rf"|{_B}(?:id|i\.d\.)[\s-]*(?:(?:cards?|numbers?){_B}|nos?\.|nos?\s*[:：#]|nos?\s*[0-9])"
    rf"|{_B}(?:nric|ic\s+numbers?|resident\s+registration){_B})"
    rf"|{_B}[1-9][0-9]{{5}}(?:19|20)[0-9]{{2}}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{{3}}[0-9xX]{_B}"
)
Words = tuple[Annotated[str, Field(min_length=1)], ...]
Language = Literal[
    "ar", "bg", "ca", "cs", "da", "de", "el", "en", "es", "fa", "fi", "fr", "gu", "he", "hi", "hu", "id", "it", "ja", "ko",
    "ms", "nb", "nl", "pl", "pt", "ro", "ru", "sk", "sv", "tr", "uk", "vi", "zh",
]  # fmt: skip


class HtmlEntityFilter(TextFilter):
    """Keep texts without HTML entities, which are a sign of poor extraction.

    Entities are `nbsp lt gt amp quot apos hellip ndash mdash lsquo rsquo ldquo rdquo` and those by number, between an ampersand
    and a semicolon, each ASCII or full-width. Without the semicolon they are none: `?a=1&lt=3` is an address. A blank text
    is dropped.
    """

    measured: ClassVar[str] = "found"

    def measure(self, text: TextStats) -> pl.Expr:
        return text.column.str.extract(f"({_ENTITY})")

    def keeps(self, measure: pl.Expr) -> pl.Expr:
        return measure.is_null()


class IDCardFilter(TextFilter):
    """Keep texts with few mentions of identity documents, such as forms that ask for one.

    What counts: Chinese words for the identity card and its number, "ID card", "ID number", "ID no.", "identity card",
    "identification number" and the like, "NRIC", "IC number", "resident registration", case aside; and Chinese identity
    numbers of 18 digits. "Identity" and "identification" alone are ordinary words. A blank text is dropped.
    """

    measured: ClassVar[str] = "mentions of identity documents"

    threshold: int = Field(3, ge=1)
    """From this number of mentions on a text is dropped."""

    def measure(self, text: TextStats) -> pl.Expr:
        return text.column.str.count_matches(_IDENTITY)

    def keeps(self, measure: pl.Expr) -> pl.Expr:
        return measure < self.threshold


class WatermarkFilter(TextFilter):
    """Keep texts in which no watermark occurs.

    Watermarks are plain texts, found anywhere, within words too; case matters. A blank text is dropped.
    """

    measured: ClassVar[str] = "found"

    watermarks: Words = Field(("Copyright", "Watermark", "Confidential"), min_length=1)
    """What to look for."""

    def measure(self, text: TextStats) -> pl.Expr:
        return text.column.str.extract_many(list(self.watermarks), leftmost=True).list.first()

    def keeps(self, measure: pl.Expr) -> pl.Expr:
        return measure.is_null()


class LoremIpsumFilter(TextFilter):
    """Keep texts without the filler "lorem ipsum", case aside.

    The threshold is such that one occurrence is too many in a text of up to 33 million characters. A blank text is
    dropped.
    """

    measured: ClassVar[str] = "fillers per character"

    threshold: float = Field(3e-8, ge=0)
    """Most occurrences per character that are kept."""

    def measure(self, text: TextStats) -> pl.Expr:
        return text.column.str.count_matches(r"(?i)lorem\s+ipsum") / text.column.str.len_chars()

    def keeps(self, measure: pl.Expr) -> pl.Expr:
        return measure <= self.threshold


class StopWordFilter(TextFilter):
    """Keep texts with a high share of stop words, and at least three: prose, not lists (Rae et al. 2021).

    Case does not matter, nor does the punctuation around a word. In Chinese and Japanese each character is a word, and
    those of longer stop words count one by one. A blank text is dropped.
    """

    threshold: float = Field(ge=0, le=1)
    """The share must be greater than this."""
    use_tokenizer: bool
    """Whether words and punctuation marks are parted as in the Penn Treebank (nltk), and all of them count."""
    language: Language = "en"
    """The language of the stop words; but for English they are those of the package `stop-words`."""

    def measure(self, text: TextStats) -> pl.Expr:
        return stop_words_in(text.column, self.language, self.use_tokenizer)

    def keeps(self, measure: pl.Expr) -> pl.Expr:
        words, stops = measure.struct.field("words"), measure.struct.field("stop_words")
        return (stops > 2) & (stops / words > self.threshold)


class BlocklistFilter(TextFilter):
    """Keep texts in which few words of a block list occur; each occurrence counts.

    Case does not matter, nor does punctuation around a word. An entry may have several words, parted by anything that is
    no letter or digit. Chinese entries are found anywhere, as words are not parted there; the longest counts, and none
    that overlaps it. The packaged lists are of obscene words and slurs. A blank text is dropped.
    """

    measured: ClassVar[str] = "words of the block list"

    language: Literal["en", "zh"] = "en"
    """Which packaged list is used."""
    threshold: int = Field(1, ge=0)
    """Most occurrences kept."""
    use_tokenizer: bool = False
    """Whether words are first parted as in the Penn Treebank (nltk), where "cannot" is two."""
    words: Words | None = None
    """A list of your own, instead of a packaged one."""

    def measure(self, text: TextStats) -> pl.Expr:
        entries = block_list(self.language) if self.words is None else self.words
        return entries_in(text.column, entries, self.use_tokenizer)

    def keeps(self, measure: pl.Expr) -> pl.Expr:
        return measure <= self.threshold
