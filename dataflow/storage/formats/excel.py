"""XLSX, the first sheet. Read as a whole; numbers that Excel would round are kept as text, restored by the side file."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from dataflow.core.errors import MissingDependency, StorageError
from dataflow.storage.formats.base import Format, flattened, restored
from dataflow.storage.sidecar import Block, Known
from dataflow.storage.tables import Table, whole

MAX_CHARS = 32_767
MAX_ROWS = 1_048_575
_EXACT = 2**53


class Excel(Format):
    suffixes = (".xlsx",)
    remembers: ClassVar[bool] = True

    def scan(self, path: Path, compression: str, known: Known | None) -> Table:
        _need("fastexcel", "reading .xlsx")

        def load() -> pl.DataFrame:
            sheet = _sheet(path)
            return restored(_padded(sheet, known.rows), known.schema) if known else sheet

        return whole(load(), load)

    def write(
        self, path: Path, compression: str, frames: Iterator[pl.DataFrame], schema: pl.Schema
    ) -> list[Block]:
        _need("xlsxwriter", "writing .xlsx")
        import xlsxwriter  # type: ignore[import-untyped]

        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        with xlsxwriter.Workbook(str(path), options) as book:
            sheet, row = book.add_worksheet("data"), 0
            _write_row(sheet, 0, schema, schema)
            for frame in frames:
                for cells in _cells(frame).iter_rows():
                    row += 1
                    _write_row(sheet, row, schema, cells)
        return []


def _need(package: str, purpose: str) -> None:
    if find_spec(package) is None:
        raise MissingDependency(package, "excel", purpose)


def _padded(sheet: pl.DataFrame, rows: int) -> pl.DataFrame:
    """The sheet with the rows of nulls at its end, which Excel does not keep."""
    empty = pl.DataFrame(height=max(rows - sheet.height, 0))
    return pl.concat([sheet, empty.with_columns(pl.lit(None, d).alias(n) for n, d in sheet.schema.items())])


def _sheet(path: Path) -> pl.DataFrame:
    import fastexcel

    try:
        return pl.read_excel(
            path, drop_empty_rows=False, drop_empty_cols=False, infer_schema_length=None, raise_if_empty=False
        )
    except (fastexcel.FastExcelError, pl.exceptions.PolarsError) as e:
        raise StorageError(f"{path}: cannot be read as an Excel workbook: {e}") from e


def _cells(frame: pl.DataFrame) -> pl.DataFrame:
    """Plain cells; whole numbers beyond 2**53, NaN and infinity as text."""
    flat = flattened(frame)
    return flat.with_columns(c.cast(pl.String) for c in flat.get_columns() if _rounds(c))


def _rounds(column: pl.Series) -> bool:
    if column.dtype.is_float():
        return not column.is_finite().all()
    return column.dtype.is_integer() and bool((column.cast(pl.Int128).abs() > _EXACT).any())


def _write_row(sheet: Any, row: int, names: Any, cells: Any) -> None:
    if row > MAX_ROWS:
        raise StorageError(f"an Excel sheet holds {MAX_ROWS:,} rows; write parquet or jsonl instead")
    for at, (name, cell) in enumerate(zip(names, cells, strict=True)):
        if isinstance(cell, str) and len(cell.encode("utf-16-le")) > 2 * MAX_CHARS:
            raise StorageError(
                f"row {row}, column {name!r}: a text of {len(cell):,} characters, where an Excel cell holds "
                f"{MAX_CHARS:,}; write parquet or jsonl instead"
            )
        _put = {str: sheet.write_string, bool: sheet.write_boolean}.get(type(cell), sheet.write_number)
        if cell is not None:
            _put(row, at, cell)
