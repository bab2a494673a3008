"""PostgreSQL, through psycopg."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import polars as pl

from dataflow.core.errors import StorageError
from dataflow.core.frames import JSON, is_json, series
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
from dataflow.storage.formats.base import flattened
from dataflow.storage.remote.packages import package
from dataflow.storage.shapes import table
from dataflow.storage.source import FileSource

_TYPES: dict[str, pl.DataType] = {
    "bool": pl.Boolean(), "int2": pl.Int16(), "int4": pl.Int32(), "int8": pl.Int64(), "oid": pl.Int64(),
    "float4": pl.Float32(), "float8": pl.Float64(), "text": pl.String(), "varchar": pl.String(),
    "bpchar": pl.String(), "name": pl.String(), "bytea": pl.Binary(), "date": pl.Date(), "time": pl.Time(),
    "timestamp": pl.Datetime("us"), "timestamptz": pl.Datetime("us", "UTC"), "json": JSON, "jsonb": JSON,
}  # fmt: skip
_NOT_IN_LISTS = ("json", "jsonb")
_DECLARED: tuple[tuple[Any, str], ...] = (
    (pl.Boolean, "boolean"), (pl.Int8, "smallint"), (pl.Int16, "smallint"), (pl.UInt8, "smallint"),
    (pl.Int32, "integer"), (pl.UInt16, "integer"), (pl.Int64, "bigint"), (pl.UInt32, "bigint"),
    (pl.UInt64, "numeric(20,0)"), (pl.Float32, "real"), (pl.Float64, "double precision"), (pl.String, "text"),
    (pl.Categorical, "text"), (pl.Enum, "text"), (pl.Binary, "bytea"), (pl.Date, "date"), (pl.Time, "time"),
    (pl.Duration, "bigint"),
)  # fmt: skip
_MAX_DIGITS = 38
_CONNECT_S = 30


class Postgres(Database):
    """A PostgreSQL server. Passwords may as well be in `PGPASSWORD`, `~/.pgpass` or a service file."""

    def stamp(self) -> str:
        """The server's list of transactions: equal as long as none was committed."""
        with self._connected() as connection:
            return str(connection.execute("SELECT pg_current_snapshot()::text").fetchone()[0])

    @contextmanager
    def reading(self) -> Iterator[PostgresReader]:
        with self._connected() as connection:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            # so that equal tables are read in an equal order
            connection.execute("SET LOCAL synchronize_seqscans = off")
            connection.execute("SET LOCAL max_parallel_workers_per_gather = 0")
            yield PostgresReader(connection, self.address.table, self.address.query)
            connection.execute("ROLLBACK")

    def write(self, source: FileSource) -> None:
        with self._connected() as connection, connection.transaction():
            self._replace(connection, source)

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        psycopg = package("psycopg", "postgres", "postgresql://")
        given = {"connect_timeout": _CONNECT_S, "application_name": "dataflow", **self.options}
        with psycopg.connect(self.address.url, autocommit=True, **given) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            _keep_as_text(connection)
            yield connection

    def _replace(self, connection: Any, source: FileSource) -> None:
        name, made = self.address.table, staging("table")
        reader = PostgresReader(connection, name, "")
        exists = name in reader.tables()
        self.may_replace(exists, reader.note())
        schema, _, last = name.rpartition(".")
        place = f"{quoted(schema)}.{quoted(made)}" if schema else quoted(made)
        columns = ", ".join(f"{quoted(n)} {_declared(n, d)}" for n, d in source.schema.items())
        connection.execute(f"CREATE TABLE {place} ({columns})")
        with connection.cursor() as cursor, cursor.copy(f"COPY {place} FROM STDIN") as copy:
            for frame in source.batches(FETCHED):
                for row in _cells(frame).iter_rows():
                    copy.write_row(row)
        if exists:
            connection.execute(f"DROP TABLE {dotted(name)}")
        connection.execute(f"ALTER TABLE {place} RENAME TO {quoted(last)}")
        note = note_of(source.schema).replace("'", "''")
        connection.execute(f"COMMENT ON TABLE {dotted(name)} IS E'{note.replace(chr(92), chr(92) * 2)}'")


