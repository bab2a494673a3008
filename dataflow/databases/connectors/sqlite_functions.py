"""Functions of SQLite that can take hours in one call, which nothing interrupts, written anew."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

MAX_VALUE = 4 << 20
"""Bytes of one value. A function of SQL runs to its end before SQLite looks for an interrupt, so what it is given must be small."""


def replace_slow(connection: sqlite3.Connection) -> None:
    """Put these functions in the place of SQLite's."""
    for name, function in _LINEAR.items():
        for arguments in _ARGUMENTS[name]:
            connection.create_function(name, arguments, function, deterministic=True)
    printf = Printf()
    for name in ("printf", "format"):
        connection.create_function(name, -1, printf, deterministic=True)


class Printf:
    """SQLite's own `printf`, which is asked for it, but for `%.2000000000c`: that it fills letter by letter."""

    def __init__(self) -> None:
        self._plain: sqlite3.Connection | None = None

    def __call__(self, *values: Any) -> Any:
        if values and values[0] is not None and _repeats(_text(values[0]), values[1:]) > MAX_VALUE:
            raise OverflowError("string or blob too big")
        if self._plain is None:
            self._plain = sqlite3.connect(":memory:", check_same_thread=False)
            self._plain.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE)
        marks = ", ".join("?" * len(values))
        return self._plain.execute(f"SELECT printf({marks})", values).fetchone()[0]


def _repeats(pattern: str, values: Sequence[Any]) -> int:
    """How often `%c` is to write its letter, at most."""
    most, left = 0, iter(values)
    for width, precision, kind in _CONVERSION.findall(pattern):
        if width == "*":
            next(left, None)
        if precision == "*":
            precision = _whole(next(left, None))
        if kind == "c":
            most = max(most, abs(int(precision or 0)))
        if kind not in "%n":
            next(left, None)
    return most


def _whole(value: Any) -> int:
    """A value as SQLite casts it to a whole number."""
    if isinstance(value, str | bytes):
        found = _WHOLE.match(_text(value))
        return int(found.group()) if found else 0
    return int(value or 0)


_CONVERSION = re.compile(r"%[-+ #0,!]*(\*|\d+)?(?:\.(\*|\d*))?l{0,2}(.)", re.DOTALL)
_WHOLE = re.compile(r"\s*[-+]?\d+", re.ASCII)


# SQLite's own take time of the product of both lengths, in one call that nothing interrupts.


def _instr(text: Any, part: Any) -> int | None:
    if text is None or part is None:
        return None
    if isinstance(text, bytes) and isinstance(part, bytes):
        return text.find(part) + 1
    return _text(text).find(_text(part)) + 1


def _replace(text: Any, old: Any, new: Any) -> Any:
    if text is None or old is None:
        return None
    if old in ("", b""):
        return _text(text) if isinstance(text, bytes) else text
    if new is None:
        return None
    whole, part, into = _text(text), _text(old), _text(new)
    if len(into) > len(part) and len(whole) + whole.count(part) * (len(into) - len(part)) > MAX_VALUE:
        raise OverflowError("string or blob too big")
    return whole.replace(part, into)


def _trim(text: Any, characters: Any) -> str | None:
    return _stripped(text, characters, left=True, right=True)


def _ltrim(text: Any, characters: Any) -> str | None:
    return _stripped(text, characters, left=True, right=False)


def _rtrim(text: Any, characters: Any) -> str | None:
    return _stripped(text, characters, left=False, right=True)


def _stripped(text: Any, characters: Any, *, left: bool, right: bool) -> str | None:
    if text is None or characters is None:
        return None
    whole, drop = _text(text), frozenset(_text(characters))
    first, last = 0, len(whole)
    while left and first < last and whole[first] in drop:
        first += 1
    while right and first < last and whole[last - 1] in drop:
        last -= 1
    return whole[first:last]


def _text(value: Any) -> str:
    """A value as SQLite casts it to text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if not isinstance(value, float):
        return str(value)
    if value in (float("inf"), float("-inf")):
        return "Inf" if value > 0 else "-Inf"
    shown = f"{value:.15g}"
    mantissa, e, exponent = shown.partition("e")
    return (mantissa if "." in mantissa else mantissa + ".0") + e + exponent


_LINEAR: dict[str, Callable[..., Any]] = {
    "instr": _instr,
    "replace": _replace,
    "trim": _trim,
    "ltrim": _ltrim,
    "rtrim": _rtrim,
}
_ARGUMENTS = {"instr": (2,), "replace": (3,), "trim": (2,), "ltrim": (2,), "rtrim": (2,)}
