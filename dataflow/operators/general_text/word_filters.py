"""Filters by the words of a text."""

from __future__ import annotations

from typing import ClassVar

import polars as pl
from pydantic import Field

from dataflow.operators._lib.text_filter import TextFilter, TextStats


class WordNumberFilter(TextFilter):
    """Keep texts whose number of words lies within a range; words are parted by white space.

    A label column, where one is named, holds the number of words.
    """

    measured: ClassVar[str] = "words"
    labels: ClassVar[str] = "measure"

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

    The mean is rounded to two decimals. A text without words is dropped.
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
