"""Thresholds for a wished share of rows, found from what filters measured on a sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from dataflow.core.operator import Operator
from dataflow.core.rows import Filter
from dataflow.plan.trace import Call

Counted = Mapping[float, int]
"""Rows by measure."""


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
        op, counted = call.op, {float(at): sum(rows) for at, rows in account.get("measures", {}).items()}
        if op is None or not hasattr(op, "keeps") or len(counted) < 2:
            continue
        if limits := _limits(op, counted):
            found.append(_suggested(call, op, account["measured"], limits, counted, keep))
    return found


def _limits(op: Operator, counted: Counted) -> dict[str, float]:
    """The settings that bound the measure, by their name."""
    named = {
        name: value
        for name, value in op
        if (name.startswith(("min", "max")) or "threshold" in name)
        and isinstance(value, (int, float))
        and not isinstance(value, bool)
    }
    return {name: value for name, value in named.items() if _matters(op, named, name, counted)}


def _matters(op: Operator, limits: Mapping[str, float], name: str, counted: Counted) -> bool:
    """Whether a setting decides which measures are kept, as `max_score` does and `max_length` does not."""
    open_ = _opened(op, limits, name, counted)
    tried = [
        open_,
        *(_with(open_, name, at) for at in (min(counted) - 1, min(counted), max(counted), max(counted) + 1)),
    ]
    return len({_share(made, counted) for made in tried if made is not None}) > 1


def _suggested(
    call: Call, op: Operator, measured: str, limits: Mapping[str, float], counted: Counted, keep: float
) -> Suggestion:
    each = 1 - (1 - keep) / len(limits)  # bounds cut off different ends: each takes its part of the loss
    best = {name: _nearest(_opened(op, limits, name, counted), name, counted, each) for name in limits}
    values = {name: getattr(made or op, name) for name, made in best.items()}
    made = type(op)(**dict(op) | values)
    return Suggestion(
        call.step, call.name, measured, sum(counted.values()), _share(op, counted), limits, values, _share(made, counted)
    )  # fmt: skip


def _opened(op: Operator, limits: Mapping[str, float], name: str, counted: Counted) -> Operator:
    """The operator with its other bounds so wide that they drop nothing, so that one can be looked at alone."""
    for other in limits:
        if other != name:
            wide = [_with(op, other, at) for at in (min(counted) - 1, max(counted) + 1, 0)]
            op = max((w for w in [op, *wide] if w is not None), key=lambda w: _share(w, counted))
    return op


def _nearest(op: Operator, name: str, counted: Counted, share: float) -> Operator | None:
    """The operator with one bound set to the measure that keeps a share nearest to the wished one."""
    tried = [made for at in sorted(counted) if (made := _with(op, name, at)) is not None]
    return min(tried, key=lambda made: abs(_share(made, counted) - share), default=None)


def _with(op: Operator, name: str, value: float) -> Operator | None:
    whole = isinstance(getattr(op, name), int)
    settings = dict(op) | {name: round(value) if whole else value}
    try:
        return type(op)(**settings)
    except ValueError:  # out of the setting's range
        return None


def _share(op: Operator, counted: Counted) -> float:
    """The share of rows that an operator would keep."""
    keeps: Callable[[Any], Any] = op.keeps  # type: ignore[attr-defined]
    if isinstance(op, Filter):
        marks = (
            pl.DataFrame({"measure": list(counted)}).select(keep=keeps(pl.col("measure")))["keep"].to_list()
        )
    else:
        marks = [keeps(at) for at in counted]
    return sum(rows for rows, mark in zip(counted.values(), marks, strict=True) if mark) / sum(
        counted.values()
    )
