"""How columns that a text format does not know are held in it: times as ISO text, decimals as text, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from dataflow.core.errors import StorageError
from dataflow.core.frames import JSON, is_json, series, values
from dataflow.storage.shapes import table

_AS_TEXT = (
    pl.Date,
    pl.Time,
    pl.Datetime,
    pl.Decimal,
    pl.Categorical,
    pl.Enum,
    pl.UInt64,
    pl.Int128,
    pl.UInt128,
)
_ISO = "%Y-%m-%dT%H:%M:%S%.f"


def stored(dtype: Any, column: str) -> pl.DataType:
    """The type under which JSON holds a column of that type.

    Raises:
        StorageError: JSON cannot hold it: bytes, Python objects.
    """
    if is_json(dtype):
        return JSON
    if isinstance(dtype, (pl.List, pl.Array)):
        return pl.List(stored(dtype.inner, column))
    if isinstance(dtype, pl.Struct):
        return pl.Struct({f.name: stored(f.dtype, column) for f in dtype.fields})
    if dtype in (pl.Binary, pl.Object, pl.Unknown):
        raise StorageError(
            f"column {column!r} holds {dtype}, which this format cannot; write parquet or arrow instead"
        )
    if dtype in _AS_TEXT:
        return pl.String()
    if dtype == pl.Duration or dtype.is_integer():
        return pl.Int64()
    return pl.Float32() if dtype == pl.Float16 else dtype() if isinstance(dtype, type) else dtype


def converted(expr: pl.Expr, have: Any, want: Any) -> pl.Expr:
    """The same values under another type: to what `stored` names, and back.

    A cell that is not of the type wanted raises a polars error where the expression runs.
    """
    if have == want:
        return expr
    if isinstance(have, pl.List) and isinstance(want, pl.List):
        return expr.list.eval(converted(pl.element(), have.inner, want.inner))
    if isinstance(have, pl.Array) or isinstance(want, pl.Array):
        return _through_list(expr, have, want)
    if isinstance(have, pl.Struct) and isinstance(want, pl.Struct):
        return _fields(expr, have, want)
    if want == pl.String and have.is_temporal():
        return expr.dt.to_string("iso:strict")
    if have == pl.String and want.is_temporal():
        return _parsed(expr, want)
    return expr.cast(want)


def _through_list(expr: pl.Expr, have: Any, want: Any) -> pl.Expr:
    lists = [pl.List(d.inner) for d in (have, want)]
    return converted(expr.cast(lists[0]), *lists).cast(want)


def _fields(expr: pl.Expr, have: pl.Struct, want: pl.Struct) -> pl.Expr:
    types = {f.name: f.dtype for f in have.fields}
    made = [converted(expr.struct.field(f.name), types[f.name], f.dtype).alias(f.name) for f in want.fields]
    return pl.when(expr.is_not_null()).then(pl.struct(made))


def _parsed(expr: pl.Expr, want: Any) -> pl.Expr:
    if want == pl.Date:
        return expr.str.to_date("%Y-%m-%d")
    if want == pl.Time:
        return expr.str.to_time("%H:%M:%S%.f")
    if want.time_zone is None:
        return expr.str.to_datetime(_ISO, time_unit=want.time_unit)
    return expr.str.to_datetime(_ISO + "%:z", time_unit=want.time_unit).dt.convert_time_zone(want.time_zone)


def applied(column: pl.Series, make: Callable[[pl.Expr], pl.Expr]) -> pl.Series:
    """An expression over one column, whose name may be one that polars takes for a pattern: `*`, `^…$`."""
    return column.alias("c").to_frame().select(make(pl.col("c")).alias("c")).to_series().alias(column.name)


def conform(frame: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    """The frame with exactly the columns of the schema: missing ones null, others under the wider type.

    Raises:
        StorageError: a column cannot be brought to its type.
    """
    if frame.schema == schema:
        return frame
    try:
        return table([_fit(frame, name, dtype) for name, dtype in schema.items()], frame.height)
    except (pl.exceptions.PolarsError, TypeError) as e:
        raise StorageError(f"the rows do not fit their columns: {e}") from e


def _fit(frame: pl.DataFrame, name: str, dtype: pl.DataType) -> pl.Series:
    if name not in frame.columns:
        return series(name, [None] * frame.height, dtype)
    column = frame[name]
    if column.dtype == dtype:
        return column
    if is_json(dtype) or column.dtype == pl.Null or is_json(column.dtype):
        return series(name, values(column), dtype)
    return applied(column, lambda c: converted(c, column.dtype, dtype))
