"""Between the tables of a storage and what users hold: lists of dicts, pandas and polars frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from dataflow.core.errors import ConfigError, MissingDependency, StorageError
from dataflow.core.frames import is_json, records, values, visible
from dataflow.storage.shapes import build, frame_of, settle, table

if TYPE_CHECKING:
    import pandas as pd

OutputType = Literal["dataframe", "dict", "polars"]
_NULLABLE = {"Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64"}


def given(frame: pl.DataFrame, output_type: str) -> Any:
    """The frame as a pandas frame (`dataframe`), a list of dicts (`dict`), or itself (`polars`).

    Raises:
        ConfigError: any other output type.
        MissingDependency: pandas is asked for and not installed.
    """
    if output_type == "dict":
        return records(frame)
    if output_type == "polars":
        return visible(frame)
    if output_type == "dataframe":
        return to_pandas(visible(frame))
    raise ConfigError(f"output_type={output_type!r} is unknown; there are 'dataframe', 'dict' and 'polars'")


def taken(data: Any, hint: pl.Schema | None = None) -> pl.DataFrame:
    """What a user writes, as a frame: a list of dicts, a pandas frame or a polars frame.

    Args:
        hint: the types the columns had when they were read.

    Raises:
        StorageError: it is none of these, or a column has no name that a table can hold.
    """
    if isinstance(data, (pl.DataFrame, pl.LazyFrame)):
        return visible(data.lazy().collect())
    if type(data).__module__.partition(".")[0] == "pandas" and hasattr(data, "columns"):
        return from_pandas(data, hint)
    if isinstance(data, dict):
        return frame_of([data], hint)
    if isinstance(data, Sequence) and all(isinstance(row, dict) for row in data):
        return frame_of(data, hint)
    raise StorageError(
        f"a {type(data).__name__} is not a table; write a list of dicts, a pandas or a polars frame"
    )


def to_pandas(frame: pl.DataFrame) -> pd.DataFrame:
    """A pandas frame with text, lists and `json` cells as Python objects, None where a cell is null.

    Whole numbers and truth values with nulls become pandas' nullable types; floats have NaN there.
    """
    try:
        import pandas as pd
    except ImportError as e:
        raise MissingDependency("pandas", "pandas", 'read("dataframe")') from e
    columns = {name: _pandas_column(frame[name], pd) for name in frame.columns}
    return pd.DataFrame(
        columns, index=pd.RangeIndex(frame.height), columns=pd.Index(frame.columns, dtype=object)
    )


def _pandas_column(column: pl.Series, pd: Any) -> Any:
    dtype = column.dtype
    if not is_json(dtype):
        if dtype.is_integer() and type(dtype).__name__ in _NULLABLE and column.null_count():
            return pd.array(column.to_list(), dtype=type(dtype).__name__)
        if dtype == pl.Boolean and column.null_count():
            return pd.array(column.to_list(), dtype="boolean")
        if (
            dtype.is_float()
            or dtype == pl.Boolean
            or (dtype.is_integer() and type(dtype).__name__ in _NULLABLE)
        ):
            return column.to_numpy()
        if isinstance(dtype, pl.Datetime):
            return _times(column, dtype, pd)
    cells = np.empty(len(column), dtype=object)
    cells[:] = values(column)
    return pd.Series(cells, dtype=object)


def _times(column: pl.Series, dtype: pl.Datetime, pd: Any) -> Any:
    if dtype.time_zone is None:
        return column.to_numpy()
    utc = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None).to_numpy()
    return pd.Series(utc).dt.tz_localize("UTC").dt.tz_convert(dtype.time_zone)


def from_pandas(frame: pd.DataFrame, hint: pl.Schema | None = None) -> pl.DataFrame:
    """A frame of the same cells; NaN, NaT and NA are null, arrays are lists. The index is left out."""
    names = [str(c) for c in frame.columns]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise StorageError(
            f"the frame names {', '.join(map(repr, twice))} more than once; rename the columns"
        )
    hints = dict(hint or {})
    columns = [_polars_column(n, frame.iloc[:, at], hints.get(n)) for at, n in enumerate(names)]
    return table(columns, len(frame))


def _polars_column(name: str, column: Any, hint: pl.DataType | None) -> pl.Series:
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iufbM":
        made = pl.Series(name, column.to_numpy(), nan_to_null=True)
        same = hint is not None and made.null_count() == len(made)
        return build(name, [None] * len(made), hint) if same and hint is not None else made
    return settle(name, [_cell(c) for c in column.tolist()], hint)


def _cell(cell: Any) -> Any:
    """The cell as a Python value, null for the several nothings of pandas."""
    if isinstance(cell, (str, list, dict)):
        return cell
    if type(cell).__name__ in ("NaTType", "NAType") or (
        isinstance(cell, (float, np.floating)) and cell != cell
    ):
        return None
    return cell.to_pydatetime(warn=False) if hasattr(cell, "to_pydatetime") else cell
