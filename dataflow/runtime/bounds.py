"""The settings that bound what a filter measures, found by trying which measures it then keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from dataflow.core.operator import Operator
from dataflow.core.rows import Filter

Counted = Mapping[float, int]
"""Rows by measure."""


def bounds_of(op: Operator, counted: Counted) -> dict[str, float]:
    """The settings that decide which of the measures are kept, as `max_score` does and `max_length` does not; none for an operator without `keeps`."""
    if not hasattr(op, "keeps") or not counted:
        return {}
    named = {
        name: value
        for name, value in op
        if (name.startswith(("min", "max")) or "threshold" in name)
        and isinstance(value, (int, float))
        and not isinstance(value, bool)
    }
    return {name: value for name, value in named.items() if _matters(op, named, name, counted)}


def _matters(op: Operator, limits: Mapping[str, float], name: str, counted: Counted) -> bool:
    alone = opened(op, limits, name, counted)
    ends = (min(counted) - 1, min(counted), max(counted), max(counted) + 1)
    tried = [alone, *(with_bound(alone, name, at) for at in ends)]
    return len({kept_share(made, counted) for made in tried if made is not None}) > 1


def opened(op: Operator, limits: Mapping[str, float], name: str, counted: Counted) -> Operator:
    """The operator with its other bounds so wide that they drop nothing, so that one can be looked at alone."""
    for other in limits:
        if other != name:
            wide = [with_bound(op, other, at) for at in (min(counted) - 1, max(counted) + 1, 0)]
            op = max((w for w in [op, *wide] if w is not None), key=lambda w: kept_share(w, counted))
    return op


def with_bound(op: Operator, name: str, value: float) -> Operator | None:
    """The operator with another bound; null where it cannot have that."""
    whole = isinstance(getattr(op, name), int)
    settings = dict(op) | {name: round(value) if whole else value}
    try:
        return type(op)(**settings)
    except ValueError:  # out of the setting's range
        return None


def kept_share(op: Operator, counted: Counted) -> float:
    """The share of rows that an operator would keep."""
    keeps: Callable[[Any], Any] = op.keeps  # type: ignore[attr-defined]
    if isinstance(op, Filter):
        marks = (
            pl.DataFrame({"measure": list(counted)}).select(keep=keeps(pl.col("measure")))["keep"].to_list()
        )
    else:
        marks = [keeps(at) for at in counted]
    kept = sum(rows for rows, mark in zip(counted.values(), marks, strict=True) if mark)
    return kept / sum(counted.values())
