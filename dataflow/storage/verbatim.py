"""Rows that stay as they are in their JSONL files, and so need neither be made into lines again nor be read."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dataflow.core.errors import StorageError
from dataflow.core.frames import ROW, numbered, visible
from dataflow.storage.formats.jsonl import BLOCK
from dataflow.storage.formats.line_text import write_lines
from dataflow.storage.sidecar import Block
from dataflow.storage.tables import Scanned, Table

PART_ROWS = 50_000
PART_BYTES = 8 << 20
"""Of lines that are read for a part."""
_LINE_END = 10
_PIECES = 1000
"""Read by one call; Linux takes 1,024."""
_WITNESSES = 2
"""Kept rows of a part that are read, for the report shows a few."""

Rows = NDArray[Any]


class Verbatim:
    """The rows of a source as lines, by their numbers: its files end to end, none compressed."""

    def __init__(self, tables: Sequence[Table], parse: Callable[[bytes, int], pl.DataFrame]) -> None:
        """
        Args:
            tables: of files on this machine; all of their blocks hold what we would write of their rows.
            parse: makes rows of some of these lines, of which it is told how many they are.
        """
        self._blocks = [(t.file, block) for t in tables for block in t.blocks if t.file]
        self._bounds = [t.bounds.get(block.offset) for t in tables for block in t.blocks if t.file]
        self._parse = parse
        self._first = np.cumsum([0, *(block.rows for _, block in self._blocks)])
        self._size = max(1, sum(block.length for _, block in self._blocks) / max(1, self._first[-1]))
        self.rows_a_block = max(1, int(BLOCK / self._size))

    def write(self, frame: pl.DataFrame, to: io.BytesIO) -> None:
        """Write the lines of rows that have the numbers of their lines as ids; out of order they are made anew.

        Raises:
            StorageError: a file is not what it was when it was looked through.
        """
        rows = frame[ROW].cast(pl.Int64).to_numpy()
        if (np.diff(rows) <= 0).any():
            write_lines(visible(frame), to)
            return
        self._copy(rows, to)

    def parts(self, kept: Rows, told: Sequence[int]) -> Iterator[tuple[int, int, pl.DataFrame]]:
        """All rows, a part at a time: its number, its first row, and a frame that has only the cells of rows to be looked at.

        Args:
            kept: the rows kept, ascending; the cells of others are there.
            told: further rows whose cells are to be there.
        """
        height = int(self._first[-1])
        wanted = np.ones(height, np.bool_)
        wanted[kept] = False
        wanted[np.asarray([row for row in told if row >= 0], np.int64)] = True
        for part, (first, last) in enumerate(pairwise(self._parts(wanted))):
            bounds = np.searchsorted(kept, [first, last])
            wanted[kept[bounds[0] : bounds[1]][:_WITNESSES]] = True
            rows = np.flatnonzero(wanted[first:last])
            self._copy(rows + first, lines := io.BytesIO())
            seen = self._parse(lines.getvalue(), len(rows))
            at = np.full(last - first, len(rows))
            at[rows] = np.arange(len(rows))
            yield part, first, numbered(pl.concat([seen, seen.clear(1)])[at], first)

    def _parts(self, wanted: Rows) -> list[int]:
        """Where parts begin, and the last ends, so that each has about as many rows to be read as its bytes allow; one part at least."""
        most, counts = max(1, int(PART_BYTES / self._size)), np.cumsum(wanted)
        bounds = [0]
        while bounds[-1] < len(wanted) or len(bounds) == 1:
            first = bounds[-1]
            before = counts[first - 1] if first else 0
            full = int(np.searchsorted(counts, before + most)) + 1
            bounds.append(min(full, first + PART_ROWS, len(wanted)))
        return bounds

    def bare(self, rows: Rows) -> Iterator[pl.DataFrame]:
        """Ascending rows with their ids and without their cells, which is what `write` asks for; one frame at least."""
        nothing = self._parse(b"", 0)
        for first in range(0, max(1, len(rows)), PART_ROWS):
            some = rows[first : first + PART_ROWS]
            ids = pl.Series(ROW, some, dtype=pl.Int64).cast(pl.String)
            yield nothing.clear(len(some)).insert_column(0, ids)

    def _copy(self, rows: Rows, to: io.BytesIO) -> None:
        """Add the lines of ascending rows."""
        for file, begins, ends in self._spans(rows):
            _scatter(file, begins, ends, to)

    def _spans(self, rows: Rows) -> Iterator[tuple[io.FileIO, Rows, Rows]]:
        """Where the lines of ascending rows begin and end, neighbours together, a block of a file at a time."""
        at = 0
        while at < len(rows):
            number = int(np.searchsorted(self._first, rows[at], "right")) - 1
            end = int(np.searchsorted(rows, self._first[number + 1]))
            scanned, block = self._blocks[number]
            with scanned.path.open("rb", buffering=0) as file:
                if scanned != Scanned.of(scanned.path):
                    raise StorageError(f"{scanned.path} has changed since it was looked through")
                bounds = self._bounds[number]
                if bounds is None:
                    bounds = self._bounds[number] = _bounds(file, block)
                here = rows[at:end] - self._first[number]
                breaks = np.flatnonzero(np.diff(here) != 1) + 1
                begins, ends = here[np.append(0, breaks)], here[np.append(breaks, len(here)) - 1] + 1
                yield (
                    file,
                    block.offset + bounds[begins].astype(np.int64),
                    block.offset + bounds[ends].astype(np.int64),
                )
            at = end


def _bounds(file: io.FileIO, block: Block) -> Rows:
    """Where each line of a block begins, and where the last ends."""
    data = np.frombuffer(_read(file, block.offset, block.length), np.uint8)
    bounds = np.append(0, np.flatnonzero(data == _LINE_END) + 1)
    if len(bounds) != block.rows + 1 or bounds[-1] != block.length:
        raise StorageError(f"{file.name} has changed: where {block.rows} lines were are others now")
    return bounds.astype(np.uint32)


def _scatter(file: io.FileIO, begins: Rows, ends: Rows, to: io.BytesIO) -> None:
    """Add spans of a file, which ascend: the system brings each to its place, and what lies between to where nobody looks."""
    at, lengths, gaps = to.tell(), ends - begins, begins[1:] - ends[:-1]
    size = int(lengths.sum())
    to.seek(at + size - 1)
    to.write(b"\n")  # makes room
    with to.getbuffer() as whole, memoryview(bytearray(int(gaps.max(initial=0)))) as between:
        places = [at, *(at + np.cumsum(lengths)).tolist()]
        pieces = [whole[places[0] : places[1]]]
        for gap, (begin, past) in zip(gaps.tolist(), pairwise(places[1:]), strict=True):
            pieces += between[:gap], whole[begin:past]
        here = int(begins[0])
        for first in range(0, len(pieces), _PIECES):
            some = pieces[first : first + _PIECES]
            wanted = sum(map(len, some))
            if os.preadv(file.fileno(), some, here) != wanted:
                raise StorageError(f"{file.name} has changed: it has become shorter while it was read")
            here += wanted


def _read(file: io.FileIO, offset: int, length: int) -> bytes:
    file.seek(offset)
    return file.read(length)
