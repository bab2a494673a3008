"""Filters made of evaluators: the rows stay whose scores lie within bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import polars as pl

from dataflow.core.errors import BindError, did_you_mean
from dataflow.core.outcome import Outcome, dropped
from dataflow.core.ports import Binding
from dataflow.core.protocols import Scope
from dataflow.core.rows import RowOperator, keep_rows

Bounds = tuple[float | None, float | None]
"""Lowest and highest score kept; null for no bound."""


class Ranges(RowOperator):
    """Makes a filter of the evaluator that it is put in front of: `class XFilter(Ranges, XSampleEvaluator)`.

    Rows stay whose scores all lie within their bounds, which are inclusive. A row that is dropped is told with the
    score that lies outside; one with a null among its inputs as `null`, one that could not be scored as `no score`.
    """

    kind: ClassVar[str] = "Filter"
    measured: ClassVar[str] = "score"
    keeps_unscored: ClassVar[bool] = False
    """Whether a row stays whose text is there but cannot be scored."""

    def bounds(self, binding: Binding) -> Mapping[str, Bounds]:
        """The bounds of the score that each output port has."""
        raise NotImplementedError

    async def apply(self, frame: pl.DataFrame, binding: Binding, scope: Scope) -> Outcome:
        return self._within(await super().apply(frame, binding, scope), binding)

    def _within(self, scored: Outcome, binding: Binding) -> Outcome:
        frame = scored.frame
        ranges = [(binding.writes[port], *bounds) for port, bounds in self.bounds(binding).items()]
        absent = frame[str(binding.first_read)].is_null()
        lost = absent.clone()
        for name, low, high in ranges:
            score = frame[name]
            if not self.keeps_unscored:
                lost |= score.is_null()
            if low is not None:
                lost |= (score < low).fill_null(value=False)
            if high is not None:
                lost |= (score > high).fill_null(value=False)
        rows = lost.arg_true().to_list()
        reasons = [
            "null"
            if self.skips(row)
            else self._reason([(n, frame[n][i], low, high) for n, low, high in ranges])
            for i, row in zip(rows, self.cells(frame[rows], binding), strict=True)
        ]
        done = divided(scored, dict(zip(rows, reasons, strict=True)), binding)
        if len(ranges) == 1:
            measures = pl.DataFrame({"measure": frame[ranges[0][0]], "kept": ~lost})
            done.measured = measures.filter(pl.col("measure").is_not_null())
        return done

    def _reason(self, scores: Sequence[tuple[str, Any, float | None, float | None]]) -> str:
        """Why a row with these scores is dropped: the first that lies outside of its bounds."""
        for name, score, low, high in scores:
            if score is None and not self.keeps_unscored:
                return "no score"
            if score is not None and low is not None and score < low:
                return f"{name} below {low:g}: {score:.6g}"
            if score is not None and high is not None and not score <= high:
                return f"{name} above {high:g}: {score:.6g}"
        return "not kept"


class ScoreRange(Ranges):
    """The same for evaluators of one score."""

    min_score: float
    """Lowest score kept."""
    max_score: float
    """Highest score kept."""

    def keeps(self, score: Any) -> bool:
        """Whether a row with that score stays."""
        return bool(self.min_score <= score <= self.max_score)

    def bounds(self, binding: Binding) -> Mapping[str, Bounds]:
        return {"output_key": (self.min_score, self.max_score)}


class MetricRange(Ranges):
    """The same for evaluators of several scores, each with bounds of its own, in `min_scores` and `max_scores`.

    The argument `output_keys` of a run names the metrics that decide, where not all do.
    """

    metrics: ClassVar[Mapping[str, str]] = {}
    """The output port of each metric."""

    def bind(self, **keys: Any) -> Binding:
        binding = super().bind(**keys)
        named = binding.args["output_keys"]
        if named is None:
            return binding
        if not isinstance(named, (list, tuple)):
            raise BindError(
                f"{type(self).__name__}.run needs output_keys, a list of metrics; {named!r} is none"
            )
        for name in named:
            if name not in self.metrics:
                have = ", ".join(self.metrics)
                raise BindError(
                    f"{type(self).__name__} has no metric {name!r}; it has {have}.{did_you_mean(str(name), self.metrics)}"
                )
        return binding

    def bounds(self, binding: Binding) -> Mapping[str, Bounds]:
        lowest, highest = getattr(self, "min_scores", {}), getattr(self, "max_scores", {})
        named = binding.args["output_keys"]
        return {
            self.metrics[m]: (lowest.get(m), highest.get(m))
            for m in (self.metrics if named is None else named)
        }


def divided(done: Outcome, reasons: Mapping[int, str], binding: Binding) -> Outcome:
    """The outcome without the rows, by position, that there is a reason to drop."""
    if reasons:
        account = dropped(done.frame, list(reasons), list(reasons.values()), binding.first_read)
        done.dropped = pl.concat([done.dropped, account])
        done.frame = keep_rows(done.frame, [i not in reasons for i in range(done.frame.height)])
    return done
