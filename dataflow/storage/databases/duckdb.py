"""DuckDB, which reads and writes Parquet by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from dataflow.core.errors import MissingSource
from dataflow.core.frames import JSON, is_json
from dataflow.storage.databases.base import (
    FETCHED,
    Database,
    Reader,
    dotted,
    note_of,
    quoted,
    staging,
    unique,
)
from dataflow.storage.remote.packages import package
from dataflow.storage.source import FileSource
from dataflow.storage.stored import conform

_AS_TEXT = ("UUID", "ENUM", "INTERVAL", "TIME WITH TIME ZONE", "BIT", "BIGNUM", "VARINT", "GEOMETRY")
_AS_JSON = ("MAP", "UNION", "VARIANT")
_BIG = ("HUGEINT", "UHUGEINT")


class Duckdb(Database):
    """A database file of DuckDB. While another process writes it, it cannot be read."""

    def stamp(self) -> str:
        path = self.address.path
        files = [path, path.with_name(f"{path.name}.wal")]
        return str([(s.st_size, s.st_mtime_ns, s.st_ino) for s in (f.stat() for f in files if f.is_file())])

    @contextmanager
    def reading(self) -> Iterator[DuckdbReader]:
        path = self.address.path
        duckdb = package("duckdb", "sql", "reading duckdb://")
        if not path.is_file():
            raise MissingSource(f"{self.address.place}: there is no file {path}")
        with closing(duckdb.connect(str(path), read_only=True)) as connection, TemporaryDirectory() as folder:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("BEGIN")
            yield DuckdbReader(
                connection, self.address.table, self.address.query, Path(folder, "raw.parquet")
            )

    def write(self, source: FileSource) -> None:
        duckdb = package("duckdb", "sql", "writing duckdb://")
        self.address.path.parent.mkdir(parents=True, exist_ok=True)
        with closing(duckdb.connect(str(self.address.path))) as connection:
            connection.execute("BEGIN")
            self._replace(connection, source)
            connection.execute("COMMIT")

    def _replace(self, connection: Any, source: FileSource) -> None:
        name, made = self.address.table, staging("table")
        reader = DuckdbReader(connection, name, "", Path())
        exists = name in reader.tables()
        self.may_replace(exists, reader.note())
        kinds = {n: "::JSON" if is_json(d) else "" for n, d in source.schema.items()}
        columns = ", ".join(f"{quoted(n)}{kind} AS {quoted(n)}" for n, kind in kinds.items())
        schema, _, last = name.rpartition(".")
        place = f"{quoted(schema)}.{quoted(made)}" if schema else quoted(made)
        connection.execute(
            f"CREATE TABLE {place} AS SELECT {columns} FROM read_parquet({_text(str(source.files[0]))})"  # noqa: S608 - quoted
        )
        if exists:
            connection.execute(f"DROP TABLE {dotted(name)}")
        connection.execute(f"ALTER TABLE {place} RENAME TO {quoted(last)}")
        connection.execute(f"COMMENT ON TABLE {dotted(name)} IS {_text(note_of(source.schema))}")


class DuckdbReader(Reader):
    """A transaction of DuckDB."""

    def __init__(self, connection: Any, name: str, query: str, raw: Path) -> None:
        self._connection, self._name, self._raw = connection, name, raw
        self._query = query or f"SELECT * FROM {dotted(name)}"  # noqa: S608 - quoted

    def tables(self) -> list[str]:
        asked = (
            "SELECT CASE WHEN table_schema = current_schema() THEN table_name ELSE table_schema || '.' || table_name END "
            "FROM information_schema.tables WHERE table_catalog = current_catalog() ORDER BY 1"
        )
        return [name for (name,) in self._connection.execute(asked).fetchall()]

    def note(self) -> str | None:
        schema, _, name = self._name.rpartition(".")
        asked = "SELECT comment FROM duckdb_tables() WHERE table_name = ? AND schema_name = coalesce(nullif(?, ''), current_schema())"
        found = self._connection.execute(asked, [name, schema]).fetchone()
        return found[0] if found else None

    def rows(self) -> tuple[pl.Schema, Iterator[pl.DataFrame]]:
        described = self._connection.execute(f"DESCRIBE {self._query}").fetchall()
        unique([column[0] for column in described])
        types = {column[0]: str(column[1]) for column in described}
        columns = ", ".join(f"{self._cast(n, t)} AS {quoted(n)}" for n, t in types.items())
        self._connection.execute(
            f"COPY (SELECT {columns} FROM ({self._query})) TO {_text(str(self._raw))} (FORMAT parquet)"  # noqa: S608 - quoted
        )
        lazy = pl.scan_parquet(self._raw, glob=False)
        json = {n for n, t in types.items() if _is_json(t)}
        schema = pl.Schema({n: JSON if n in json else d for n, d in lazy.collect_schema().items()})
        return schema, self._frames(lazy, schema)

    def _cast(self, name: str, kind: str) -> str:
        column = quoted(name)
        if _is_json(kind):
            return f"CAST({column if kind == 'JSON' else f'to_json({column})'} AS VARCHAR)"
        if kind in _BIG:
            return f"CAST({column} AS {'BIGINT' if self._fits(column) else 'VARCHAR'})"
        return f"CAST({column} AS VARCHAR)" if kind.startswith(_AS_TEXT) else column

    def _fits(self, column: str) -> bool:
        """Whether whole numbers of 128 bits, which sums are, need but 64."""
        asked = f"SELECT coalesce(bool_and(TRY_CAST({column} AS BIGINT) IS NOT NULL), true) FROM ({self._query}) WHERE {column} IS NOT NULL"  # noqa: S608 - quoted
        return bool(self._connection.execute(asked).fetchone()[0])

    def _frames(self, lazy: pl.LazyFrame, schema: pl.Schema) -> Iterator[pl.DataFrame]:
        for frame in lazy.collect_batches(chunk_size=FETCHED, maintain_order=True, lazy=True):
            made = [frame[n].ext.to(JSON) if is_json(d) else frame[n] for n, d in schema.items()]
            yield conform(pl.DataFrame({c.name: c for c in made}), schema)


def _is_json(kind: str) -> bool:
    return kind == "JSON" or kind.startswith(_AS_JSON) or any(f" {k}" in f" {kind}" for k in ("JSON", "MAP("))


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
