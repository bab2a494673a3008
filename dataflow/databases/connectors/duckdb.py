"""DuckDB files."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from dataflow.core.errors import ConfigError, MissingDependency
from dataflow.databases.connector import Connector, DatabaseInfo, Fault, Limits, QueryResult, Session
from dataflow.databases.deadline import Alarm
from dataflow.databases.files import file_stamp, find_files, quick_stamp
from dataflow.databases.results import Rows, collect, failed, over_time, timed
from dataflow.databases.schema import Schema
from dataflow.databases.tables import asking, assemble, filled

PATTERNS = ("*.duckdb", "*.ddb")
_CHUNK = 64
_CLOSED_IN = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
    "python_enable_replacements": "false",
    "temp_directory": "",
    "max_temp_directory_size": "0KB",
    "threads": "1",
    "lock_configuration": "true",
}
"""No files, network, extensions or variables of Python; a thread a query, for the queries of a batch run side by side."""
_ANSWERS = {"SELECT", "EXPLAIN"}
_TABLES = """
SELECT schema_name, table_name, false, comment, sql FROM duckdb_tables() WHERE NOT internal AND database_name = current_database()
UNION ALL
SELECT schema_name, view_name, true, comment, sql FROM duckdb_views() WHERE NOT internal AND database_name = current_database()"""
_COLUMNS = """
SELECT c.schema_name, c.table_name, c.column_name, c.data_type, c.is_nullable, c.column_default, c.comment,
    EXISTS (SELECT 1 FROM duckdb_constraints() k WHERE k.table_oid = c.table_oid AND k.schema_name = c.schema_name
        AND k.database_oid = c.database_oid AND k.constraint_type = 'PRIMARY KEY'
        AND list_contains(k.constraint_column_names, c.column_name))
FROM duckdb_columns() c WHERE NOT c.internal AND c.database_name = current_database() ORDER BY c.table_oid, c.column_index"""
_KEYS = """
SELECT schema_name, table_name, constraint_index, unnest(constraint_column_names), schema_name, referenced_table,
    unnest(referenced_column_names)
