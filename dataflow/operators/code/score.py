"""Keeping rows by a number that an earlier operator wrote."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

from dataflow.core.errors import RowError
from dataflow.core.ports import In
from dataflow.core.rows import Filter, Verdict
from dataflow.operators.code._rules import label

Method = Literal["greater_equal", "greater", "less", "less_equal", "equal"]
METHODS: Mapping[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "greater_equal": (">=", operator.ge),
    "greater": (">", operator.gt),
    "less": ("<", operator.lt),
    "less_equal": ("<=", operator.le),
    "equal": ("=", operator.eq),
}


class CodeGenericScoreFilter(Filter):
    """Keep rows whose score compares with a threshold as wanted.

    A score that is null or NaN is dropped with the reason `null`; one that is no number fails its row.
    """

    measured: ClassVar[str] = "score"

    score_threshold: float = 8
    """What the score is compared with."""
    filter_method: Method = "greater_equal"
    """How a score that is kept stands to the threshold."""

    input_key = In(doc="the score", type="number")
    output_key = label("generic_score_filter_label")

    def keep(self, score: float) -> Verdict:
        if isinstance(score, bool) or not isinstance(score, (int, float)):
            raise RowError(f"the score {score!r} is no number")
        if math.isnan(score):
            return False, "null"
        sign, _ = METHODS[self.filter_method]
        return self.keeps(score), f"score not {sign} {self.score_threshold:g}: {score:g}", score

    def keeps(self, measure: Any) -> Any:
        return METHODS[self.filter_method][1](measure, self.score_threshold)
