"""Filters by the sentences of a text."""

from __future__ import annotations

from typing import ClassVar

import polars as pl
from pydantic import Field

from dataflow.operators._lib.text_filter import TextFilter, TextStats


class SentenceNumberFilter(TextFilter):
    """Keep texts whose number of sentences lies within a range, both ends included.

    A sentence is what lies between line ends and the marks `.!?`, or those of Chinese, Japanese, Arabic, Urdu and Hindi,
    if there is a letter or digit in it. Abbreviations and decimals are not told apart: "3.5" counts as two. Thai has
    no such marks, so that a line is one sentence. A blank text is dropped.
    """

    measured: ClassVar[str] = "sentences"

    min_sentences: int = Field(3, ge=0)
    """Fewest sentences kept."""
    max_sentences: int = Field(7500, ge=0)
    """Most sentences kept."""

    def measure(self, text: TextStats) -> pl.Expr:
        return text.sentences

    def keeps(self, measure: pl.Expr) -> pl.Expr:
        return measure.is_between(self.min_sentences, self.max_sentences)


class NoPuncFilter(TextFilter):
    """Keep texts without very long runs of words between two punctuation marks.

    The marks are `– . ! ? , ; • / | …`, line ends, and the full stops, commas and semicolons of Chinese, Japanese, Arabic and
    Hindi. Words are parted by white space; each Chinese or Japanese character counts as one. A blank text is dropped.
    """

    measured: ClassVar[str] = "words without punctuation"

    threshold: int = Field(112, ge=0)
    """Most words in a row that are kept."""

    def measure(self, text: TextStats) -> pl.Expr:
        return text.longest_unpunctuated

    def keeps(self, measure: pl.Expr) -> pl.Expr:
        return measure <= self.threshold
