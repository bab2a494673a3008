"""What a database is to the rest of the storage."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import polars as pl

from dataflow.core.errors import ConfigError, StorageError
from dataflow.core.frames import is_json
from dataflow.storage.formats.base import restored
from dataflow.storage.remote.secrets import shown
from dataflow.storage.shapes import table
from dataflow.storage.sidecar import decoded, encoded
from dataflow.storage.source import FileSource

FETCHED = 8192
"""Rows asked of a database at a time."""
_NOTE = "written by DataFlow: "
_QUERY = re.compile(r"\s*(select|with|values|from)\s", re.IGNORECASE)


@dataclass(frozen=True)
class Address:
    """A table or a query of a database."""

    scheme: str
    url: str = field(repr=False)
    """The database, with the password if there is one."""
    place: str
    """The same to be shown."""
    table: str = ""
    query: str = ""

    @property
    def path(self) -> Path:
        """The file: after `sqlite:///` a path from here, after `sqlite:////` one from the root."""
        rest = self.url.partition("://")[2].partition("?")[0]
        if not rest.startswith("/") or rest == "/":
            raise ConfigError(f"{self.place!r} names no file; write {self.scheme}:///folder/file#table")
        return Path(rest[1:]).expanduser()


def address_of(name: str) -> Address:
    """What a name such as `sqlite:///shop.db#orders` says; a fragment that begins like a query is one.

    Raises:
        ConfigError: it names neither table nor query, or its password must be percent-encoded.
    """
    url, _, wanted = name.partition("#")
    scheme, _, rest = url.partition("://")
    if not wanted.strip():
        raise ConfigError(f"{shown(name)!r} names no table; end it with #table, or with # and a query")
    if scheme.startswith("postgres") and "/" in rest.rpartition("@")[0]:
        raise ConfigError(f"{scheme}://: write / in a user name or password as %2F, and @ as %40")
    is_query = bool(_QUERY.match(wanted))
    return Address(scheme, url, shown(url), "" if is_query else wanted, wanted if is_query else "")


class Reader(ABC):
    """An open, read-only transaction."""

    @abstractmethod
    def tables(self) -> list[str]:
        """The names of the tables and views."""

    @abstractmethod
    def rows(self) -> tuple[pl.Schema, Iterator[pl.DataFrame]]:
        """The columns of the table or query, and its rows in an order that is the same every time."""

    @abstractmethod
    def note(self) -> str | None:
        """What `note_of` left with the table."""


class Database(ABC):
    """One kind of database."""

    def __init__(self, address: Address, options: Mapping[str, Any]) -> None:
        self.address, self.options = address, options

    @abstractmethod
    def stamp(self) -> str:
        """Changes whenever the rows do; cheap to get."""

    @abstractmethod
    def reading(self) -> AbstractContextManager[Reader]:
        """Begin to read."""

    @abstractmethod
    def write(self, source: FileSource) -> None:
        """Make a Parquet file's rows the table, in one transaction."""

    def may_replace(self, exists: bool, note: str | None) -> None:
        """That no table of somebody else is lost.

        Raises:
            StorageError: it would be.
        """
        if exists and not (note or "").startswith(_NOTE):
            raise StorageError(
                f"{self.address.place} has a table {self.address.table!r} that DataFlow did not write; "
                "name another, or drop it first"
            )


def quoted(name: str) -> str:
    """A name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def dotted(name: str) -> str:
    """The name of a table, with that of its schema before it where it has one."""
    return ".".join(map(quoted, name.split(".")))


def staging(name: str) -> str:
    """A name that no table has yet."""
    return f"_{name[:20]}_{uuid4().hex[:12]}"


def unique(names: list[str]) -> list[str]:
    """The names of a query's columns.

    Raises:
        StorageError: two are the same.
    """
    if twice := sorted({n for n in names if names.count(n) > 1}):
        raise StorageError(
            f"the query names {', '.join(map(repr, twice))} more than once; add `as other_name`"
        )
    return names


def note_of(schema: pl.Schema) -> str:
    """What is left with a table that we write: that it is ours, and the types that the database may not have."""
    return _NOTE + json.dumps({name: encoded(dtype) for name, dtype in schema.items()})


def restored_as(
    schema: pl.Schema, frames: Iterator[pl.DataFrame], note: str | None
) -> tuple[pl.Schema, Iterator[pl.DataFrame]]:
    """The rows under the types that the note tells; as they are where it is none, or tells of other columns."""
    if note is None or not note.startswith(_NOTE):
        return schema, frames
    told = pl.Schema({n: decoded(d) for n, d in json.loads(note.removeprefix(_NOTE)).items()})
    if told.names() != schema.names():
        return schema, frames
    return told, (restored(_as_text(frame), told) for frame in frames)


def _as_text(frame: pl.DataFrame) -> pl.DataFrame:
    return table([c.ext.storage() if is_json(c.dtype) else c for c in frame.get_columns()], frame.height)
