"""A regular expression that a block of JSON lines matches only if every row is of certain columns and types.

A match proves all that a parse could find: each line is one JSON object, no key is there twice, every value has its
column's type or is null, integers fit 64 bits, texts are UTF-8. Texts are looked at apart (`line_skeleton.py`); what
is left runs in polars' automaton, on several threads. What does not match is not wrong; it has to be parsed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
import polars as pl

from dataflow.core.frames import is_json
from dataflow.storage.formats.line_skeleton import skeleton

MOST_VALUES = 40
"""Values a pattern may name: the automaton of a wider one outgrows its cache and runs slower than a parser."""
MOST_ORDERS = 4

_GAP = r"[ \t]*"
_PAIR = r"[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_UNIT = r"[0-9a-cA-CefEF][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2}"
_TEXT = rf'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u(?:{_UNIT}|{_PAIR})))*"'
_INT = r"-?(?:0|[1-9][0-9]{0,17}|[1-8][0-9]{18}|9[01][0-9]{17})"
_POWER = r"[eE][+-]?[0-9]{1,2}"
_FLOAT = rf"-?(?:0|[1-9][0-9]{{0,17}})(?:\.[0-9]+(?:{_POWER})?|{_POWER})"
_PLAIN: dict[pl.DataType, str] = {
    pl.String(): _TEXT,
    pl.Int64(): _INT,
    pl.Float64(): _FLOAT,
    pl.Boolean(): "true|false",
}


class Orders:
    """The orders in which rows have their keys; most files have one, with keys that some rows leave out."""

    def __init__(self) -> None:
        self._found: list[tuple[tuple[str, ...], frozenset[str]]] = []
        """All keys in order, and those that no row leaves out."""

    def note(self, keys: tuple[str, ...]) -> None:
        for at, (order, always) in enumerate(self._found):
            merged, common = _merged(order, keys), always & set(keys)
            if order == keys or (merged is not None and common):
                self._found[at] = (merged or order, common)
                return
        if len(self._found) <= MOST_ORDERS:
            self._found.append((keys, frozenset(keys)))

    def pattern(self, types: Mapping[str, pl.DataType]) -> str:
        """What a block of rows of these columns matches; "" where no pattern can tell."""
        values = sum(_size(types[key]) for order, _ in self._found for key in order)
        if not self._found or len(self._found) > MOST_ORDERS or values > MOST_VALUES:
            return ""
        rows = "|".join(_row(order, always, types) for order, always in self._found)
        return rf"^(?:{_GAP}(?:{rows}){_GAP}\r?(?:\n|$))*$"


def matches(data: bytes, pattern: str) -> int:
    """How many lines a block has that is all of the pattern; 0 for one that is not, or where there is none."""
    if not pattern:
        return 0
    data = skeleton(data) or data
    try:
        text = pl.Series([data], dtype=pl.Binary).cast(pl.String).str
        if not text.contains(pattern).item():
            return 0
    except pl.exceptions.PolarsError:
        return 0
    return int(text.count_matches("\n", literal=True).item()) + (not data.endswith(b"\n"))


def _merged(order: Sequence[str], keys: Iterable[str]) -> tuple[str, ...] | None:
    """The order with further keys put in where they stand in `keys`; null where the two contradict each other."""
    made, at = list(order), 0
    for key in keys:
        if key not in made:
            made.insert(at, key)
        elif made.index(key) < at:
            return None
        at = made.index(key) + 1
    return tuple(made)


def _row(order: Sequence[str], always: frozenset[str], types: Mapping[str, pl.DataType]) -> str:
    """An object; commas go with the keys on either side of the first that is always there."""
    first = next((at for at, key in enumerate(order) if key in always), 0)
    comma = f"{_GAP},{_GAP}"
    members = [_member(key, types[key]) for key in order]
    before = [f"(?:{m}{comma})?" for m in members[:first]]
    after = [
        f"(?:{comma}{m}){'' if key in always else '?'}"
        for key, m in zip(order[first + 1 :], members[first + 1 :], strict=True)
    ]
    return "".join([r"\{", _GAP, *before, *members[first : first + 1], *after, _GAP, r"\}"])


def _member(key: str, dtype: pl.DataType) -> str:
    names = dict.fromkeys(pl.escape_regex(n) for n in (orjson.dumps(key).decode(), json.dumps(key)))
    return f"(?:{'|'.join(names)}){_GAP}:{_GAP}{_value(dtype)}"


def _value(dtype: Any) -> str:
    if is_json(dtype):
        return _ANY
    if isinstance(dtype, pl.List):
        return f"(?:null|{_list(_value(dtype.inner))})"
    if isinstance(dtype, pl.Struct):
        fields = {f.name: f.dtype for f in dtype.fields}
        return f"(?:null|{_row(tuple(fields), frozenset(fields), fields)})"  # type: ignore[arg-type]
    return f"(?:null|{_PLAIN[dtype]})" if dtype != pl.Null else "null"


def _list(value: str) -> str:
    return rf"\[{_GAP}(?:{value}(?:{_GAP},{_GAP}{value})*)?{_GAP}\]"


def _anything(value: str) -> str:
    """A value, or a list or object of such."""
    members = f"{_TEXT}{_GAP}:{_GAP}{value}"
    held = rf"\{{{_GAP}(?:{members}(?:{_GAP},{_GAP}{members})*)?{_GAP}\}}"
    return f"(?:{value}|{_list(value)}|{held})"


_ANY = _anything(_anything(f"(?:null|true|false|{_TEXT}|{_INT}|{_FLOAT})"))
"""What is nested deeper no regular expression of a bearable size takes; such lines are parsed."""


def _size(dtype: Any) -> int:
    if is_json(dtype):
        return 8
    if isinstance(dtype, pl.List):
        return 2 * _size(dtype.inner)
    return sum(_size(f.dtype) for f in dtype.fields) if isinstance(dtype, pl.Struct) else 1
