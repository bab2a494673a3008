"""Keeping rows by a number that an earlier operator wrote."""

from __future__ import annotations

import math

import polars as pl

from dataflow.core.errors import RowError
from dataflow.core.ports import In
from dataflow.core.rows import Filter


class ScoreFilter(Filter):
    """Keep rows whose score lies within a range.

    The bounds are inclusive; a row whose score is null or NaN is dropped, with the reason `null`.
    """

    min_score: float | None = None
    """Lowest score kept; no lower bound where left out."""
    max_score: float | None = None
    """Highest score kept; no upper bound where left out."""

    input_key = In("score", "the score", type="number")

    def _bounds(self) -> tuple[float, float]:
        low, high = self.min_score, self.max_score
        return -math.inf if low is None else low, math.inf if high is None else high

    def keep(self, score: float) -> bool | tuple[bool, str]:
        if isinstance(score, bool) or not isinstance(score, (int, float)):
            raise RowError(f"the score {score!r} is not a number")
        low, high = self._bounds()
        return (False, "null") if math.isnan(score) else low <= score <= high

    def expr(self, score: pl.Expr) -> pl.Expr:
        return score.cast(pl.Float64).fill_nan(None).is_between(*self._bounds())
