"""CSV and TSV: all cells are text. Empty is null, and a quoted "" is the empty text.

A column becomes whole numbers, numbers or truth values only if writing them back gives the same text in every
cell that is not null: `007`, `+1`, `1.50`, `1e5` and dates stay text. A blank line is a row of nulls.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import polars as pl

from dataflow.core.errors import StorageError
from dataflow.storage.atomic import reading, writing
from dataflow.storage.formats.base import Format, flattened, restored
from dataflow.storage.sidecar import Block, Known
from dataflow.storage.stored import conform
from dataflow.storage.tables import Table

_GUESSES: tuple[pl.DataType, ...] = (pl.Int64(), pl.Float64(), pl.Boolean())


class Csv(Format):
    compresses: ClassVar[bool] = True
    remembers: ClassVar[bool] = True

    def __init__(self, separator: str = ",", suffixes: tuple[str, ...] = (".csv",)) -> None:
        self.separator, self.suffixes = separator, suffixes

    def scan(self, path: Path, compression: str, known: Known | None) -> Table:
        names = self._header(path, compression)
        schema, height = (known.schema, known.rows) if known else self._guess(path, names)

        def chunks(first: int, wanted: pl.Schema) -> Iterator[pl.DataFrame]:
            for texts in self._texts(path, names, first):
                yield conform(restored(texts, schema if known else wanted), wanted)

        return Table(schema, height, chunks, typed=known is not None)

    def write(
        self, path: Path, compression: str, frames: Iterator[pl.DataFrame], schema: pl.Schema
    ) -> list[Block]:
        with writing(path, compression) as handle:
            if len(schema):
                csv.writer(text := io.StringIO(), delimiter=self.separator, lineterminator="\n").writerow(
                    schema
                )
                handle.write(text.getvalue().encode())
            for frame in frames:
                handle.write(
                    flattened(frame).write_csv(None, separator=self.separator, include_header=False).encode()
                )
        return []

    def _header(self, path: Path, compression: str) -> list[str]:
        with reading(path, compression) as handle:
            lines = io.TextIOWrapper(handle, encoding="utf-8-sig", newline="")
            try:
                names = next(csv.reader(lines, delimiter=self.separator), [])
            except (UnicodeDecodeError, csv.Error) as e:
                raise StorageError(f"{path}: not UTF-8 text with a header: {e}") from e
            lines.detach()
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise StorageError(
                f"{path}: the header names {', '.join(map(repr, twice))} more than once; rename the columns"
            )
        return names

    def _texts(self, path: Path, names: list[str], first: int = 0) -> Iterator[pl.DataFrame]:
        if not names:
            return
        scan = pl.scan_csv(path, separator=self.separator, infer_schema=False, glob=False).slice(first)
        try:
            for frame in scan.collect_batches(chunk_size=16384, maintain_order=True, lazy=True):
                yield frame.rename(dict(zip(frame.columns, names, strict=True)))
        except pl.exceptions.PolarsError as e:
            raise StorageError(f"{path}: cannot be read as UTF-8 text in {len(names)} columns: {e}") from e

    def _guess(self, path: Path, names: list[str]) -> tuple[pl.Schema, int]:
        left, empty, height = {n: list(_GUESSES) for n in names}, set(names), 0
        for frame in self._texts(path, names):
            height += frame.height
            empty -= {n for n in names if frame[n].null_count() < frame.height}
            for name in names:
                left[name] = [guess for guess in left[name] if writes_back(frame[name], guess)]
        types = {n: pl.Null() if n in empty else next(iter(left[n]), pl.String()) for n in names}
        return pl.Schema(types), height


def writes_back(texts: pl.Series, guess: pl.DataType) -> bool:
    """Whether all texts are the ones that values of that type are written as."""
    if guess == pl.Boolean:
        return bool(texts.drop_nulls().is_in(["true", "false"]).all())
    made = texts.cast(guess, strict=False)
    if guess == pl.Float64 and not made.is_finite().all():
        return False
    return made.cast(pl.String).equals(texts)
