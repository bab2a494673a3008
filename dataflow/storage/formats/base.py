"""What a file format is to the rest of the storage."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import polars as pl

from dataflow.core.errors import StorageError
from dataflow.core.frames import is_json
from dataflow.storage.shapes import table
from dataflow.storage.sidecar import Block, Known
from dataflow.storage.stored import applied, converted, stored
from dataflow.storage.tables import Table


class Format(ABC):
    """One kind of file: how to look through it, and how to write it."""

    suffixes: tuple[str, ...] = ()
    compresses: ClassVar[bool] = False
    """Whether the name may go on with .gz or .zst."""
    remembers: ClassVar[bool] = False
    """Whether a side file keeps the column types, which the format cannot hold."""

    @abstractmethod
    def scan(self, path: Path, compression: str, known: Known | None) -> Table:
        """Look through the file once.

        Args:
            known: what its side file says; then the look is not needed.

        Raises:
            StorageError: the file is not of this format.
        """

    @abstractmethod
    def write(
        self, path: Path, compression: str, frames: Iterator[pl.DataFrame], schema: pl.Schema
    ) -> list[Block]:
        """Write all frames, which have exactly that schema; a JSONL file tells where its blocks lie.

        Raises:
            StorageError: the format cannot hold a column.
        """


def as_stored(column: pl.Series) -> pl.Series:
    """The column in a form that JSON holds; a `json` column stays what it is."""
    if is_json(column.dtype):
        return column
    plain = stored(column.dtype, column.name)
    return column if plain == column.dtype else applied(column, lambda c: converted(c, column.dtype, plain))


def flattened(frame: pl.DataFrame) -> pl.DataFrame:
    """The same for formats of plain cells: lists, structs and `json` cells become JSON text."""
    return table([_flat(as_stored(column)) for column in frame.get_columns()], frame.height)


def _flat(column: pl.Series) -> pl.Series:
    if is_json(column.dtype):
        return column.ext.storage()
    if not isinstance(column.dtype, (pl.List, pl.Struct)):
        return column
    texts = column.alias("c").to_frame().to_struct().struct.json_encode().alias(column.name)
    bare = applied(texts, lambda c: c.str.strip_prefix('{"c":').str.strip_suffix("}"))
    return bare.set(column.is_null(), None)


def restored(frame: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    """The columns that `flattened` made, under the types of the schema again; missing ones are null.

    Raises:
        StorageError: a cell is not of its column's type.
    """
    nulls = pl.Series([None] * frame.height, dtype=pl.Null)
    try:
        columns = [_unflat(frame[n] if n in frame.columns else nulls.alias(n), d) for n, d in schema.items()]
    except pl.exceptions.PolarsError as e:
        raise StorageError(f"a cell is not of its column's type: {e}") from e
    return table(columns, frame.height)


def _unflat(column: pl.Series, dtype: pl.DataType) -> pl.Series:
    if is_json(dtype):
        return column.cast(pl.String).ext.to(dtype)
    if column.dtype != pl.String:
        return applied(column, lambda c: converted(c, column.dtype, dtype))
    plain = stored(dtype, column.name)
    if isinstance(plain, (pl.List, pl.Struct)):
        made = column.str.json_decode(plain)
    elif plain == pl.Boolean:
        made = applied(column, lambda c: pl.when(c.is_not_null()).then(c.str.to_lowercase() == "true"))
    else:
        made = column.cast(plain)
    return applied(made, lambda c: converted(c, plain, dtype))
