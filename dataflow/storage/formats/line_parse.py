"""Lines of JSON into Python rows, exactly; lines that are no rows are told with the reason."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from dataflow.core.frames import loads
from dataflow.storage.shapes import is_utf8

_LONG = b"0" * 19
_AS_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_KINDS = {list: "a list", str: "a text", int: "a number", float: "a number", bool: "a truth value"}


class Parsed(NamedTuple):
    """The rows of a block of lines."""

    rows: list[dict[str, Any]]
    bad: list[tuple[int, str, bytes]]
    """Line in the block, counted from 0; reason; the line."""
    lines: int
    utf8: bool
    """Whether no text in it can hold a lone surrogate."""


def parse(data: bytes) -> Parsed:
    """The rows of a block of lines, exactly; a line that is no row never raises."""
    split = data.split(b"\n")
    if not split[-1]:
        split.pop()
    try:
        rows = list(map(orjson.loads, split))
        if set(map(type, rows)) <= {dict}:
            exact = list(map(loads, split)) if _has_long_number(data) else rows
            return Parsed(exact, [], len(split), utf8=True)
    except orjson.JSONDecodeError:
        pass
    rows, bad = [], []
    for at, line in enumerate(split):
        if line.strip():
            row, reason = _row(line)
            rows.append(row) if not reason else bad.append((at, reason, line))
    return Parsed(rows, bad, len(split), utf8=False)


def _has_long_number(data: bytes) -> bool:
    """Whether there may be an integer beyond 64 bits, of which orjson makes a float."""
    digits = data.translate(_AS_ZEROS)
    at = digits.find(_LONG)
    while at > 0 and data[at - 1 : at] == b".":
        at = digits.find(_LONG, at + len(_LONG))
    return at >= 0


def _row(line: bytes) -> tuple[dict[str, Any], str]:
    try:
        row = loads(line.decode())
    except UnicodeDecodeError as e:
        return {}, f"not UTF-8: {e.reason} at byte {e.start + 1}"
    except RecursionError:
        return {}, "nested too deeply"
    except ValueError as e:
        return {}, f"not JSON: {e}"
    if not isinstance(row, dict):
        return {}, f"not an object but {_KINDS.get(type(row), 'null')}"
    return (row, "") if all(map(is_utf8, row)) else ({}, "a key that UTF-8 cannot hold")
