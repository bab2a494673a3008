"""SQLite, by the standard library."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import quote

import polars as pl

from dataflow.core.errors import MissingSource, StorageError
from dataflow.core.frames import JSON, series
from dataflow.storage.databases.base import FETCHED, Database, Reader, note_of, quoted, staging, unique
from dataflow.storage.formats.base import flattened
from dataflow.storage.shapes import table
from dataflow.storage.source import FileSource

_KINDS: dict[frozenset[str], pl.DataType] = {
    frozenset(): pl.Null(),
    frozenset({"integer"}): pl.Int64(),
    frozenset({"real"}): pl.Float64(),
    frozenset({"text"}): pl.String(),
    frozenset({"blob"}): pl.Binary(),
}
_WAIT = 60.0
"""Seconds to wait for another process that writes."""


class Sqlite(Database):
    """A database file of SQLite. Any cell may be of any type there, so a column's type is that of its cells."""

    def stamp(self) -> str:
        path = self.address.path
        files = [path, path.with_name(f"{path.name}-wal")]
        return str([(s.st_size, s.st_mtime_ns, s.st_ino) for s in (f.stat() for f in files if f.is_file())])

    @contextmanager
    def reading(self) -> Iterator[SqliteReader]:
        path = self.address.path
        if not path.is_file():
            raise MissingSource(f"{self.address.place}: there is no file {path}")
        uri = f"file:{quote(str(path.absolute()))}?mode=ro"
        with closing(sqlite3.connect(uri, _WAIT, uri=True, isolation_level=None)) as connection:
            connection.execute("BEGIN")
            yield SqliteReader(connection, self.address.table, self.address.query)

    def write(self, source: FileSource) -> None:
        self.address.path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.address.path, _WAIT, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            self._replace(connection, source)
            connection.execute("COMMIT")

    def _replace(self, connection: sqlite3.Connection, source: FileSource) -> None:
        name, made = self.address.table, staging(self.address.table)
        reader = SqliteReader(connection, name, "")
        exists = name in reader.tables()
        self.may_replace(exists, reader.note())
        columns = ", ".join(f"{quoted(n)} {_declared(d)}" for n, d in source.schema.items())
        note = note_of(source.schema).replace("*/", "*\\/")
        connection.execute(f"CREATE TABLE {quoted(made)} ({columns} /*{note}*/)")
        slots = ", ".join("?" * len(source.schema))
        for frame in source.batches(FETCHED):
            connection.executemany(f"INSERT INTO {quoted(made)} VALUES ({slots})", _cells(frame).iter_rows())  # noqa: S608 - quoted
        if exists:
            connection.execute(f"DROP TABLE {quoted(name)}")
        connection.execute(f"ALTER TABLE {quoted(made)} RENAME TO {quoted(name)}")


