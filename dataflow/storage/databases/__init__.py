"""Tables and queries of databases as sources, and tables in them as the end of a pipeline."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

import polars as pl

from dataflow.core.errors import ConfigError, MissingSource, StorageError, did_you_mean
from dataflow.storage.databases.base import Database, address_of, restored_as
from dataflow.storage.remote.secrets import shown, telling
from dataflow.storage.source import FileSource
from dataflow.storage.tables import rebatched
from dataflow.storage.writing import write_frames

_KEPT = 4
_BATCH = 8192
_seen: OrderedDict[tuple[str, str], tuple[str, _Snapshot]] = OrderedDict()
_lock = Lock()


class _Snapshot(FileSource):
    """A table or the answer to a query as it was at one moment, in a temporary file that goes when this does."""

    def __init__(self, name: str, folder: TemporaryDirectory[str]) -> None:
        self._folder = folder
        super().__init__(Path(folder.name, "table.parquet"))
        self.path = shown(name)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of all rows."""
        with self.files[0].open("rb") as rows:
            return hashlib.file_digest(rows, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def database_source(name: str, options: Mapping[str, Any]) -> FileSource:
    """A table (`sqlite:///shop.db#orders`) or a query (`postgresql://host/shop#select … order by …`).

    The rows are read once, in one read-only transaction, into a temporary file; while the database has not changed
    since, another source of this process takes the same file.

    Raises:
        MissingSource: there is no such database or table.
        MissingDependency: the package that speaks with it is not installed.
        StorageError: the database refuses, or cannot be reached.
    """
    database = _database(name, options)
    with telling("reading", name, options), _lock:
        stamp = database.stamp()
        key = name, repr(sorted(options.items()))
        kept = _seen.get(key)
        if kept is None or kept[0] != stamp:
            kept = _seen[key] = stamp, _snapshot(name, database)
        _seen.move_to_end(key)
        while len(_seen) > _KEPT:
            _seen.popitem(last=False)
    return kept[1]


def write_database(
    name: str, frames: Iterable[pl.DataFrame], schema: pl.Schema, options: Mapping[str, Any]
) -> int:
    """Write a table of a database in one transaction, and return the number of rows.

    A table of that name is replaced only if it was written by DataFlow.

    Raises:
        ConfigError: the name is that of a query.
        StorageError: a table of somebody else has that name, or the database cannot hold a column.
    """
    database = _database(name, options)
    if database.address.query:
        raise ConfigError(
            f"{shown(name)!r} is a query; a table to write is named {database.address.place}#table"
        )
    if not schema:
        raise StorageError(f"{shown(name)}: a database keeps no rows without columns")
    with TemporaryDirectory(prefix="dataflow-") as folder:
        rows = write_frames(made := Path(folder, "table.parquet"), frames, schema)
        with telling("writing", name, options):
            database.write(FileSource(made))
    return rows


def _database(name: str, options: Mapping[str, Any]) -> Database:
    address = address_of(name)
    if address.scheme == "sqlite":
        from dataflow.storage.databases.sqlite import Sqlite

        return Sqlite(address, options)
    if address.scheme == "duckdb":
        from dataflow.storage.databases.duckdb import Duckdb

        return Duckdb(address, options)
    from dataflow.storage.databases.postgres import Postgres

    return Postgres(address, options)


def _snapshot(name: str, database: Database) -> _Snapshot:
    folder = TemporaryDirectory(prefix="dataflow-")
    with database.reading() as reader:
        table = database.address.table
        if table and table not in (known := reader.tables()):
            there = ", ".join(known) or "none"
            raise MissingSource(
                f"{shown(name)}: there is no table {table!r}; there are {there}.{did_you_mean(table, known)}"
            )
        schema, frames = reader.rows()
        schema, frames = restored_as(schema, frames, reader.note() if table else None)
        # frames of one size, so that equal rows give an equal file
        write_frames(Path(folder.name, "table.parquet"), rebatched(frames, _BATCH), schema)
    return _Snapshot(name, folder)