class PostgresReader(Reader):
    """A transaction of PostgreSQL."""

    def __init__(self, connection: Any, name: str, query: str) -> None:
        self._connection, self._name = connection, name
        self._query = query.rstrip().rstrip(";")

    def tables(self) -> list[str]:
        asked = (
            "SELECT CASE WHEN pg_table_is_visible(c.oid) THEN relname ELSE nspname || '.' || relname END "
            "FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind IN ('r', 'p', 'v', 'm', 'f') "
            "AND nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') ORDER BY 1"
        )
        names = [name for (name,) in self._connection.execute(asked)]
        return [self._name, *names] if self._name not in names and self._oid() is not None else names

    def note(self) -> str | None:
        found = self._connection.execute(
            "SELECT obj_description(%s::oid, 'pg_class')", [self._oid()]
        ).fetchone()
        return found[0] if found else None

    def rows(self) -> tuple[pl.Schema, Iterator[pl.DataFrame]]:
        query = self._query or f"SELECT * FROM {dotted(self._name)}{self._order()}"  # noqa: S608 - quoted
        described = self._connection.execute(f"SELECT * FROM ({query}) q LIMIT 0").description  # noqa: S608
        unique([column.name for column in described])
        schema = pl.Schema({c.name: self._type(c, query) for c in described})
        return schema, self._frames(query, schema)

    def _oid(self) -> int | None:
        found = self._connection.execute("SELECT to_regclass(%s)::oid", [dotted(self._name)]).fetchone()
        return found[0] if found else None

    def _order(self) -> str:
        """The primary key, if there is one; else the rows come as they lie in the table."""
        asked = (
            "SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY(indkey) "
            "WHERE indrelid = %s::oid AND indisprimary ORDER BY array_position(indkey::int2[], attnum)"
        )
        keys = [name for (name,) in self._connection.execute(asked, [self._oid()])]
        return f" ORDER BY {', '.join(map(quoted, keys))}" if keys else ""

    def _type(self, column: Any, query: str) -> pl.DataType:
        known, oid = self._connection.adapters.types, column.type_code
        info = known.get(oid)
        if info is None:
            return pl.String()
        if info.name == "numeric":
            return self._decimal(column, query) if info.oid == oid else pl.String()
        found = _TYPES.get(info.name, pl.String())
        if info.oid == oid:
            return found
        return pl.List(found) if info.name in _TYPES and info.name not in _NOT_IN_LISTS else pl.String()

    def _decimal(self, column: Any, query: str) -> pl.DataType:
        """A `numeric` without bounds gets those of its cells; as text what no decimal holds: NaN, 40 digits."""
        name = quoted(column.name)
        asked = (
            f"coalesce(max(scale({name})), 0), coalesce(max(length(trunc(abs({name}))::text)), 1), "
            f"coalesce(bool_or({name} IN ('NaN', 'Infinity', '-Infinity')), false)"
        )
        scale, digits, odd = self._connection.execute(f"SELECT {asked} FROM ({query}) q").fetchone()  # noqa: S608
        scale = max(scale, column.scale or 0)
        if odd or scale + digits > _MAX_DIGITS:
            return pl.String()
        return pl.Decimal(min(_MAX_DIGITS, max(scale + digits, column.precision or _MAX_DIGITS)), scale)

    def _frames(self, query: str, schema: pl.Schema) -> Iterator[pl.DataFrame]:
        with self._connection.cursor(name="dataflow") as cursor:
            cursor.execute(query)
            while rows := cursor.fetchmany(FETCHED):
                columns = zip(schema.items(), zip(*rows, strict=True), strict=True)
                yield table([_column(name, dtype, cells) for (name, dtype), cells in columns], len(rows))


def _keep_as_text(connection: Any) -> None:
    """Have every type but the known ones read as PostgreSQL writes it."""
    text = package("psycopg.types.string", "postgres", "postgresql://").TextLoader
    for info in connection.adapters.types:
        if info.name in ("json", "jsonb") or (info.name not in _TYPES and info.name != "numeric"):
            connection.adapters.register_loader(info.oid, text)
        if info.array_oid and (info.name not in _TYPES or info.name in _NOT_IN_LISTS):
            connection.adapters.register_loader(info.array_oid, text)


def _column(name: str, dtype: pl.DataType, cells: Sequence[Any]) -> pl.Series:
    if is_json(dtype):
        return pl.Series(name, cells, dtype=pl.String).ext.to(JSON)
    if dtype == pl.String:
        return pl.Series(name, [None if c is None else str(c) for c in cells], dtype=dtype)
    try:
        return (
            series(name, cells, dtype) if isinstance(dtype, pl.List) else pl.Series(name, cells, dtype=dtype)
        )
    except TypeError as e:
        raise StorageError(
            f"column {name!r} has arrays of several dimensions; select to_jsonb({name})"
        ) from e


def _declared(name: str, dtype: pl.DataType) -> str:
    """The type of PostgreSQL that holds a column."""
    if isinstance(dtype, pl.Decimal):
        return f"numeric({dtype.precision or _MAX_DIGITS},{dtype.scale})"
    if isinstance(dtype, pl.Datetime):
        return "timestamp" if dtype.time_zone is None else "timestamptz"
    if isinstance(dtype, (pl.List, pl.Array)) and not dtype.inner.is_nested() and not is_json(dtype.inner):
        return f"{_declared(name, dtype.inner)}[]"  # type: ignore[arg-type]
    if is_json(dtype) or dtype.is_nested():
        return "json"
    found = next((declared for kind, declared in _DECLARED if dtype == kind), None)
    if found is None:
        raise StorageError(f"column {name!r} holds {dtype}, which PostgreSQL cannot; cast it first")
    return found


def _cells(frame: pl.DataFrame) -> pl.DataFrame:
    """The cells as psycopg takes them: what is nested otherwise than as a plain list is JSON text."""
    return table([_plain(column) for column in frame.get_columns()], frame.height)


def _plain(column: pl.Series) -> pl.Series:
    if isinstance(column.dtype, pl.Array):
        column = column.cast(pl.List(column.dtype.inner))
    if is_json(column.dtype) or (column.dtype.is_nested() and _declared(column.name, column.dtype) == "json"):
        return flattened(table([column], len(column))).to_series()
    if isinstance(column.dtype, pl.Duration):
        return column.to_physical()
    _is_exact(column)
    return column


def _is_exact(column: pl.Series) -> None:
    """That no nanoseconds are lost, which neither PostgreSQL nor Python has."""
    clock = column.dtype == pl.Time or (
        isinstance(column.dtype, pl.Datetime) and column.dtype.time_unit == "ns"
    )
    if clock and (column.to_physical() % 1000 != 0).any():
        raise StorageError(
            f"column {column.name!r} has nanoseconds, which PostgreSQL cannot hold; round it first"
        )