class SqliteReader(Reader):
    """A transaction of SQLite."""

    def __init__(self, connection: sqlite3.Connection, name: str, query: str) -> None:
        self._connection, self._name = connection, name
        self._query = query or f"SELECT * FROM {quoted(name)}"  # noqa: S608 - quoted

    def tables(self) -> list[str]:
        asked = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
        return [name for (name,) in self._connection.execute(asked)]

    def note(self) -> str | None:
        """The comment in the statement that made the table, which SQLite keeps word for word."""
        asked = "SELECT sql FROM sqlite_master WHERE name = ?"
        found = self._connection.execute(asked, (self._name,)).fetchone()
        comment = (found[0] or "").partition("/*")[2].rpartition("*/")[0] if found else ""
        return comment.replace("*\\/", "*/") or None

    def rows(self) -> tuple[pl.Schema, Iterator[pl.DataFrame]]:
        cursor = self._connection.execute(self._query)
        names = unique([column[0] for column in cursor.description])
        cursor.close()
        schema = pl.Schema({n: self._type(n, kinds) for n, kinds in self._kinds(names).items()})
        return schema, self._frames(schema)

    def _kinds(self, names: list[str]) -> dict[str, frozenset[str]]:
        """The types of the cells of each column, but null."""
        kinds = ("integer", "real", "text", "blob")
        asked = ", ".join(f"max(typeof({quoted(n)}) = '{kind}')" for n in names for kind in kinds)
        found = iter(self._connection.execute(f"SELECT {asked} FROM ({self._query})").fetchone())  # noqa: S608 - quoted
        return {n: frozenset(kind for kind in kinds if next(found)) for n in names}

    def _type(self, name: str, kinds: frozenset[str]) -> pl.DataType:
        declared = self._declared().get(name, "")
        if self._is_written(name):
            return JSON
        if declared in ("BOOL", "BOOLEAN") and kinds == {"integer"} and self._all(name, "{} IN (0, 1)"):
            return pl.Boolean()
        if "blob" in kinds and len(kinds) > 1:
            raise StorageError(
                f"column {name!r} holds bytes and {', '.join(kinds - {'blob'})}; cast it in a query"
            )
        return _KINDS.get(kinds, JSON)

    def _declared(self) -> dict[str, str]:
        """What the table's columns were declared as."""
        asked = self._connection.execute("SELECT name, upper(type) FROM pragma_table_info(?)", (self._name,))
        return dict(asked.fetchall())

    def _is_written(self, name: str) -> bool:
        """Whether a column holds JSON texts, rather than cells of several types."""
        return self._declared().get(name) == "JSON" and self._all(
            name, "typeof({0}) = 'text' AND json_valid({0})"
        )

    def _all(self, name: str, condition: str) -> bool:
        """Whether the condition holds for every cell of a column but null."""
        column = quoted(name)
        asked = f"SELECT coalesce(min({condition.format(column)}), 1) FROM ({self._query}) WHERE {column} IS NOT NULL"  # noqa: S608 - quoted
        return bool(self._connection.execute(asked).fetchone()[0])

    def _frames(self, schema: pl.Schema) -> Iterator[pl.DataFrame]:
        written = {n for n, d in schema.items() if d == JSON and self._is_written(n)}
        cursor = self._connection.execute(self._query + self._order())
        while rows := cursor.fetchmany(FETCHED):
            columns = zip(schema.items(), zip(*rows, strict=True), strict=True)
            yield table(
                [_column(name, dtype, cells, name in written) for (name, dtype), cells in columns], len(rows)
            )

    def _order(self) -> str:
        if not self._name:
            return ""
        try:
            self._connection.execute(f"SELECT rowid FROM {quoted(self._name)} LIMIT 0")  # noqa: S608 - quoted
        except sqlite3.OperationalError:
            return ""
        return " ORDER BY rowid"


def _column(name: str, dtype: pl.DataType, cells: tuple[object, ...], is_written: bool) -> pl.Series:
    if is_written:
        return pl.Series(name, cells, dtype=pl.String).ext.to(JSON)
    if dtype == pl.Boolean:
        return pl.Series(name, [None if c is None else bool(c) for c in cells], dtype=dtype)
    return series(name, cells, dtype)


def _declared(dtype: pl.DataType) -> str:
    """A declared type that lets SQLite keep the cells as they are: a text that looks like a number stays text."""
    if dtype == pl.Binary:
        return "BLOB"
    if dtype == pl.Boolean:
        return "BOOLEAN"
    if (dtype.is_integer() and dtype not in (pl.UInt64, pl.Int128, pl.UInt128)) or dtype == pl.Duration:
        return "INTEGER"
    return "REAL" if dtype.is_float() else "TEXT"


def _cells(frame: pl.DataFrame) -> pl.DataFrame:
    """The cells as SQLite holds them: times and decimals as text, what is nested as JSON text."""
    plain = iter(flattened(frame.drop(c for c in frame.columns if frame[c].dtype == pl.Binary)).get_columns())
    return table([c if c.dtype == pl.Binary else next(plain) for c in frame.get_columns()], frame.height)
