"""A table that is written while its parts are still being made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from threading import Condition

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dataflow.core.frames import visible
from dataflow.storage.verbatim import Verbatim
from dataflow.storage.writing import write_frames

HELD = 4
"""Parts kept in memory for the writer; further ones it reads back when it gets there."""


class _Given(Exception):
    """The table is not wanted any more."""


class TrailingTable:
    """Writes parts in their order, whatever the order they come in, on a thread of its own.

    The table appears at its place only with `finish`; what was there stays until then.
    """

    def __init__(
        self, path: str | Path, read: Callable[[int], pl.DataFrame], lines: Verbatim | None = None
    ) -> None:
        """
        Args:
            read: gives back a part that is not held in memory.
            lines: where the rows lie as lines, if none of them is changed.
        """
        self._path, self._read, self.lines = path, read, lines
        self._ready: dict[int, pl.DataFrame | None] = {}
        self._rows: NDArray[np.int64] | None = None
        self._next, self._parts, self._gone = 0, -1, False
        self._news = Condition()
        self._pool = ThreadPoolExecutor(1, "dataflow-table")
        self._written = self._pool.submit(self._write)
        self._written.add_done_callback(lambda _: self._tell())

    def put(self, part: int, frame: pl.DataFrame | None = None) -> None:
        """Tell of a part that is made; a frame that is given is held in memory and not read back."""
        with self._news:
            if self._rows is None:
                self._ready[part] = frame
            self._news.notify_all()

    def copy(self, rows: NDArray[np.int64]) -> None:
        """Write the lines of these rows, which ascend; nothing else is needed of the parts, of which none was put yet."""
        with self._news:
            self._rows = rows
            self._news.notify_all()

    def is_near(self, part: int) -> bool:
        """Whether the writer will soon get to a part, so that it may as well be held in memory, or does without it."""
        return self._rows is not None or part < self._next + HELD

    def wait(self, part: int) -> None:
        """Until the writer is near a part, or will never get there; parts before it must have been put."""
        with self._news:
            self._news.wait_for(lambda: self.is_near(part) or self._written.done())

    def finish(self, parts: int) -> int:
        """Wait until all parts are written, and return the number of rows.

        Raises:
            StorageError: the format cannot hold a column, or parts do not fit each other.
        """
        with self._news:
            self._parts = parts
            self._news.notify_all()
        self._pool.shutdown()
        return self._written.result()

    def discard(self) -> None:
        """Leave what was there before."""
        with self._news:
            self._gone = True
            self._news.notify_all()
        self._pool.shutdown()

    def _write(self) -> int:
        frames = self._frames()
        first = next(frames)
        return write_frames(self._path, chain([first], frames), visible(first).schema, self.lines)

    def _frames(self) -> Iterator[pl.DataFrame]:
        yield from self._put()
        if self._rows is not None and self.lines is not None:
            for frame in self.lines.bare(self._rows):
                yield frame
                self._wait(lambda: True)
        self._wait(lambda: self._parts >= 0)

    def _put(self) -> Iterator[pl.DataFrame]:
        """The parts that are put, up to the last, or until it is known that none will be."""
        while True:
            self._wait(
                lambda: self._next in self._ready or self._next == self._parts or self._rows is not None
            )
            if self._next not in self._ready:
                return
            frame = self._ready.pop(self._next)
            yield self._read(self._next) if frame is None else frame
            self._next += 1
            self._tell()

    def _wait(self, news: Callable[[], bool]) -> None:
        """Until something is so; an error where the table is not wanted any more."""
        with self._news:
            self._news.wait_for(lambda: self._gone or news())
            if self._gone:
                raise _Given

    def _tell(self) -> None:
        with self._news:
            self._news.notify_all()
