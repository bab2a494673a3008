"""Filters by the published rules for web pages: Gopher, C4, FineWeb."""

from __future__ import annotations

import re

from pydantic import Field

from dataflow.core.ports import In, Out
from dataflow.core.rows import Map
from dataflow.operators._lib.text_filter import TextStats
from dataflow.operators._lib.text_rules import Rule, TextRulesFilter, share

POLICIES = (
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
)
"""Phrases of lines that are about the site."""
_ENDS = tuple(".!?\"'”’。！？｡؟۔।")
_ELLIPSES = ("...", "…")
_SIGNS = (
    r"\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    r"\U00020000-\U0003ffff"
)
_WORD = re.compile(rf"[^\w\s]*[{_SIGNS}][^\w\s]*|[^\s{_SIGNS}]+")
_CITATION = re.compile(r"\[(?:[0-9]{0,4}|edit|citation needed)\]", re.IGNORECASE)


class GopherQualityFilter(TextRulesFilter):
    """Keep texts that read like prose, by the quality rules of Gopher.

    From Rae et al. 2021 (arXiv 2112.11446, appendix A1.1), with its thresholds. Words are parted by white space, less
    the punctuation at their ends; what is punctuation alone is no word. `#` and the ellipsis each have their ratio to
    words. Blank lines are none. Bounds are inclusive. A dropped row is told the first rule that it breaks; null and
    blank texts are dropped.
    """

    min_words: int = Field(50, ge=0)
    """Fewest words."""
    max_words: int = Field(100_000, ge=1)
    """Most words."""
    min_mean_word_chars: float = Field(3, ge=0)
    """Least mean length of a word, in characters."""
    max_mean_word_chars: float = Field(10, gt=0)
    """Greatest mean length of a word, in characters."""
    max_symbol_ratio: float = Field(0.1, ge=0)
    """Most `#` a word, and most ellipses a word."""
    max_bullet_lines: float = Field(0.9, ge=0, le=1)
    """Most lines that begin with a bullet or a hyphen, as a share of all."""
    max_ellipsis_lines: float = Field(0.3, ge=0, le=1)
    """Most lines that end with an ellipsis, as a share of all."""
    min_lettered_words: float = Field(0.8, ge=0, le=1)
    """Fewest words with a letter in them, as a share of all; those of punctuation alone are words here."""
    min_stop_words: int = Field(2, ge=0, le=8)
    """How many of `the`, `be`, `to`, `of`, `and`, `that`, `have`, `with` are there at least; 0 for other languages."""

    def rules(self, text: TextStats) -> list[Rule]:
        words = text.plain_words
        mean = share(text.plain_word_chars, words)
        return [
            Rule("words", words, self.min_words, self.max_words),
            Rule("mean word length", mean, self.min_mean_word_chars, self.max_mean_word_chars),
            Rule("hashes a word", share(text.hash_marks, words), high=self.max_symbol_ratio),
            Rule("ellipses a word", share(text.ellipsis_marks, words), high=self.max_symbol_ratio),
            Rule("bullet lines", share(text.listed_lines, text.lines), high=self.max_bullet_lines),
            Rule("ellipsis lines", share(text.ellipsis_lines, text.lines), high=self.max_ellipsis_lines),
            Rule("words with a letter", share(text.lettered_runs, text.runs), low=self.min_lettered_words),
            Rule("stop words", text.stop_words, low=self.min_stop_words),
        ]


