"""The one type that the cells of a column share, found without changing any cell.

Cells are compared by shape: the Python types in them, a hashable value that is cheap to take and to collect in a
set. Only the few distinct shapes of a column are turned into polars types.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache, reduce
from types import NoneType
from typing import Any, cast

import numpy as np
import orjson
import polars as pl

from dataflow.core.errors import StorageError
from dataflow.core.frames import JSON, is_json, merge_types, series, value_type

_LEAVES: dict[type, pl.DataType] = {
    NoneType: pl.Null(),
    bool: pl.Boolean(),
    float: pl.Float64(),
    str: pl.String(),
    int: pl.Int64(),
}
_ARROW = (dt.date, dt.time, dt.timedelta, Decimal, bytes)
_DICT = "dict"


def merge_all(types: Iterable[pl.DataType]) -> pl.DataType:
    """The type that holds the values of all of them; `Null` for none."""
    nothing: pl.DataType = pl.Null()
    return reduce(merge_types, types, nothing)


def column_type(cells: Sequence[Any], *, utf8: bool = False) -> pl.DataType:
    """The one type that all non-null cells have, or `json`.

    Args:
        utf8: no text here holds a lone surrogate, so it need not be looked for.
    """
    kinds = set(map(type, cells)) - {NoneType}
    if not kinds:
        return pl.Null()
    if kinds == {float} or kinds == {bool} or (utf8 and kinds == {str}):
        return _LEAVES[kinds.pop()]
    if all(issubclass(kind, _ARROW) for kind in kinds):
        return _arrow_type(cells)
    return merge_all(map(_type, set(map(shape, cells))))


def shape(value: Any) -> Hashable:
    """What decides the type of a value: Python types, nested as the value is; or the type itself."""
    kind = type(value)
    if kind is dict:
        return (_DICT, *[(k, shape(v)) for k, v in value.items()])
    if kind in (list, tuple):
        return frozenset(map(shape, value))
    if kind is int:
        return int if -(2**63) <= value < 2**63 else JSON
    if kind is str:
        return str if value.isascii() or is_utf8(value) else JSON
    return cast(Hashable, kind) if kind in _LEAVES else _foreign(value)


def _foreign(value: Any) -> Hashable:
    if isinstance(value, np.ndarray) and (value.ndim != 1 or value.dtype == object):
        return shape(value.tolist())
    if isinstance(value, dict):
        return shape(dict(value))
    return _arrow_type([value]) if isinstance(value, _ARROW) else value_type(value)


def _arrow_type(cells: Sequence[Any]) -> pl.DataType:
    try:
        return pl.Series(cells, strict=True).dtype
    except (TypeError, OverflowError, pl.exceptions.PolarsError):
        return JSON


@lru_cache(maxsize=8192)
def _type(found: Any) -> pl.DataType:
    if isinstance(found, pl.DataType):
        return found
    if isinstance(found, type):
        return _LEAVES[found]
    if isinstance(found, frozenset):
        inner = merge_all(map(_type, found))
        return JSON if is_json(inner) else pl.List(inner)
    fields = dict(found[1:])
    if not fields or not all(isinstance(k, str) and is_utf8(k) for k in fields):
        return JSON
    types = {k: _type(v) for k, v in fields.items()}
    return JSON if any(map(is_json, types.values())) else pl.Struct(types)


def is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def frame_of(records: Sequence[Mapping[str, Any]], hint: pl.Schema | None = None) -> pl.DataFrame:
    """Rows as a frame, columns in order of first appearance; a key that a row lacks is null there.

    Args:
        hint: the types the columns had before, kept where they hold the cells unchanged. They also name the
            columns of no rows at all.
    """
    keys = dict.fromkeys(k for names in dict.fromkeys(map(tuple, records)) for k in names)
    names = list(keys) if records else list(hint or {})
    hints = dict(hint or {})
    columns = {n: [r.get(n) for r in records] for n in names}
    return table([settle(_name(n), cells, hints.get(n)) for n, cells in columns.items()], len(records))


def _name(key: Any) -> str:
    if not isinstance(key, str) or not is_utf8(key):
        raise StorageError(f"{key!r} cannot name a column; a column name is a text that UTF-8 can hold")
    return key


def table(columns: Sequence[pl.Series], height: int) -> pl.DataFrame:
    """Columns as a frame that knows its height also without any."""
    # from a list polars would call a column of empty name `column_0`
    return pl.DataFrame({c.name: c for c in columns}) if columns else pl.DataFrame(height=height)


def settle(name: str, cells: Sequence[Any], hint: pl.DataType | None = None) -> pl.Series:
    """Cells as a column of the hinted type where that changes none of them, else of the type they share."""
    cells = [c.tolist() if type(c) is np.ndarray and c.dtype == object else c for c in cells]
    found = column_type(cells)
    if hint is not None and merge_types(found, hint) == hint:
        found = hint
    made = build(name, cells, found)
    return _narrowed(made, hint) if hint is not None and hint != found else made


def build(name: str, cells: Sequence[Any], dtype: pl.DataType) -> pl.Series:
    """Cells that are known to be of the type, as a column."""
    if any(type(c) is np.ndarray for c in cells):
        cells = [c.tolist() if type(c) is np.ndarray else c for c in cells]
    return series(name, cells, dtype) if is_json(dtype) else pl.Series(name, cells, dtype=dtype)


def build_parsed(name: str, cells: Sequence[Any], dtype: pl.DataType) -> pl.Series:
    """The same for cells that came out of JSON; nested ones go back through JSON text, which is ten times faster."""
    if not isinstance(dtype, (pl.List, pl.Struct)):
        return build(name, cells, dtype)
    try:
        texts = [None if c is None else orjson.dumps(c).decode() for c in cells]
    except TypeError:
        return build(name, cells, dtype)
    return pl.Series(name, texts, dtype=pl.String).str.json_decode(dtype)


def _narrowed(column: pl.Series, hint: pl.DataType) -> pl.Series:
    """The column as float32 again where it was before and no number changes by it."""
    if column.dtype == _wide(hint) and column.dtype != hint:
        narrow = column.cast(hint)
        return narrow if narrow.cast(column.dtype).equals(column) else column
    return column


def _wide(dtype: pl.DataType) -> pl.DataType:
    if isinstance(dtype, pl.List):
        return pl.List(_wide(pl.List(dtype.inner).inner))  # type: ignore[arg-type]
    return pl.Float64() if dtype == pl.Float32 else dtype
