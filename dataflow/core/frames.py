"""How samples lie in memory: polars frames, the `json` type for cells of unlike shapes, and row ids.

A cell is null, or a value of its column's type. A column whose values do not share one Arrow type is
kept as JSON text under the extension type ``arrow.json``, so the schema travels with the frame and with
Parquet and Arrow files; operators see the Python values.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
import polars as pl
from polars.datatypes import DataType, DataTypeClass

ROW = "__row__"
"""The hidden column of row ids: `"17"` is the 18th source row, `"17/2"` the third row made from it."""
_NOTED = "__of__:"


class JsonType(pl.BaseExtension):
    """Values of any shape, held as JSON text."""

    def __init__(self) -> None:
        super().__init__("arrow.json", pl.String())

    @classmethod
    def ext_from_params(cls, name: str, storage: DataType | DataTypeClass, metadata: str | None) -> JsonType:
        return cls()


pl.register_extension_type("arrow.json", JsonType)
JSON = JsonType()

TYPES: dict[str, pl.DataType] = {
    "text": pl.String(),
    "int": pl.Int64(),
    "float": pl.Float64(),
    "number": pl.Float64(),
    "bool": pl.Boolean(),
    "json": JSON,
    "any": JSON,
    "embedding": pl.List(pl.Float32),
    "list[text]": pl.List(pl.String),
    "list[float]": pl.List(pl.Float64),
    "list[int]": pl.List(pl.Int64),
}
"""The names that a port may give its type, and the column that an output of that type becomes."""


def is_json(dtype: DataType | DataTypeClass) -> bool:
    return isinstance(dtype, pl.BaseExtension) and dtype.ext_name() == "arrow.json"


def type_name(dtype: DataType | DataTypeClass) -> str:
    """The name by which a person knows a column's type: `text`, `int`, `list[float]`, `json` …"""
    if is_json(dtype):
        return "json"
    if isinstance(dtype, (pl.List, pl.Array)):
        inner = type_name(dtype.inner)
        return "embedding" if dtype.inner == pl.Float32 else f"list[{inner}]"
    if isinstance(dtype, pl.Struct) or dtype == pl.Struct:
        return "struct"
    names = {pl.String: "text", pl.Boolean: "bool", pl.Null: "null", pl.Binary: "binary"}
    for known, name in names.items():
        if dtype == known:
            return name
    if dtype.is_integer():
        return "int"
    if dtype.is_float() or dtype.is_decimal():
        return "float"
    return str(dtype).lower()


def accepts(port_type: str, dtype: DataType | DataTypeClass) -> bool:
    """Whether a port of this type can read that column; a `json` column is judged row by row."""
    have = type_name(dtype)
    if port_type in ("any", "json") or have in ("json", "null") or have == port_type:
        return True
    if port_type in ("number", "float"):
        return have in ("int", "float")
    if port_type in ("embedding", "list[float]"):
        return have in ("embedding", "list[float]", "list[int]")
    return False


def dumps(value: Any) -> str:
    """One JSON text of a value; lone surrogates stay, escaped, and numpy values become numbers and lists."""
    try:
        text = orjson.dumps(value, default=_plain, option=orjson.OPT_SERIALIZE_NUMPY).decode()
    except (TypeError, orjson.JSONEncodeError):
        return json.dumps(value, default=_plain, allow_nan=True)
    # orjson writes NaN and infinities as null
    return (
        json.dumps(value, default=_plain, allow_nan=True)
        if "null" in text and _has_odd_float(value)
        else text
    )


