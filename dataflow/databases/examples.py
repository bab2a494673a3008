"""Values of a column that show what it holds, and say nothing of anybody."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from typing import Any

SCANNED = 1000
"""Rows of a table among which examples are looked for."""
_LONG, _TOO_LONG = 20, 50
_MOST_BYTES = 8
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}")
_PRIVATE = re.compile(
    r"""[^\s@]+@[^\s@]+\.[^\s@]+                                 # e-mail
    | https?:// | \bwww\. | \b[a-z0-9-]+\.(?:com|org|net|edu|gov|io|cn|de|uk)\b   # URL
    | (?<![\w.])\+\d[\d\s().-]{6,}\d                              # phone with a country code
    | (?<!\w)\(\d{2,5}\)\s?\d{3,4}[\s.-]?\d{3,4}(?!\w)            # (030) 1234 5678
    | (?<![\w.-])\d{3}[\s.-]\d{3,4}[\s.-]\d{4}(?![\w.-])          # 555-123-4567
    | (?<![\w.-])\d{3}[.-]\d{4}(?![\w.-])                         # 555-1234
    | (?<![\w.-])0\d{9,10}(?![\w.-]) | (?<![\w.-])1[3-9]\d{9}(?![\w.-])           # 03012345678, 13912345678
    """,
    re.VERBOSE | re.IGNORECASE,
)
_PRIVATE_NAME = re.compile(
    r"(?:^|_|\b)(?:e_?mail|phone|mobile|tel|telephone|fax|cell|url|uri|website|homepage|link|password|passwd|ssn)(?:$|_|\b)"
    r"|(?:phone|email)(?:number|address|_?no)?s?$",
    re.IGNORECASE,
)


def is_private(value: Any) -> bool:
    """Whether a value looks like an e-mail address, a phone number or a URL."""
    return isinstance(value, str) and _PRIVATE.search(value[:2000]) is not None


def choose(name: str, values: Iterable[Any], most: int) -> tuple[Any, ...]:
    """Up to `most` different values of a column, in the order in which they come.

    None of a column that is called or holds anything like an e-mail address, phone number or URL; none longer than
    50 characters; one alone of dates and of texts longer than 20 characters. Bytes show nothing.
    """
    values = [
        v for v in values if v is not None and not isinstance(v, (bytes, bytearray, memoryview, list, dict))
    ]
    if _PRIVATE_NAME.search(name) or any(map(is_private, values)):
        return ()
    chosen = []
    for value in dict.fromkeys(v for v in values if not _is_blank(v)):
        shown = str(value)
        if len(shown) > _TOO_LONG:
            return ()
        chosen.append(value)
        if isinstance(value, (dt.date, dt.datetime)) or _DATE.match(shown) or len(shown) > _LONG:
            return tuple(chosen[:1])
        if len(chosen) == most:
            break
    return tuple(chosen)


def sample_rows(
    names: Sequence[str], rows: Sequence[Sequence[Any]], most: int
) -> tuple[tuple[Any, ...], ...]:
    """The first rows, with null for private values and for bytes, and an ellipsis for the end of long texts."""
    private = [_PRIVATE_NAME.search(name) is not None for name in names]
    return tuple(
        tuple(None if hide or is_private(v) else _short(v) for hide, v in zip(private, row, strict=True))
        for row in rows[:most]
    )


def _is_blank(value: Any) -> bool:
    return isinstance(value, str) and not value.strip()


def _short(value: Any) -> Any:
    if isinstance(value, str) and len(value) > 2 * _TOO_LONG:
        return value[: 2 * _TOO_LONG - 1] + "…"
    return None if isinstance(value, bytes) and len(value) > _MOST_BYTES else value
