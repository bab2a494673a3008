"""JSON: an array of objects, or one object. Read as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from dataflow.core.errors import StorageError
from dataflow.core.frames import loads
from dataflow.storage.atomic import reading, writing
from dataflow.storage.formats.base import Format
from dataflow.storage.formats.jsonl import BOM
from dataflow.storage.formats.line_text import lines
from dataflow.storage.shapes import build_parsed, frame_of, table
from dataflow.storage.sidecar import Block, Known
from dataflow.storage.stored import conform, stored
from dataflow.storage.tables import Table, whole


class Json(Format):
    suffixes = (".json",)
    compresses: ClassVar[bool] = True
    remembers: ClassVar[bool] = True

    def scan(self, path: Path, compression: str, known: Known | None) -> Table:
        def load() -> pl.DataFrame:
            rows = _rows(path, compression)
            return _typed(rows, known.schema) if known else frame_of(rows)

        return whole(load(), load)

    def write(
        self, path: Path, compression: str, frames: Iterator[pl.DataFrame], schema: pl.Schema
    ) -> list[Block]:
        with writing(path, compression) as handle:
            start = b"[\n"
            for text in filter(None, map(lines, frames)):
                handle.write(start + text[:-1].replace(b"\n", b",\n"))
                start = b",\n"
            handle.write(b"\n]\n" if start == b",\n" else b"[]\n")
        return []


def _rows(path: Path, compression: str) -> list[dict[str, Any]]:
    with reading(path, compression) as handle:
        data = handle.read().removeprefix(BOM)
    try:
        made = loads(data.decode())
    except (ValueError, RecursionError) as e:
        raise StorageError(f"{path}: not JSON: {e}") from e
    rows = [made] if isinstance(made, dict) else made
    if not isinstance(rows, list) or not all(isinstance(r, dict) for r in rows):
        raise StorageError(
            f"{path}: neither an array of objects nor one object; name it .jsonl if it holds one object a line"
        )
    return rows


def _typed(rows: list[dict[str, Any]], schema: pl.Schema) -> pl.DataFrame:
    columns = [build_parsed(n, [r.get(n) for r in rows], stored(d, n)) for n, d in schema.items()]
    return conform(table(columns, len(rows)), schema)
