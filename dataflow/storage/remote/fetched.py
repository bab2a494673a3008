"""Files that are elsewhere, each fetched when its rows are first read."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Protocol

import polars as pl

from dataflow.core.errors import StorageError
from dataflow.storage.source import FileSource, scanned
from dataflow.storage.tables import Table

AT_ONCE = 4
_MAGIC = b"PAR1"
_TAIL = 64 << 10


class RemoteFile(Protocol):
    """One file elsewhere."""

    @property
    def name(self) -> str:
        """What it is called there, the folder included."""

    @property
    def size(self) -> int:
        """In bytes."""

    @property
    def version(self) -> str:
        """Changes when the bytes do; empty where the other side does not tell."""

    def kept(self) -> Path | None:
        """The copy on this machine, if there is one already."""

    def fetch(self) -> Path:
        """The copy on this machine, made now if need be."""

    def tail(self, length: int) -> bytes:
        """The last bytes, without fetching the others."""


class FetchedSource(FileSource):
    """Files from elsewhere as one table, in the order given.

    Of a Parquet file only the end is read to learn its columns and its number of rows; the file is fetched when the
    first of its rows is. All other kinds are fetched at once, a few side by side.
    """

    def __init__(self, path: str, remote: Sequence[RemoteFile]) -> None:
        self.path, self.remote = path, tuple(remote)
        self.files = []

    @cached_property
    def _tables(self) -> list[Table]:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(_table, self.remote))

    @property
    def nbytes(self) -> int:
        return sum(file.size for file in self.remote)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the files' names and versions; of a file without a version, of its bytes."""
        total = hashlib.blake2b(digest_size=16)
        for file in self.remote:
            total.update(f"{file.name}\0{file.version or _digest(file.fetch())}\0".encode("utf-8", "replace"))
        return total.hexdigest()


def _table(file: RemoteFile) -> Table:
    if (kept := file.kept()) is not None:
        return scanned(kept)
    if not file.name.lower().endswith(".parquet"):
        return scanned(file.fetch())
    schema, height = _footer(file)

    def chunks(first: int, wanted: pl.Schema) -> Iterator[pl.DataFrame]:
        return scanned(file.fetch()).chunks(first, wanted)

    return Table(schema, height, chunks)


def _footer(file: RemoteFile) -> tuple[pl.Schema, int]:
    """The columns and the number of rows that the end of a Parquet file tells."""
    end = file.tail(_TAIL)
    length = int.from_bytes(end[-8:-4], "little") + 8
    if end[-4:] != _MAGIC or length > file.size:
        raise StorageError(f"{file.name}: is no Parquet file, or is cut short")
    if length > len(end):
        end = file.tail(length)
    try:
        table = pl.scan_parquet(io.BytesIO(_MAGIC + end[-length:]))
        return table.collect_schema(), int(table.select(pl.len()).collect().item())
    except pl.exceptions.PolarsError as e:
        raise StorageError(f"{file.name}: cannot be read: {e}") from e


def _digest(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