class FineWebQualityFilter(TextRulesFilter):
    """Keep texts made of whole sentences rather than of lists and menus, by the rules of FineWeb.

    From Penedo et al. 2024 (arXiv 2406.17557, section 3.6), with its thresholds. Lines are compared and measured without
    white space around them, and blank ones are none; a line of up to 30 characters is short. Bounds are inclusive. A
    dropped row is told the first rule that it breaks; null and blank texts are dropped.
    """

    min_terminal_lines: float = Field(0.12, ge=0, le=1)
    """Fewest lines that end with terminal punctuation, as a share of all."""
    max_short_lines: float = Field(0.67, ge=0, le=1)
    """Most short lines, as a share of all."""
    max_duplicate_line_chars: float = Field(0.01, ge=0, le=1)
    """Most characters in lines that occurred before, as a share of those in lines."""
    max_newline_ratio: float = Field(0.3, ge=0)
    """Most line feeds a word."""

    def rules(self, text: TextStats) -> list[Rule]:
        repeated = share(text.duplicate_line_chars, text.line_chars)
        return [
            Rule("terminal lines", share(text.terminal_lines, text.lines), low=self.min_terminal_lines),
            Rule("short lines", share(text.short_lines, text.lines), high=self.max_short_lines),
            Rule("characters in duplicate lines", repeated, high=self.max_duplicate_line_chars),
            Rule("line feeds a word", share(text.newlines, text.runs), high=self.max_newline_ratio),
        ]


class C4LineRefiner(Map):
    """Keep the lines of a text that are sentences, by the rules of C4 on lines, in place.

    From Raffel et al. 2020 (arXiv 1910.10683, section 2.2). A line goes that does not end with a full stop, question or
    exclamation mark or quotation mark, or ends with an ellipsis; has too few words or too long a one; or has
    `javascript` or a phrase about terms, privacy or cookies in it, in any case. White space around lines goes
    too, and blank lines with it. Words are parted by white space, and each Chinese or Japanese character is one. A text
    none of whose lines stay becomes empty. Null stays null.
    """

    min_line_words: int = Field(3, ge=0)
    """Fewest words of a line."""
    max_word_chars: int = Field(1000, ge=1)
    """Most characters of a word."""
    remove_citations: bool = True
    """Whether marks such as `[12]`, `[edit]` and `[citation needed]` are taken out first."""

    input_key = In("raw_content", "the text to refine")
    output_key = Out(doc="where the refined text goes; the column read, unless named", like="input_key")

    def map(self, text: str) -> str:
        if self.remove_citations:
            text = _CITATION.sub("", text)
        return "\n".join(filter(self._stays, map(str.strip, text.split("\n"))))

    def _stays(self, line: str) -> bool:
        if not line.endswith(_ENDS) or line.endswith(_ELLIPSES):
            return False
        words = line.split() if line.isascii() else _WORD.findall(line)
        if len(words) < self.min_line_words:
            return False
        if len(line) > self.max_word_chars and max(map(len, words)) > self.max_word_chars:
            return False
        low = line.lower()
        return "javascript" not in low and not any(phrase in low for phrase in POLICIES)


class C4QualityFilter(TextRulesFilter):
    """Keep texts that are prose of several sentences, by the rules of C4 on whole pages.

    From Raffel et al. 2020 (arXiv 1910.10683, section 2.2); its rules on lines are those of `C4LineRefiner`, to be run
    before. A sentence ends with a word that ends in `.`, `!`, `?` or an ellipsis, or such a mark of other
    scripts, so that the point in `3.5` ends none. A dropped row is told the first rule that it breaks; null and
    blank texts are dropped.
    """

    min_sentences: int = Field(5, ge=0)
    """Fewest sentences; 3 in some versions of the rules."""
    remove_lorem_ipsum: bool = True
    """Whether texts with `lorem ipsum` in them, in any case, are dropped."""
    remove_curly_brackets: bool = True
    """Whether texts with `{` in them, which are mostly code, are dropped."""

    def rules(self, text: TextStats) -> list[Rule]:
        found = []
        if self.remove_lorem_ipsum:
            lorem = text.column.str.count_matches("(?i)lorem ipsum")
            found.append(Rule("lorem ipsum", lorem, high=0))
        if self.remove_curly_brackets:
            found.append(Rule("curly brackets", text.column.str.count_matches("{", literal=True), high=0))
        return [*found, Rule("sentences", text.sentence_ends, low=self.min_sentences)]