FROM duckdb_constraints() WHERE constraint_type = 'FOREIGN KEY' AND database_name = current_database()"""


class DuckDbConnector(Connector):
    """DuckDB files under one or more folders.

    Settings: `root_path`, a folder, a file or a list of them; `patterns`, the names that files may have.
    """

    name = "duckdb"
    dialect = "duckdb"
    engine = "DuckDB"
    apart = True

    def discover(self, config: Mapping[str, Any]) -> dict[str, DatabaseInfo]:
        _library()
        found = find_files(self.name, config, PATTERNS)
        return {i: DatabaseInfo(i, self.name, {"path": str(p)}) for i, p in found.items()}

    def open(self, info: DatabaseInfo) -> Session:
        return DuckDbSession(info.db_id, Path(info.connection_info["path"]), self.limits.memory_mb)

    def enclose(self) -> None:
        _library()
        super().enclose()

    def version(self, info: DatabaseInfo) -> Any:
        return quick_stamp(Path(info.connection_info["path"]), ".wal")

    def stamp(self, info: DatabaseInfo) -> Any:
        return file_stamp(Path(info.connection_info["path"]), ".wal")


class DuckDbSession(Session):
    """A connection to a file that was opened read-only and closed off from everything else.

    The sessions of one file are of one engine, which bounds their memory together.
    """

    def __init__(self, db_id: str, path: Path, memory_mb: int) -> None:
        self._db_id, self._duckdb = db_id, _library()
        if not path.is_file():
            raise ConfigError(f"database {db_id!r}: there is no file {path}")
        try:
            settings = {"memory_limit": f"{memory_mb}MB", **_CLOSED_IN}
            self._connection = self._duckdb.connect(str(path), read_only=True, config=settings)
        except self._duckdb.Error as error:
            raise ConfigError(f"database {db_id!r}: {path} cannot be opened: {error}") from error

    def execute(self, sql: str, limits: Limits) -> QueryResult:
        return self._bounded(sql, limits, "")

    def explain(self, sql: str, limits: Limits) -> QueryResult:
        return self._bounded(sql, limits, "EXPLAIN ")

    def _bounded(self, sql: str, limits: Limits, before: str) -> QueryResult:
        started = time.perf_counter()
        with Alarm(limits.seconds, self._connection.interrupt) as alarm:
            result = timed(lambda: self._run(sql, limits, before), self._fault_of)
        if not result.success and (alarm.rang or result.fault is Fault.TIMEOUT):
            return failed(Fault.TIMEOUT, over_time(limits), started)
        return result

    def _run(self, sql: str, limits: Limits, before: str) -> tuple[tuple[str, ...], Rows]:
        statement = self._read(sql)
        if before:  # read by itself first, for EXPLAIN ANALYZE would run it
            statement = self._read(before + sql)
        cursor = self._connection.execute(statement)
        try:
            columns = tuple(c[0] for c in cursor.description or ())
            return columns, collect(_fetched(cursor), limits)
        finally:
            self._drain()

    def _read(self, sql: str) -> Any:
        """The one statement of a text, if it reads."""
        statements = self._connection.extract_statements(sql)
        if len(statements) != 1:
            raise _Refused(f"one statement can be run at a time, not {len(statements)}")
        kind = statements[0].type.name
        if kind == "MULTI":  # a PIVOT, which makes a type of its own first
            self.usable = False
        elif kind not in _ANSWERS:
            raise _Refused(f"a query reads; this statement is {kind}")
        return statements[0]

    def _drain(self) -> None:
        """Let go of the rows that were not fetched."""
        self._connection.execute("SELECT 1").fetchall()

    def _fault_of(self, error: Exception) -> tuple[Fault, str]:
        message = str(error).strip()
        if isinstance(error, (UnicodeError, _Refused)):
            return (
                (Fault.FORBIDDEN, message)
                if isinstance(error, _Refused)
                else (Fault.SYNTAX, "not valid Unicode")
            )
        kind = type(error).__name__
        if "read-only" in message or "locked" in message or "disabled by configuration" in message:
            return Fault.FORBIDDEN, message
        if "too large" in message or "maximum supported" in message or "larger than" in message:
            return Fault.TOO_LARGE, message
        if kind == "FatalException" or kind == "ConnectionException":
            self.usable = False
        return _FAULTS.get(kind, Fault.RUNTIME), message

    def schema(self, *, examples: int = 3, samples: int = 2) -> Schema:
        query = asking(self, self._db_id)
        tables = assemble(query(_TABLES), query(_COLUMNS), query(_KEYS), "main")
        return Schema(
            self._db_id, "duckdb", tuple(filled(t, query, "duckdb", examples, samples) for t in tables)
        )

    def close(self) -> None:
        self._connection.close()


class _Refused(Exception):
    pass


_FAULTS = {
    "ParserException": Fault.SYNTAX,
    "SyntaxException": Fault.SYNTAX,
    "CatalogException": Fault.UNKNOWN,
    "BinderException": Fault.UNKNOWN,
    "PermissionException": Fault.FORBIDDEN,
    "InterruptException": Fault.TIMEOUT,
    "OutOfMemoryException": Fault.TOO_LARGE,
    "FatalException": Fault.CONNECTION,
    "ConnectionException": Fault.CONNECTION,
    "IOException": Fault.CONNECTION,
}


def _fetched(cursor: Any) -> Iterator[tuple[Any, ...]]:
    return chain.from_iterable(iter(lambda: cursor.fetchmany(_CHUNK), []))


def _library() -> Any:
    try:
        import duckdb
    except ImportError as error:
        raise MissingDependency("duckdb", "text2sql", "Querying DuckDB") from error
    return duckdb
