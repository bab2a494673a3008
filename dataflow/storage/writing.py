"""Writing a table, a frame at a time, so that it appears whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from dataflow.core.errors import StorageError
from dataflow.core.frames import ROW, visible
from dataflow.storage.atomic import replacing
from dataflow.storage.formats import format_of
from dataflow.storage.formats.jsonl import Jsonl
from dataflow.storage.sidecar import Known, remember
from dataflow.storage.stored import conform
from dataflow.storage.verbatim import Verbatim


def write_frames(
    path: str | Path, frames: Iterable[pl.DataFrame], schema: pl.Schema, lines: Verbatim | None = None
) -> int:
    """Write frames as one table and return the number of rows; the hidden row ids are left out.

    What was at `path` stays until the new table is complete and on the disk. A table of no rows keeps its columns.

    Args:
        lines: where the rows, by their ids, lie as lines, which a JSONL table need not have made again.

    Raises:
        StorageError: the format cannot hold a column, or a frame does not fit the schema.
    """
    path = Path(path)
    kind, compression = format_of(path)
    shown = pl.Schema({n: d for n, d in schema.items() if n != ROW})
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        if isinstance(kind, Jsonl) and lines is not None:
            counted = _Counted(frames, shown, with_ids=True)
            blocks = kind.write(temporary, compression, iter(counted), shown, lines)
        else:
            counted = _Counted(frames, shown, with_ids=False)
            blocks = kind.write(temporary, compression, iter(counted), shown)
    if kind.remembers:
        remember(path, Known(shown, counted.rows, tuple(blocks)))
    return counted.rows


class _Counted:
    """Frames on their way to a file."""

    def __init__(self, frames: Iterable[pl.DataFrame], schema: pl.Schema, *, with_ids: bool) -> None:
        self.frames, self.schema, self.with_ids, self.rows = frames, schema, with_ids, 0

    def __iter__(self) -> Iterator[pl.DataFrame]:
        for frame in self.frames:
            shown = visible(frame)
            surplus = [c for c in shown.columns if c not in self.schema]
            if surplus:
                raise StorageError(
                    f"columns {', '.join(map(repr, surplus))} are not in the schema of the table to write"
                )
            made = conform(shown, self.schema)
            self.rows += made.height
            yield made.select(frame[ROW], pl.all()) if self.with_ids else made
