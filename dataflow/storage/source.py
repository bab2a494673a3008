"""Tables as sources: files, folders and globs of files, and frames in memory."""

from __future__ import annotations

import glob
import hashlib
import io
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from threading import Lock

import polars as pl

from dataflow.core.errors import MissingSource
from dataflow.core.frames import merge_types, visible
from dataflow.storage.formats import format_of, known_format
from dataflow.storage.formats.jsonl import parsed
from dataflow.storage.sidecar import recall
from dataflow.storage.stored import conform
from dataflow.storage.tables import BadLine, Scanned, Table, rebatched
from dataflow.storage.verbatim import Verbatim

HASHED_WHOLE = 64 << 20
_EDGE = 1 << 20
_MAX_SCANNED = 256
_scanned: dict[Scanned, Table] = {}
_lock = Lock()


class FileSource:
    """A file, or all files of a folder or glob in sorted order, as one table.

    A folder's hidden files and files of unknown kinds are skipped, its subfolders are not entered. Columns come in
    the order in which they first appear; a file without one has nulls there. Where files disagree on a type, the
    column takes the one that holds both without a change, or is `json`; columns that are only ever text in their
    files (CSV) stay text.

    Raises:
        MissingSource: nothing is there to read.
        StorageError: the file is of no known kind.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        self.files = files_of(self.path)
        for file in self.files:
            format_of(file)

    def __repr__(self) -> str:
        return f"FileSource({self.path!r})"

    @cached_property
    def _tables(self) -> list[Table]:
        return [scanned(file) for file in self.files]

    @cached_property
    def schema(self) -> pl.Schema:
        names = dict.fromkeys(n for t in self._tables for n in t.schema)
        sure, guessed = _types([t for t in self._tables if t.typed], merge_types), self._guessed
        return pl.Schema({n: merge_types(sure.get(n, pl.Null()), guessed.get(n, pl.Null())) for n in names})

    @cached_property
    def _guessed(self) -> pl.Schema:
        return _types([t for t in self._tables if not t.typed], _same_or_text)

    @property
    def height(self) -> int:
        return sum(t.height for t in self._tables)

    @property
    def nbytes(self) -> int:
        """The size of the files on disk."""
        return sum(file.stat().st_size for file in self.files)

    @property
    def bad_count(self) -> int:
        return sum(t.bad.count for t in self._tables)

    @property
    def bad_lines(self) -> list[BadLine]:
        """The lines set aside, at most 1,000 of each file."""
        return [line for t in self._tables for line in t.bad.kept]

    @cached_property
    def lines(self) -> Verbatim | None:
        """The rows as the lines that they are; null where some are not as we would write them, or files differ in their columns."""
        blocks = [b for t in self._tables for b in t.blocks] if hasattr(os, "preadv") else []
        if not blocks or not all(b.as_written for b in blocks):
            return None
        if not all(t.blocks and t.schema == self.schema for t in self._tables):
            return None
        return Verbatim(self._tables, lambda lines, rows: parsed(lines, rows, self.schema))

    @cached_property
    def fingerprint(self) -> str:
        """A hash of all bytes; of a file beyond 64 MiB, of its size, time of change, start and end."""
        total = hashlib.blake2b(digest_size=16)
        for file in self.files:
            total.update(file.name.encode("utf-8", "surrogateescape") + b"\0" + _digest(file))
        return total.hexdigest()

    def batches(
        self, rows: int, first: int = 0, columns: Sequence[str] | None = None
    ) -> Iterator[pl.DataFrame]:
        return rebatched(self.chunks(first, columns), rows)

    def chunks(self, first: int = 0, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """The same rows in frames of whatever size the files give, with some columns, of which there is one at least, or all."""
        wanted, guessed = (_some(s, columns) for s in (self.schema, self._guessed))
        for table in self._tables:
            if first < table.height:
                frames = table.chunks(first, wanted if table.typed else guessed)
                yield from (conform(frame, wanted) for frame in frames)
            first = max(0, first - table.height)

    def frame(self) -> pl.DataFrame:
        """All rows at once."""
        frames = list(self.chunks())
        return pl.concat(frames) if frames else pl.DataFrame(schema=self.schema)


class FrameSource:
    """A frame in memory as a source."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = visible(frame)

    @property
    def schema(self) -> pl.Schema:
        return self._frame.schema

    @property
    def height(self) -> int:
        return self._frame.height

    @cached_property
    def fingerprint(self) -> str:
        self._frame.write_ipc(data := io.BytesIO())
        return hashlib.blake2b(data.getbuffer(), digest_size=16).hexdigest()

    def batches(
        self, rows: int, first: int = 0, columns: Sequence[str] | None = None
    ) -> Iterator[pl.DataFrame]:
        frame = conform(self._frame, _some(self.schema, columns))
        return iter(frame.slice(first).iter_slices(rows) if first < self.height else ())

    def frame(self) -> pl.DataFrame:
        return self._frame


def files_of(path: str) -> list[Path]:
    """The files that a path, folder or glob names, sorted.

    Raises:
        MissingSource: there is none.
    """
    place = Path(path).expanduser()
    if place.is_file():
        return [place]
    inside = place.iterdir() if place.is_dir() else map(Path, glob.glob(str(place), recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
    found = sorted(f for f in inside if f.is_file() and not f.name.startswith(".") and known_format(f))
    if not found:
        what = "holds no table of a known kind" if place.is_dir() else "is not there"
        raise MissingSource(f"{path!r} {what} (looked in {Path.cwd()})")
    return found


def scanned(path: Path) -> Table:
    """The file, looked through; once in the life of the process as long as it does not change."""
    file = Scanned.of(path.resolve())
    with _lock:
        if file in _scanned:
            return _scanned[file]
    kind, compression = format_of(path)
    table = kind.scan(path, compression, recall(path) if kind.remembers else None)
    table = replace(table, file=file)
    with _lock:
        _scanned[file] = table
        while len(_scanned) > _MAX_SCANNED:
            _scanned.pop(next(iter(_scanned)))
    return table


def _some(schema: pl.Schema, columns: Sequence[str] | None) -> pl.Schema:
    return schema if columns is None else pl.Schema({n: schema[n] for n in columns if n in schema})


def _types(tables: list[Table], merge: Callable[[pl.DataType, pl.DataType], pl.DataType]) -> pl.Schema:
    merged: dict[str, pl.DataType] = {}
    for name, dtype in (column for t in tables for column in t.schema.items()):
        merged[name] = merge(merged.get(name, pl.Null()), dtype)
    return pl.Schema(merged)


def _same_or_text(a: pl.DataType, b: pl.DataType) -> pl.DataType:
    if pl.Null in (a, b):
        return b if a == pl.Null else a
    return a if a == b else pl.String()


def _digest(file: Path) -> bytes:
    stat, seen = file.stat(), hashlib.blake2b(digest_size=16)
    with file.open("rb") as handle:
        if stat.st_size <= HASHED_WHOLE:
            while piece := handle.read(_EDGE):
                seen.update(piece)
        else:
            seen.update(f"{stat.st_size} {stat.st_mtime_ns}".encode() + handle.read(_EDGE))
            handle.seek(-_EDGE, io.SEEK_END)
            seen.update(handle.read())
    return seen.digest()
