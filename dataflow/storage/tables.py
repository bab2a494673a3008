"""What a format tells of a file once it has been looked through, and the sizes in which rows are passed on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dataflow.storage.sidecar import Block
from dataflow.storage.stored import conform

KEPT = 1000
CLIP = 200


@dataclass(frozen=True)
class BadLine:
    """A line of a JSONL file that is no row."""

    file: str
    line: int
    """Counted from 1."""
    reason: str
    text: str
    """The line's first 200 characters."""


@dataclass
class BadLines:
    """The lines set aside: all counted, the first 1,000 kept."""

    count: int = 0
    kept: list[BadLine] = field(default_factory=list)

    def add(self, file: str, line: int, reason: str, raw: bytes) -> None:
        self.count += 1
        if len(self.kept) < KEPT:
            text = raw[: 4 * CLIP].decode("utf-8", "replace")[:CLIP]
            self.kept.append(BadLine(file, line, reason, text))


class Scanned(NamedTuple):
    """A file as it was when it was looked through."""

    path: Path
    size: int
    changed_ns: int

    @classmethod
    def of(cls, path: Path) -> Scanned:
        stat = path.stat()
        return cls(path, stat.st_size, stat.st_mtime_ns)


@dataclass(frozen=True)
class Table:
    """One file, looked through: what it holds, and how to read it."""

    schema: pl.Schema
    height: int
    chunks: Callable[[int, pl.Schema], Iterator[pl.DataFrame]]
    """Frames of any size from a row number on, with the columns of a schema: those of this one that it has, others null."""
    bad: BadLines = field(default_factory=BadLines)
    typed: bool = True
    """False where all is text in the file, and the types are guesses."""
    file: Scanned | None = None
    """Null where it does not lie on this machine."""
    blocks: tuple[Block, ...] = ()
    """Where the lines of a JSONL file that is not compressed lie."""
    bounds: Mapping[int, NDArray[np.uint32]] = field(default_factory=dict)
    """Where each line of such a block begins and the last ends, by the block's offset, of those of which it is known."""


def whole(frame: pl.DataFrame, load: Callable[[], pl.DataFrame]) -> Table:
    """A table of a format that is only read as a whole; the frame is let go and loaded again when it is read."""

    def chunks(first: int, schema: pl.Schema) -> Iterator[pl.DataFrame]:
        yield conform(load().slice(first), schema)

    return Table(frame.schema, frame.height, chunks)


def rebatched(frames: Iterable[pl.DataFrame], rows: int) -> Iterator[pl.DataFrame]:
    """The same rows in frames of exactly `rows`; the last may be shorter."""
    waiting: list[pl.DataFrame] = []
    held = 0
    for frame in frames:
        waiting.append(frame)
        held += frame.height
        if held >= rows:
            joined = pl.concat(waiting)
            full = held - held % rows
            yield from (joined.slice(at, rows) for at in range(0, full, rows))
            rest = joined.slice(full)
            waiting, held = ([rest], rest.height) if rest.height else ([], 0)
    if held:
        yield pl.concat(waiting)
