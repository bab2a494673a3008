"""Reading a run's record, in which any field may be missing; and how the report writes numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

NONE = "–"


def mapping(value: object) -> Mapping[str, Any]:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def listing(value: object) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return list(value) if isinstance(value, (list, tuple)) else []


def number(value: object) -> float | None:
    """The value if it is a finite number, else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) else None


def amount(value: object) -> float:
    """The value if it is a finite number above zero, else zero."""
    return max(0.0, number(value) or 0.0)


def count(value: object) -> str:
    """`12,345`; a dash for what is no number."""
    found = number(value)
    return NONE if found is None else f"{found:,.0f}"


def decimal(value: object) -> str:
    """`0.8125`: four significant digits below 1,000, thousands separators above."""
    found = number(value)
    if found is None:
        return NONE
    return f"{found:,.0f}" if found == int(found) or abs(found) >= 1000 else f"{found:.4g}"


def tokens(value: object) -> str:
    """`980`, `12.5 k`, `3.4 M`, `1.2 B`."""
    found = number(value)
    if found is None:
        return NONE
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e4, "k")):
        if abs(found) >= size * 0.99995:
            shown = found / (1e3 if unit == "k" else size)
            return f"{shown:,.1f}".removesuffix(".0") + f" {unit}"
    return f"{found:,.0f}"


def dollars(value: object) -> str:
    """`$0.12`; two significant digits below a cent."""
    found = number(value)
    if found is None:
        return NONE
    if 0 < abs(found) < 0.01:
        return f"${found:.2g}" if abs(found) >= 0.0001 else "<$0.0001"
    return f"${found:,.2f}" if abs(found) < 1000 else f"${found:,.0f}"


def duration(value: object) -> str:
    """`40 ms`, `1.2 s`, `3 min 20 s`, `2 h 5 min`."""
    found = number(value)
    if found is None:
        return NONE
    if found < 0.9995:
        return f"{found * 1000:.0f} ms" if found >= 0.0005 or found <= 0 else "<1 ms"
    if found < 59.95:
        return f"{found:.1f} s" if found < 9.95 or found % 1 else f"{found:.0f} s"
    whole, big, small, size = round(found), "min", "s", 60
    if whole >= 3600:
        whole, big, small = round(found / 60), "h", "min"
    return f"{whole // size:,} {big}" + (f" {whole % size} {small}" if whole % size else "")


def percent(part: float, whole: float) -> str:
    """`99.5 %`; a part that is not all never reads `100 %`, and one that is not nothing never `0 %`."""
    if whole <= 0:
        return NONE
    shown = f"{100 * part / whole:.1f}".removesuffix(".0")
    if part < whole and shown == "100":
        return ">99.9 %"
    return "<0.1 %" if part > 0 and shown == "0" else f"{shown} %"


UNFINISHED = ("running", "stopped", "failed")


def steps_of(run: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The operators in order; one that an unfinished run did not come to has no counts instead of zeros."""
    steps = [step for step in listing(run.get("steps")) if isinstance(step, Mapping)]
    if run.get("status") not in UNFINISHED:
        return steps
    idle = {"rows_in": None, "rows_out": None, "seconds": None}
    return [step if any(map(amount, map(step.get, idle))) else {**step, **idle} for step in steps]


def ends_of(run: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Rows that came in, and rows that came out; None where that is not known, or not yet."""
    steps = listing(run.get("steps"))
    first = number(mapping(run.get("source")).get("rows"))
    first = number(mapping(steps[0]).get("rows_in")) if first is None and steps else first
    last = number(mapping(run.get("output")).get("rows"))
    return first, None if not last and run.get("status") in UNFINISHED else last


def name_of(step: Mapping[str, Any]) -> str:
    """The operator's name."""
    return str(step.get("operator") or "operator")


def losses(step: Mapping[str, Any]) -> list[tuple[str, float, str]]:
    """Rows that an operator did not pass on: label, rows, and `drop` or `fail`; the most first, failures last."""
    dropped = step.get("dropped")
    reasons = dropped.items() if isinstance(dropped, Mapping) else [("dropped", dropped)]
    found = [(str(label), amount(rows), "drop") for label, rows in reasons if amount(rows)]
    failed = [("failed", amount(step.get("failed")), "fail")] if amount(step.get("failed")) else []
    return sorted(found, key=lambda loss: -loss[1]) + failed


def finite(value: object) -> object:
    """The value with every number that is not finite as None, for JSON knows no other."""
    if isinstance(value, float):
        return number(value)
    if isinstance(value, Mapping):
        return {str(k): finite(v) for k, v in value.items()}
    return [finite(v) for v in value] if isinstance(value, (list, tuple)) else value


def as_text(value: object) -> str:
    """A value as a person reads it: text as it is, numbers with separators, the rest as JSON."""
    if isinstance(value, str):
        return value
    if number(value) is not None:
        return str(value)
    return json.dumps(finite(value), ensure_ascii=False, default=str)
