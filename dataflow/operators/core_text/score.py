"""Keeping rows by a number that an earlier operator wrote."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import polars as pl

from dataflow.core.errors import RowError
from dataflow.core.outcome import Outcome
from dataflow.core.ports import Binding, In
from dataflow.core.rows import Filter, Verdict


class ScoreFilter(Filter):
    """Keep rows whose score lies within a range.

    The bounds are inclusive; a row whose score is null or NaN is dropped, with the reason `null`.
    """

    measured: ClassVar[str] = "score"

    min_score: float | None = None
    """Lowest score kept; no lower bound where left out."""
    max_score: float | None = None
    """Highest score kept; no upper bound where left out."""

    input_key = In("score", "the score", type="number")

    def _bounds(self) -> tuple[float, float]:
        low, high = self.min_score, self.max_score
        return -math.inf if low is None else low, math.inf if high is None else high

    def keep(self, score: float) -> Verdict:
        if isinstance(score, bool) or not isinstance(score, (int, float)):
            raise RowError(f"the score {score!r} is not a number")
        return (False, "null") if math.isnan(score) else (self.keeps(score), self.reason(), score)

    def expr(self, score: pl.Expr) -> pl.Expr:
        kept: pl.Expr = self.keeps(_number(score))
        return kept

    def keeps(self, measure: Any) -> Any:
        low, high = self._bounds()
        return (measure >= low) & (measure <= high)

    def _divide_by_mask(self, frame: pl.DataFrame, binding: Binding, marked: pl.Series) -> Outcome:
        done = super()._divide_by_mask(frame, binding, marked)
        measure = _number(pl.col(str(binding.first_read)))
        done.measured = self.typed(frame, binding).select(measure=measure, kept=marked).drop_nulls()
        return done


def _number(score: pl.Expr) -> pl.Expr:
    return score.cast(pl.Float64).fill_nan(None)
