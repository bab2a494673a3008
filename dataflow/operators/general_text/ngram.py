"""How much of a text repeats, by its n-grams."""

from __future__ import annotations

from typing import ClassVar, Literal

import polars as pl
from pydantic import Field

from dataflow.core.errors import MissingDependency
from dataflow.core.ports import In, Out
from dataflow.core.rows import Map
from dataflow.operators._lib.score_range import ScoreRange


class NgramSampleEvaluator(Map):
    """Score how little each text repeats: its different n-grams over all of them, 0 to 1.

    1 is a text without any repetition. Case and punctuation do not count. A text with fewer than `ngrams` tokens is
    one n-gram, and so has 1; a text without any token has 0.
    """

    input_key = In("raw_content", "the text")
    output_key = Out("NgramScore", "share of different n-grams, 0 to 1", type="float")

    ngrams: int = Field(5, ge=1)
    """Tokens of an n-gram."""
    language: Literal["en", "zh"] = "en"
    """What a token is: a word parted by white space (`en`) or a character (`zh`)."""

    def map_batch(self, texts: pl.Series) -> pl.Series:
        try:
            from dataflow.kernels.ngram_counts import ngram_ratios  # compiled: loads numba
        except ModuleNotFoundError as error:
            raise MissingDependency(str(error.name), "text", "Counting n-grams") from None
        return ngram_ratios(texts, self.ngrams, by_character=self.language == "zh")


class NgramFilter(ScoreRange, NgramSampleEvaluator):
    """Keep texts that repeat themselves little: the score of `NgramSampleEvaluator` within a range.

    The bounds are inclusive. The score is written for the rows that stay.
    """

    leading: ClassVar[tuple[str, ...]] = ("min_score", "max_score")

    min_score: float = 0.8
    max_score: float = 1.0
