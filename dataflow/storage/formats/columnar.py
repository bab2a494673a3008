"""Parquet and Arrow IPC: they know their types, and are read a slice at a time."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from polars.selectors import by_name

from dataflow.core.errors import StorageError
from dataflow.storage.formats.base import Format
from dataflow.storage.sidecar import Block, Known
from dataflow.storage.stored import conform
from dataflow.storage.tables import Table

SPOOL = 64 << 20
"""Bytes of frames gathered in memory before they are put aside on the disk."""
READ = 8192
"""Rows asked of polars at a time."""


class Columnar(Format):
    """A format that polars scans."""

    @abstractmethod
    def lazy(self, path: Path) -> pl.LazyFrame: ...

    @abstractmethod
    def save(self, table: pl.LazyFrame, path: Path) -> None: ...

    def scan(self, path: Path, compression: str, known: Known | None) -> Table:
        try:
            schema = self.lazy(path).collect_schema()
            height = int(self.lazy(path).select(pl.len()).collect().item())
        except pl.exceptions.PolarsError as e:
            raise StorageError(f"{path}: cannot be read: {e}") from e

        def chunks(first: int, wanted: pl.Schema) -> Iterator[pl.DataFrame]:
            # without any column there would be no rows
            read = [n for n in schema if n in wanted] or list(schema)[:1]
            rows = self.lazy(path).select(by_name(*read)).slice(first)
            for frame in rows.collect_batches(chunk_size=READ, maintain_order=True, lazy=True):
                yield conform(frame, wanted)

        return Table(schema, height, chunks)

    def write(
        self, path: Path, compression: str, frames: Iterator[pl.DataFrame], schema: pl.Schema
    ) -> list[Block]:
        """Frames beyond what memory should hold are put aside as Arrow files and joined at the end.

        polars could pull frames from Python while it writes, but a generator that itself runs polars may then
        wait for the very threads that wait for it.
        """
        gathered = _gathered(frames)
        first = next(gathered, pl.DataFrame(schema=schema))
        second = next(gathered, None)
        if second is None:
            self.save(first.lazy(), path)
            return []
        with TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
            parts = [
                _put_aside(f, Path(folder, f"{i:06}.arrow"))
                for i, f in enumerate(chain([first, second], gathered))
            ]
            self.save(pl.scan_ipc(parts), path)
        return []


def _put_aside(frame: pl.DataFrame, part: Path) -> Path:
    frame.write_ipc(part, compression="lz4")
    return part


def _gathered(frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    waiting: list[pl.DataFrame] = []
    held = 0
    for frame in frames:
        waiting.append(frame)
        held += int(frame.estimated_size())
        if held >= SPOOL:
            yield pl.concat(waiting)
            waiting, held = [], 0
    if waiting:
        yield pl.concat(waiting)


class Parquet(Columnar):
    suffixes = (".parquet",)

    def lazy(self, path: Path) -> pl.LazyFrame:
        return pl.scan_parquet(path, glob=False)

    def save(self, table: pl.LazyFrame, path: Path) -> None:
        table.sink_parquet(path, compression_level=1, row_group_size=65536)


class Arrow(Columnar):
    suffixes = (".arrow", ".feather", ".ipc")

    def lazy(self, path: Path) -> pl.LazyFrame:
        return pl.scan_ipc(path, glob=False)

    def save(self, table: pl.LazyFrame, path: Path) -> None:
        table.sink_ipc(path, record_batch_size=65536)
