"""A pipeline's tables in memory, written when asked for or at exit."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import RLock
from typing import Any

import polars as pl

from dataflow.core.errors import MissingSource
from dataflow.storage.files import FileStorage
from dataflow.storage.source import FileSource, FrameSource
from dataflow.storage.writing import write_frames


class _Held:
    """The tables in memory, shared by all steps of one storage."""

    def __init__(self, path_of: Callable[[int], str], all_steps: bool) -> None:
        self.path_of, self.all_steps = path_of, all_steps
        self.frames: dict[int, pl.DataFrame] = {}
        self.unsaved: set[int] = set()
        self.read: set[int] = set()
        self.lock = RLock()

    def keep(self, step: int, frame: pl.DataFrame, oldest: int) -> None:
        """Keep a table, and let go of those before `oldest`, which no later step reads."""
        with self.lock:
            self.frames[step] = frame
            self.unsaved.add(step)
            for old in [s for s in self.frames if s < oldest]:
                if self.all_steps:
                    self.flush(old)
                self.frames.pop(old)
                self.unsaved.discard(old)

    def flush(self, step: int) -> str:
        with self.lock:
            if step not in self.frames:
                raise MissingSource(f"the table of step {step} is not in memory")
            if step in self.unsaved:
                write_frames(self.path_of(step), [self.frames[step]], self.frames[step].schema)
                self.unsaved.discard(step)
            if not self.unsaved:
                atexit.unregister(self.flush_all)
            return self.path_of(step)

    def flush_all(self) -> list[str]:
        with self.lock:
            last = max(self.frames, default=0)
            return [
                self.flush(s)
                for s in sorted(self.frames)
                if self.all_steps or s == last or s not in self.read
            ]


class LazyFileStorage(FileStorage):
    """A `FileStorage` that keeps the last two tables in memory and writes the last one when the program ends.

    A program that is killed loses what was not flushed. With `flush_all_steps` every step's table is written, by
    the time it leaves memory at the latest.
    """

    def __init__(
        self,
        first_entry_file_name: str,
        cache_path: str = "./cache",
        file_name_prefix: str = "dataflow_cache_step",
        cache_type: str = "jsonl",
        save_on_exit: bool = True,
        flush_all_steps: bool = False,
        **elsewhere: Any,
    ) -> None:
        super().__init__(first_entry_file_name, cache_path, file_name_prefix, cache_type, **elsewhere)
        self.save_on_exit, self.flush_all_steps = save_on_exit, flush_all_steps
        path_of = partial(_step_path, Path(cache_path).absolute(), file_name_prefix, self.cache_type)
        self._held = _Held(path_of, flush_all_steps)

    def flush_step(self, step: int) -> str:
        """Write the table of a step and return its path.

        Raises:
            MissingSource: it is not in memory, or no longer.
        """
        return self._held.flush(step)

    def flush_all(self) -> list[str]:
        """Write the last table of each branch, or all in memory with `flush_all_steps`; return the paths."""
        return self._held.flush_all()

    def _keep(self, step: int, frame: pl.DataFrame) -> None:
        self._held.keep(step, frame, oldest=step - 1 if self._tables is None else 0)
        if self.save_on_exit:
            atexit.unregister(self._held.flush_all)
            atexit.register(self._held.flush_all)

    def _source(self, step: int) -> FileSource | FrameSource:
        held = self._held.frames.get(step)
        self._held.read.add(step)
        return super()._source(step) if held is None else FrameSource(held)


def _step_path(folder: Path, prefix: str, cache_type: str, step: int) -> str:
    return str(folder / f"{prefix}_step{step}.{cache_type}")