def loads(text: str | bytes) -> Any:
    """The value of a JSON text, exactly: big integers, NaN and lone surrogates included."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)
    return json.loads(text) if _has_big_float(value) else value


def _has_odd_float(value: Any) -> bool:
    if isinstance(value, (float, np.floating)):
        return not math.isfinite(value)
    if isinstance(value, dict):
        return any(map(_has_odd_float, value.values()))
    return isinstance(value, (list, tuple, np.ndarray)) and any(map(_has_odd_float, value))


def _has_big_float(value: Any) -> bool:
    """Whether a float may have been an integer too long for 64 bits, which orjson rounds."""
    if isinstance(value, float):
        return abs(value) >= 2**63 and math.isfinite(value)
    if isinstance(value, dict):
        return any(map(_has_big_float, value.values()))
    return isinstance(value, list) and any(map(_has_big_float, value))


def _plain(value: Any) -> Any:
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, pl.Series):
        return value.to_list()
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise TypeError(f"a value of type {type(value).__name__} cannot be kept in a table")


def clean(cell: Any) -> Any:
    """A text with lone surrogates, which UTF-8 cannot hold, replaced by U+FFFD; anything else as it is."""
    if isinstance(cell, str) and not cell.isascii() and _lone(cell):
        return _LONE.sub("\ufffd", cell)
    return cell


def clean_all(cell: Any) -> Any:
    """`clean` for every text inside of lists and dicts."""
    if isinstance(cell, (list, tuple)):
        return [clean_all(c) for c in cell]
    return {clean_all(k): clean_all(v) for k, v in cell.items()} if isinstance(cell, dict) else clean(cell)


_LONE = re.compile("[\ud800-\udfff]")


def _lone(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def as_text(value: Any) -> str:
    """A cell as the words of a prompt: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else dumps(value)


def values(column: pl.Series) -> list[Any]:
    """The cells as Python values; a `json` column is parsed."""
    if is_json(column.dtype):
        return [None if cell is None else loads(cell) for cell in column.ext.storage().to_list()]
    return column.to_list()


def series(name: str, cells: Sequence[Any], dtype: DataType | DataTypeClass) -> pl.Series:
    """Cells as a column of that type.

    Raises:
        TypeError: a cell is not of the type; nothing is converted but int to float.
    """
    if is_json(dtype):
        texts = [None if cell is None else dumps(cell) for cell in cells]
        return pl.Series(name, texts, dtype=pl.String).ext.to(JSON)
    if dtype.is_numeric() and any(isinstance(c, bool) for c in cells):
        raise TypeError(f"a truth value is not a number of column {name!r}")
    if dtype.is_nested():
        cells = [_plain(c) if isinstance(c, (np.ndarray, pl.Series)) else c for c in cells]
    if (dtype.is_nested() or dtype == pl.Null) and not all(_fits(c, _instance(dtype)) for c in cells):
        raise TypeError(f"a cell of column {name!r} is no {dtype}")
    try:
        return pl.Series(name, [clean(c) for c in cells] if dtype == pl.String else cells, dtype=dtype)
    except UnicodeEncodeError:
        return pl.Series(name, [clean_all(c) for c in cells], dtype=dtype)


def _fits(value: Any, dtype: pl.DataType) -> bool:
    """Whether a value is of the type; said here because polars converts values inside of lists and structs."""
    if value is None:
        return True
    if isinstance(dtype, pl.Struct):
        fields = {f.name: _instance(f.dtype) for f in dtype.fields}
        return (
            isinstance(value, dict)
            and value.keys() == fields.keys()
            and all(_fits(v, fields[k]) for k, v in value.items())
        )
    if isinstance(dtype, (pl.List, pl.Array)):
        inner = _instance(dtype.inner)
        if not isinstance(value, (list, tuple)):
            return False
        plain = not inner.is_nested() and not inner.is_integer()
        return all(_fits(v, inner) for v in ({type(v): v for v in value}.values() if plain else value))
    if isinstance(value, (bool, np.bool_)) or dtype == pl.Boolean:
        return isinstance(value, (bool, np.bool_)) and dtype.is_(pl.Boolean)
    if dtype.is_integer():
        return isinstance(value, (int, np.integer)) and -(2**63) <= int(value) < 2**64
    if dtype.is_float():
        return isinstance(value, (int, float, np.number))
    if dtype == pl.String:
        return isinstance(value, str)
    return not dtype.is_(pl.Null)


def from_records(records: Sequence[dict[str, Any]], schema: pl.Schema | None = None) -> pl.DataFrame:
    """Rows as a frame: each column gets the one type its values share, or `json`."""
    names = list(schema or {}) + [
        k for k in dict.fromkeys(k for r in records for k in r) if not schema or k not in schema
    ]
    types: Mapping[str, pl.DataType] = schema or {}
    columns = {n: infer_series(n, [r.get(n) for r in records], types.get(n)) for n in names}
    return pl.DataFrame(columns) if columns else pl.DataFrame(height=len(records))


