"""Thresholds for a wished share of rows, found from what filters measured on a sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataflow.core.operator import Operator
from dataflow.plan.trace import Call
from dataflow.runtime.bounds import Counted, kept_share, opened, with_bound


@dataclass(frozen=True)
class Suggestion:
    """What a filter's thresholds could be."""

    step: int
    operator: str
    measured: str
    rows: int
    """Rows of the sample that reached the filter."""
    kept: float
    """The share of them that it keeps as it is set."""
    now: Mapping[str, float]
    suggested: Mapping[str, float]
    """The thresholds, by setting, that keep a share as near as may be to the one wished."""
    then: float
    """The share that those keep."""


def suggestions(calls: Sequence[Call], steps: Sequence[Mapping[str, Any]], keep: float) -> list[Suggestion]:
    """For each filter with thresholds what they should be to keep that share of the rows that reach it.

    Args:
        calls: the steps of a plan.
        steps: the accounts of a run of them, as in `Run.summary["steps"]`.
        keep: the share to be kept, 0 to 1, by each filter by itself.
    """
    found = []
    for call, account in zip(calls, steps, strict=True):
        counted = {float(at): sum(rows) for at, rows in account["measures"].items()}
        if call.op is not None and account["bounds"] and len(counted) > 1:
            found.append(_suggested(call, call.op, account["measured"], account["bounds"], counted, keep))
    return found


def _suggested(
    call: Call, op: Operator, measured: str, limits: Mapping[str, float], counted: Counted, keep: float
) -> Suggestion:
    each = 1 - (1 - keep) / len(limits)  # bounds cut off different ends: each takes its part of the loss
    best = {name: _nearest(opened(op, limits, name, counted), name, counted, each) for name in limits}
    values = {name: getattr(made or op, name) for name, made in best.items()}
    made = type(op)(**dict(op) | values)
    return Suggestion(
        call.step, call.name, measured, sum(counted.values()), kept_share(op, counted), limits, values, kept_share(made, counted)
    )  # fmt: skip


def _nearest(op: Operator, name: str, counted: Counted, share: float) -> Operator | None:
    """The operator with one bound set to the measure that keeps a share nearest to the wished one."""
    tried = [made for at in sorted(counted) if (made := with_bound(op, name, at)) is not None]
    return min(tried, key=lambda made: abs(kept_share(made, counted) - share), default=None)
