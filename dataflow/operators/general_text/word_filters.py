"""Filters by the words of a text."""

from __future__ import annotations

from typing import ClassVar

import polars as pl
from pydantic import Field

from dataflow.operators._lib.text_filter import TextFilter, TextStats
from dataflow.operators._lib.tokens import share


class WordNumberFilter(TextFilter):
    """Keep texts whose number of words lies within a range; words are parted by white space.

    A label column, where one is named, holds the number of words. A text written without spaces is one word.
    """

    measured: ClassVar[str] = "words"
    labels: ClassVar[str] = "measure"
    judges_blank: ClassVar[bool] = True

    min_words: int = Field(20, ge=0)
    """Fewest words kept."""
    max_words: int = Field(100_000, ge=1)
    """From this number of words on a text is dropped."""

    def measure(self, text: TextStats) -> pl.Expr:
        return text.words

    def keeps(self, measure: pl.Expr) -> pl.Expr:
        return measure.is_between(self.min_words, self.max_words, closed="left")


class MeanWordLengthFilter(TextFilter):
    """Keep texts whose words have a mean length within a range, as in the Gopher rules (Rae et al. 2021).

    The mean is rounded to two decimals. A blank text is dropped, and one written without spaces is a single long word.
    """

    measured: ClassVar[str] = "mean word length"

    min_length: float = Field(3, ge=0)
    """Least mean length kept, in characters."""
    max_length: float = Field(10, gt=0)
    """From this mean length on a text is dropped."""

    def measure(self, text: TextStats) -> pl.Expr:
        return (text.word_chars / text.words).round(2)

    def keeps(self, measure: pl.Expr) -> pl.Expr:
        return measure.is_between(self.min_length, self.max_length, closed="left")


class AlphaWordsFilter(TextFilter):
    """Keep texts with a high share of words that have a letter in them.

    The rule is one of Gopher (Rae et al. 2021). A letter is one of any alphabet. A text written without spaces is one word by white space; the tokenizer takes each
    of its clauses as one. A blank text is dropped.
    """

    measured: ClassVar[str] = "share of words with a letter"

    threshold: float = Field(ge=0, le=1)
    """The share must be greater than this."""
    use_tokenizer: bool
    """Whether words and punctuation marks are parted as in the Penn Treebank (nltk), rather than at white space."""

    def measure(self, text: TextStats) -> pl.Expr:
        if self.use_tokenizer:
            return share(text.column, lambda token: any(map(str.isalpha, token)))
        return text.lettered_words / text.words

    def keeps(self, measure: pl.Expr) -> pl.Expr:
        return measure > self.threshold


class CapitalWordsFilter(TextFilter):
    """Keep texts with a low share of words in capitals.

    Such a word has an upper-case letter and no lower-case one; digits and punctuation do not matter. Scripts without
    case have none. A blank text is dropped.
    """

    measured: ClassVar[str] = "share of words in capitals"

    threshold: float = Field(0.2, ge=0, le=1)
    """Highest share kept."""
    use_tokenizer: bool = False
    """Whether words and punctuation marks are parted as in the Penn Treebank (nltk), rather than at white space."""

    def measure(self, text: TextStats) -> pl.Expr:
        if self.use_tokenizer:
            return share(text.column, str.isupper)
        return text.capital_words / text.words

    def keeps(self, measure: pl.Expr) -> pl.Expr:
        return measure <= self.threshold


class UniqueWordsFilter(TextFilter):
    """Keep texts with a high share of different words, case aside.

    Words are parted by white space, so that "end" and "end." differ; a text written without spaces is one word, and
    kept. A blank text is dropped.
    """

    measured: ClassVar[str] = "share of different words"

    threshold: float = Field(0.1, ge=0, le=1)
    """The share must be greater than this."""

    def measure(self, text: TextStats) -> pl.Expr:
        return text.unique_words / text.words

    def keeps(self, measure: pl.Expr) -> pl.Expr:
        return measure > self.threshold


class SymbolWordRatioFilter(TextFilter):
    """Keep texts with few hash signs and ellipses for their words.

    The rule is one of Gopher (Rae et al. 2021). The ratio is that of `#`, `...` and `…` to tokens, which are runs of word characters and runs of other ones; a
    Chinese or Japanese character is a token of its own. A blank text is dropped.
    """

    measured: ClassVar[str] = "symbols per token"

    threshold: float = Field(0.4, ge=0)
    """From this ratio on a text is dropped."""

    def measure(self, text: TextStats) -> pl.Expr:
        return (text.hashes + text.ellipses) / text.tokens

    def keeps(self, measure: pl.Expr) -> pl.Expr:
        return measure < self.threshold