def infer_series(name: str, cells: Sequence[Any], dtype: DataType | DataTypeClass | None = None) -> pl.Series:
    """Cells as a column of the given type where they fit it, else of the one type they share, else `json`."""
    if dtype is not None and dtype != pl.Null:
        try:
            return series(name, cells, dtype)
        except (TypeError, pl.exceptions.PolarsError, OverflowError):
            pass
    return series(name, cells, shared_type(cells))


def shared_type(cells: Iterable[Any]) -> pl.DataType:
    """The one type that all non-null cells have, or `json`; int and float together are not one type."""
    found: pl.DataType | None = None
    for cell in cells:
        if cell is None:
            continue
        kind = value_type(cell)
        found = kind if found is None else merge_types(found, kind)
        if found is JSON:
            return JSON
    return found if found is not None else pl.Null()


def merge_types(a: pl.DataType, b: pl.DataType) -> pl.DataType:
    """The type that holds values of both without changing any, or `json`."""
    if a == b or b == pl.Null:
        return a
    if a == pl.Null:
        return b
    if isinstance(a, pl.List) and isinstance(b, pl.List):
        inner = merge_types(_instance(a.inner), _instance(b.inner))
        return JSON if inner is JSON else pl.List(inner)
    if isinstance(a, pl.Struct) and isinstance(b, pl.Struct) and _names(a) == _names(b):
        merged = [
            merge_types(_instance(x.dtype), _instance(y.dtype))
            for x, y in zip(a.fields, b.fields, strict=True)
        ]
        return JSON if JSON in merged else pl.Struct(dict(zip(_names(a), merged, strict=True)))
    return JSON


def _names(struct: pl.Struct) -> list[str]:
    return [f.name for f in struct.fields]


def _instance(dtype: DataType | DataTypeClass) -> pl.DataType:
    return dtype() if isinstance(dtype, type) else dtype


def value_type(value: Any) -> pl.DataType:
    """The column type of one non-null value, `json` where no Arrow type holds it exactly."""
    if isinstance(value, str):
        return JSON if not value.isascii() and _lone(value) else pl.String()
    if isinstance(value, (bool, np.bool_)):
        return pl.Boolean()
    if isinstance(value, (int, np.integer)):
        return pl.Int64() if -(2**63) <= value < 2**63 else JSON
    if isinstance(value, np.float32):
        return pl.Float32()
    if isinstance(value, (float, np.floating)):
        return pl.Float64()
    if isinstance(value, np.ndarray) and value.ndim == 1:
        return pl.List(pl.Series(value[:1]).dtype)
    if isinstance(value, (list, tuple)):
        inner = shared_type(value)
        return JSON if inner is JSON else pl.List(inner)
    if (
        isinstance(value, dict)
        and value
        and all(isinstance(k, str) and (k.isascii() or not _lone(k)) for k in value)
    ):
        fields = {k: pl.Null() if v is None else value_type(v) for k, v in value.items()}
        return JSON if JSON in fields.values() else pl.Struct(fields)
    return JSON


def numbered(frame: pl.DataFrame, first: int = 0) -> pl.DataFrame:
    """The frame with fresh row ids, counted from `first`."""
    ids = pl.int_range(first, first + frame.height, eager=True).cast(pl.String).alias(ROW)
    return frame.drop(ROW, strict=False).insert_column(0, ids)


def visible(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame as users see it, without row ids and what operators noted for each other."""
    return forget(frame).drop(ROW, strict=False)


def noted(column: str, what: str) -> str:
    """The name of a column in which an operator notes something about another, for those that come after it."""
    return f"{_NOTED}{column}:{what}"


def forget(frame: pl.DataFrame, columns: Iterable[str] | None = None) -> pl.DataFrame:
    """The frame without what was noted about columns that have changed, or about any."""
    if not any(c.startswith(_NOTED) for c in frame.columns):
        return frame
    gone = (_NOTED,) if columns is None else tuple(noted(c, "") for c in columns)
    return frame.drop([c for c in frame.columns if c.startswith(gone)])


def records(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """The frame's rows as Python dicts, `json` columns parsed, row ids left out."""
    shown = visible(frame)
    if not shown.columns:
        return [{} for _ in range(frame.height)]
    columns = [values(shown[c]) for c in shown.columns]
    return [dict(zip(shown.columns, row, strict=True)) for row in zip(*columns, strict=True)]
