"""What an endpoint says of its limits in the headers of its answers."""

from __future__ import annotations

import email.utils
import math
import re
import time
from collections.abc import Mapping
from typing import Any

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait before the next try, from `retry-after-ms`, or `Retry-After` as seconds or a date."""
    if (milliseconds := headers.get("retry-after-ms", "")).isdigit():
        return int(milliseconds) / 1000
    value = headers.get("Retry-After")
    if value is None:
        return None
    try:
        return max(0.0, float(value)) if math.isfinite(float(value)) else None
    except ValueError:
        return _seconds_until(value)


def quota_of(headers: Mapping[str, str], answer: Any) -> tuple[float, float] | None:
    """Calls left, and the seconds until there are more; null where the endpoint tells nothing.

    Tokens left are taken for as many calls as this answer's tokens go into them.
    """
    found = [_left(headers, "requests", 1.0)]
    if "x-ratelimit-remaining-tokens" in headers:
        usage = answer.get("usage") if isinstance(answer, dict) else None
        total = usage.get("total_tokens") if isinstance(usage, dict) else None
        found.append(_left(headers, "tokens", float(total) if isinstance(total, int) and total > 0 else 1.0))
    return min((f for f in found if f is not None), default=None)


def _left(headers: Mapping[str, str], kind: str, each: float) -> tuple[float, float] | None:
    left = headers.get(f"x-ratelimit-remaining-{kind}")
    if left is None or not left.isdigit():
        return None
    reset = duration(headers.get(f"x-ratelimit-reset-{kind}", ""))
    return None if reset is None else (int(left) // each, reset)


def duration(text: str) -> float | None:
    """Seconds in `6m0s`, `120ms` or `17`; null where it is none of these."""
    try:
        return max(0.0, float(text))
    except ValueError:
        parts = _DURATION.findall(text)
    if not parts or "".join(n + u for n, u in parts) != text:
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _seconds_until(date: str) -> float | None:
    try:
        return max(0.0, email.utils.parsedate_to_datetime(date).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
