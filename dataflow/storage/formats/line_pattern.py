"""A regular expression that a block of JSON lines matches only if every row is of certain columns and types.

A match proves all that a parse could find: each line is one JSON object, no key is there twice, every value has its
column's type or is null, integers fit 64 bits, texts are UTF-8. Texts are looked at apart (`line_skeleton.py`); what
is left runs in polars' automaton, on several threads. What does not match is not wrong; it has to be parsed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray

from dataflow.core.frames import is_json
from dataflow.storage.formats.line_skeleton import skeleton

MOST_VALUES = 40
"""Values a pattern may name: the automaton of a wider one outgrows its cache and runs slower than a parser."""
MOST_ORDERS = 4

_PAIR = r"[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_UNIT = r"[0-9a-cA-CefEF][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2}"
_TEXT = rf'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u(?:{_UNIT}|{_PAIR})))*"'
_INT = r"-?(?:0|[1-9][0-9]{0,17}|[1-8][0-9]{18}|9[01][0-9]{17})"
_POWER = r"[eE][+-]?[0-9]{1,2}"
_FLOAT = rf"-?(?:0|[1-9][0-9]{{0,17}})(?:\.[0-9]+(?:{_POWER})?|{_POWER})"


class _Spelling(NamedTuple):
    """How values are spelt, and what may stand between them."""

    gap: str
    text: str
    integer: str
    number: str

    def plain(self, dtype: pl.DataType) -> str:
        spelt: dict[pl.DataType, str] = {
            pl.String(): self.text,
            pl.Int64(): self.integer,
            pl.Float64(): self.number,
            pl.Boolean(): "true|false",
        }
        return spelt[dtype]


_ANYHOW = _Spelling(r"[ \t]*", _TEXT, _INT, _FLOAT)
_WRITTEN = _Spelling(
    "",
    r'"(?:[^"\\\x00-\x1f]|\\["\\bfnrt])*"',
    r"(?:0|-?[1-9][0-9]{0,17}|-?[1-8][0-9]{18})",
    r"-?(?:0|[1-9][0-9]{0,9})\.(?:0|[0-9]{0,3}[1-9])",
)
"""As we write them; of numbers those of which this is sure, so that shortest spelling is no question."""


class Patterns(NamedTuple):
    """What blocks of rows of certain columns match; "" where no pattern can tell."""

    rows: str = ""
    written: str = ""
    """Blocks that hold to the byte what we would write of their rows match this, and the other."""


class Proof(NamedTuple):
    """What is proven of a block of lines."""

    rows: int = 0
    """The rows of a block of which all lines are some; else 0."""
    bounds: NDArray[np.uint32] | None = None
    """Of a block that holds what we would write, where each line begins and the last ends; else null."""


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

    def patterns(self, types: Mapping[str, pl.DataType]) -> Patterns:
        values = sum(_size(types[key]) for order, _ in self._found for key in order)
        if not self._found or len(self._found) > MOST_ORDERS or values > MOST_VALUES:
            return Patterns()
        rows = "|".join(_row(order, always, types, _ANYHOW) for order, always in self._found)
        gap = _ANYHOW.gap
        return Patterns(rf"^(?:{gap}(?:{rows}){gap}\r?(?:\n|$))*$", self._written(types))

    def _written(self, types: Mapping[str, pl.DataType]) -> str:
        (order, always), *others = self._found
        if others or set(order) != always or order != tuple(types) or any(map(is_json, types.values())):
            return ""
        return rf"^(?:{_row(order, always, types, _WRITTEN)}\n)*$"


def prove(data: bytes, patterns: Patterns) -> Proof:
    """What the patterns prove of a block of lines."""
    if not patterns.rows:
        return Proof()
    bare = skeleton(data)
    lines = bare.lines if bare else data
    try:
        text = pl.Series([lines], dtype=pl.Binary).cast(pl.String).str
        may_be = bare is not None and bare.as_written and patterns.written
        as_written = bool(may_be and text.contains(patterns.written).item())
        if not as_written and not text.contains(patterns.rows).item():
            return Proof()
    except pl.exceptions.PolarsError:
        return Proof()
    bounds = np.append(0, bare.controls + 1).astype(np.uint32) if bare and as_written else None
    return Proof(lines.count(b"\n") + (not lines.endswith(b"\n")), bounds)


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


def _row(
    order: Sequence[str], always: frozenset[str], types: Mapping[str, pl.DataType], spelt: _Spelling
) -> str:
    """An object; commas go with the keys on either side of the first that is always there."""
    first = next((at for at, key in enumerate(order) if key in always), 0)
    comma = f"{spelt.gap},{spelt.gap}"
    members = [_member(key, types[key], spelt) for key in order]
    before = [f"(?:{m}{comma})?" for m in members[:first]]
    after = [
        f"(?:{comma}{m}){'' if key in always else '?'}"
        for key, m in zip(order[first + 1 :], members[first + 1 :], strict=True)
    ]
    return "".join([r"\{", spelt.gap, *before, *members[first : first + 1], *after, spelt.gap, r"\}"])


def _member(key: str, dtype: pl.DataType, spelt: _Spelling) -> str:
    names = dict.fromkeys((orjson.dumps(key).decode(), json.dumps(key)))
    shown = [pl.escape_regex(n) for n in names][: None if spelt is _ANYHOW else 1]
    return f"(?:{'|'.join(shown)}){spelt.gap}:{spelt.gap}{_value(dtype, spelt)}"


def _value(dtype: Any, spelt: _Spelling) -> str:
    if is_json(dtype):
        return _ANY
    if isinstance(dtype, pl.List):
        return f"(?:null|{_list(_value(dtype.inner, spelt), spelt.gap)})"
    if isinstance(dtype, pl.Struct):
        fields = {f.name: f.dtype for f in dtype.fields}
        return f"(?:null|{_row(tuple(fields), frozenset(fields), fields, spelt)})"  # type: ignore[arg-type]
    return f"(?:null|{spelt.plain(dtype)})" if dtype != pl.Null else "null"


def _list(value: str, gap: str) -> str:
    return rf"\[{gap}(?:{value}(?:{gap},{gap}{value})*)?{gap}\]"


def _anything(value: str) -> str:
    """A value, or a list or object of such."""
    gap = _ANYHOW.gap
    members = f"{_TEXT}{gap}:{gap}{value}"
    held = rf"\{{{gap}(?:{members}(?:{gap},{gap}{members})*)?{gap}\}}"
    return f"(?:{value}|{_list(value, gap)}|{held})"


_ANY = _anything(_anything(f"(?:null|true|false|{_TEXT}|{_INT}|{_FLOAT})"))
"""What is nested deeper no regular expression of a bearable size takes; such lines are parsed."""


def _size(dtype: Any) -> int:
    if is_json(dtype):
        return 8
    if isinstance(dtype, pl.List):
        return 2 * _size(dtype.inner)
    return sum(_size(f.dtype) for f in dtype.fields) if isinstance(dtype, pl.Struct) else 1
