"""Keeping a sample of the rows: by a score, or so many of each label."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field, model_validator

from dataflow.core.ports import In
from dataflow.core.tables import Dataset, Selection
from dataflow.operators._lib.draws import (
    NO_LABEL,
    Numbers,
    gumbels,
    joined_arrays,
    labels,
    numbers,
    uniforms,
    whole_shares,
)


class _Sample(Dataset):
    """Keeps a number of rows, or a share of them, in their order."""

    kernel: ClassVar[str] = "digest"

    num_samples: int | None = Field(None, ge=0)
    """How many rows are kept, or all that can be; this or `share` must be given."""
    share: float | None = Field(None, ge=0, le=1)
    """How many rows are kept, as a share of those that can be, rounded."""

    @model_validator(mode="after")
    def _one_size(self) -> _Sample:
        if (self.num_samples is None) == (self.share is None):
            raise ValueError("give either num_samples or share")
        return self

    def wanted(self, rows: int) -> int:
        """How many of so many rows are kept."""
        if self.num_samples is not None:
            return min(self.num_samples, rows)
        return math.floor((self.share or 0) * rows + 0.5)


class WeightedSampleFilter(_Sample):
    """Keep a random sample of rows in which rows of higher scores are more likely.

    Rows are drawn one after the other without replacement, each with a probability in proportion to
    `exp(score / temperature)`, as QuRating does (Wettig et al. 2024, arXiv 2402.09739); to the score itself with
    `weighting="linear"`. That is done by keeping the highest sums of logarithmic weight and Gumbel noise (Efraimidis and
    Spirakis 2006; Kool et al. 2019, arXiv 1903.06059). Near temperature 0 the highest scores are kept, at a high
    one all rows are as likely. Rows whose score is null or no number are dropped as `null`; with linear weights those
    of a weight of 0 or less are never drawn. A row's noise hangs on `seed` and its number in the table. Memory: 24 bytes a row.
    """

    temperature: float = Field(1.0, gt=0)
    """Divides the scores, or with linear weights is the power's denominator: `score ** (1 / temperature)`."""
    weighting: Literal["exponential", "linear"] = "exponential"
    """What a row's weight is made of its score by."""
    seed: int = 0
    """Draws the noise."""

    input_key = In("score", "how good a row is", type="number")

    def digest(self, scores: pl.Series) -> Numbers:
        return numbers(scores)

    def choose(self, digests: list[Any]) -> Selection:
        scores: Numbers = joined_arrays(digests, np.float64)
        null = np.isnan(scores)
        linear = self.weighting == "linear"
        with np.errstate(divide="ignore", invalid="ignore"):
            logits = np.log(np.where(scores > 0, scores, 0)) if linear else scores
            keys = logits / self.temperature + gumbels(len(scores), self.seed)
        keys[null] = -np.inf
        able = int((~null).sum())
        chosen = np.argsort(-keys, kind="stable")[: self.wanted(able)]
        chosen = np.sort(chosen[keys[chosen] > -np.inf])
        return Selection(chosen, reason=lambda row: "null" if null[row] else "not drawn")


class StratifiedSampleFilter(_Sample):
    """Keep a random sample in which each label has its share of rows, or as many as every other.

    With `proportional` each label has its share of the table, to within a row; `equal` gives each as many rows as every other, and
    what a rare label lacks is given to the rest. Values of any type are labels; rows without one are dropped as
    `null`. Within a label all rows are as likely; which are drawn hangs on `seed` and their numbers in the table. Rows
    keep their order. Memory: 24 bytes a row.
    """

    allocation: Literal["proportional", "equal"] = "proportional"
    """How many rows of each label are kept."""
    seed: int = 0
    """Draws the rows."""

    input_key = In("label", "what rows are told apart by", type="any")

    def digest(self, column: pl.Series) -> NDArray[np.uint64]:
        return labels(column)

    def choose(self, digests: list[Any]) -> Selection:
        marks: NDArray[np.uint64] = joined_arrays(digests, np.uint64)
        known = np.flatnonzero(marks != NO_LABEL)
        _, firsts, groups, sizes = np.unique(
            marks[known], return_index=True, return_inverse=True, return_counts=True
        )
        quotas = self._quotas(sizes, np.argsort(firsts))
        order = known[np.lexsort((uniforms(len(marks), self.seed)[known], groups))]
        begins = np.cumsum(sizes) - sizes
        ranks = np.arange(len(order)) - np.repeat(begins, sizes)
        chosen = np.sort(order[ranks < np.repeat(quotas, sizes)])
        null = marks == NO_LABEL
        return Selection(chosen, reason=lambda row: "null" if null[row] else "not drawn")

    def _quotas(self, sizes: NDArray[np.int64], order: NDArray[np.int64]) -> NDArray[np.int64]:
        """Rows of each label, given their numbers and the labels in the order in which they come in the table."""
        total = self.wanted(int(sizes.sum()))
        quotas = np.zeros(len(sizes), np.int64)
        if self.allocation == "proportional":
            quotas[order] = whole_shares(sizes[order].astype(np.float64), total)
            return quotas
        rest, left = total, len(sizes)
        for label in sorted(
            order.tolist(), key=lambda at: sizes[at]
        ):  # rare ones first: what they lack is left
            quotas[label] = min(sizes[label], -(-rest // left))
            rest, left = rest - int(quotas[label]), left - 1
        return quotas
