"""PostgreSQL servers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

from dataflow.core.errors import ConfigError, MissingDependency
from dataflow.databases.connector import (
    ConnectionLost,
    Connector,
    DatabaseInfo,
    Fault,
    Limits,
    QueryResult,
    Session,
)
from dataflow.databases.connectors import postgres_catalogue
from dataflow.databases.deadline import Alarm
from dataflow.databases.results import Rows, collect, failed, over_time, timed
from dataflow.databases.schema import Schema
from dataflow.databases.secrets import without
from dataflow.databases.tables import asking

_CONNECT_S = 10
_SETTINGS = {
    "default_transaction_read_only": "on",
    "idle_in_transaction_session_timeout": "60s",
    "lock_timeout": "1s",
    "cursor_tuple_fraction": "1.0",
    "client_encoding": "UTF8",
    "jit": "off",
}
_POWERS = """
SELECT rolsuper, rolreplication,
    ARRAY(SELECT rolname FROM pg_roles WHERE rolname IN
        ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program')
        AND pg_has_role(current_user, oid, 'MEMBER'))
FROM pg_roles WHERE rolname = current_user"""
_ADVICE = """Make a role that can only read and name it in config:
    CREATE ROLE reader LOGIN PASSWORD '...' NOSUPERUSER NOCREATEDB NOCREATEROLE;
    GRANT pg_read_all_data TO reader;  -- before PostgreSQL 14: GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader"""


class PostgresConnector(Connector):
    """The databases of a PostgreSQL server.

    Settings: `host`, `port`, `user`, `password`, and what else libpq knows, or `url`; `databases`, their names, for all
    that the role may connect to. A database's id is its name. The role must not be a superuser, nor one that may read
    files of the server: a query of its could.
    """

    name = "postgresql"
    dialect = "postgres"
    engine = "PostgreSQL"

    def discover(self, config: Mapping[str, Any]) -> dict[str, DatabaseInfo]:
        wanted = {
            k: v for k, v in config.items() if k not in ("databases", "database", "url") and v is not None
        }
        if url := config.get("url"):
            wanted = _library().conninfo.conninfo_to_dict(url) | wanted
        if database := config.get("database"):
            wanted["dbname"] = database
        names = config.get("databases")
        if isinstance(names, str):
            names = [names]
        if not names and "dbname" in wanted and wanted["dbname"] != "postgres":
            names = [wanted["dbname"]]
        if not names:
            with _connect({"dbname": "postgres"} | wanted) as connection:
                names = [row[0] for row in connection.execute(postgres_catalogue.DATABASES)]
        if not names:
            raise ConfigError("postgresql: the role may connect to no database")
        return {n: DatabaseInfo(n, self.name, wanted | {"dbname": n}) for n in names}

    def open(self, info: DatabaseInfo) -> Session:
        return PostgresSession(info.db_id, _connect(info.connection_info), info.connection_info)


class PostgresSession(Session):
    """A connection whose every query is a cursor in a read-only transaction that is rolled back.

    PostgreSQL makes cursors of reading statements only, one at a time. What a query may leave behind in the session,
    such as advisory locks, is let go of after it.
    """

    def __init__(self, db_id: str, connection: Any, info: Mapping[str, Any]) -> None:
        self._db_id, self._connection, self._info = db_id, connection, info
        self._psycopg = _library()
        try:
            _check_role(db_id, connection)
        except self._psycopg.Error as error:
            connection.close()
            raise ConnectionLost(f"database {db_id!r}: {without(info, str(error))}") from None

    def execute(self, sql: str, limits: Limits) -> QueryResult:
        return self._bounded(sql, limits, self._select)

    def explain(self, sql: str, limits: Limits) -> QueryResult:
        return self._bounded(sql, limits, self._plan)

    def _bounded(self, sql: str, limits: Limits, run: Any) -> QueryResult:
        started = time.perf_counter()
        with Alarm(limits.seconds + 0.05, self._cancel) as alarm:
            result = timed(lambda: run(sql, limits), self._fault_of)
        self._clean()
        if not result.success and (alarm.rang or result.fault is Fault.TIMEOUT):
            return failed(Fault.TIMEOUT, over_time(limits), started)
        return result

    def _cancel(self) -> None:
        """Ask the server to stop; over a connection of its own, so not in the thread that watches the time."""
        threading.Thread(target=self._connection.cancel, daemon=True).start()

    def _begin(self, limits: Limits) -> None:
        milliseconds = max(1, int(limits.seconds * 1000))
        memory = max(1, limits.memory_mb // 8)
        self._connection.execute(
            f"BEGIN READ ONLY; SET LOCAL statement_timeout = {milliseconds}; SET LOCAL work_mem = '{memory}MB'; SELECT 1"
        )

    def _select(self, sql: str, limits: Limits) -> tuple[tuple[str, ...], Rows]:
        self._begin(limits)
        try:
            return self._fetch(self._connection.cursor(), sql, limits)
        except self._psycopg.DataError as error:
            if error.sqlstate is not None:
                raise
        # Python has no infinite dates, nor any before the year 1: they stay text
        self._connection.execute("ROLLBACK")
        self._begin(limits)
        cursor = self._connection.cursor()
        for kind in ("date", "timestamp", "timestamptz", "interval", "time", "timetz"):
            cursor.adapters.register_loader(kind, self._psycopg.types.string.TextLoader)
        return self._fetch(cursor, sql, limits)

    def _fetch(self, cursor: Any, sql: str, limits: Limits) -> tuple[tuple[str, ...], Rows]:
        # binary: the extended protocol, which takes one statement
        cursor.execute(f"DECLARE dataflow_query NO SCROLL CURSOR FOR {sql}", binary=True)
        cursor.execute("FETCH FORWARD 1 FROM dataflow_query")
        columns = tuple(c.name for c in cursor.description or ())
        return columns, collect(_fetched(cursor), limits)

    def _plan(self, sql: str, limits: Limits) -> tuple[tuple[str, ...], Rows]:
        self._begin(limits)
        cursor = self._connection.cursor()
        cursor.execute(f"DECLARE dataflow_query NO SCROLL CURSOR FOR {sql}", binary=True)
        cursor.execute(f"EXPLAIN (COSTS OFF) {sql}", binary=True)
        return ("plan",), tuple(cursor.fetchall())

    def _clean(self) -> None:
        """Leave the session as it was; a session in which that fails is given up."""
        try:
            self._connection.execute("ROLLBACK; SELECT pg_advisory_unlock_all()")
        except self._psycopg.Error:
            self.usable = False
        self.usable = self.usable and not self._connection.closed

    def _fault_of(self, error: Exception) -> tuple[Fault, str]:
        message = without(self._info, str(error).strip())
        state = getattr(error, "sqlstate", None) or ""
        if self._connection.closed:
            self.usable = False
            return Fault.CONNECTION, message
        if state == "42601":
            several = "multiple commands" in message
            return (Fault.FORBIDDEN if several or _is_no_query(message) else Fault.SYNTAX), message
        known = next((f for code, f in _FAULTS.items() if state.startswith(code)), None)
        return known or Fault.RUNTIME, message

    def schema(self, *, examples: int = 3, samples: int = 2) -> Schema:
        return postgres_catalogue.read(asking(self, self._db_id), self._db_id, examples, samples)

    def close(self) -> None:
        self._connection.close()


_FAULTS = {
    "42P01": Fault.UNKNOWN,
    "42703": Fault.UNKNOWN,
    "42883": Fault.UNKNOWN,
    "42704": Fault.UNKNOWN,
    "3F000": Fault.UNKNOWN,
    "42P11": Fault.FORBIDDEN,
    "42501": Fault.FORBIDDEN,
    "25001": Fault.FORBIDDEN,
    "25006": Fault.FORBIDDEN,
    "0A000": Fault.FORBIDDEN,
    "57014": Fault.TIMEOUT,
    "53": Fault.TOO_LARGE,
    "54": Fault.TOO_LARGE,
    "57P": Fault.CONNECTION,
    "08": Fault.CONNECTION,
}


def _is_no_query(message: str) -> bool:
    """Whether a cursor was refused at its first word, as one of INSERT, SET, COPY … is."""
    first = message.partition("LINE 1:")[2]
    line, _, caret = first.partition("\n")
    return (
        len(caret) - len(caret.lstrip()) <= len("LINE 1: DECLARE dataflow_query NO SCROLL CURSOR FOR ")
        and "CURSOR FOR" in line
    )


def _fetched(cursor: Any) -> Iterator[tuple[Any, ...]]:
    """All rows, more and more at a time; the first is there already."""
    size = 1
    while rows := cursor.fetchall():
        yield from rows
        size = min(size * 4, 256)
        cursor.execute(f"FETCH FORWARD {size} FROM dataflow_query")


def _check_role(db_id: str, connection: Any) -> None:
    superuser, replicates, files = connection.execute(_POWERS).fetchone()
    if superuser or replicates or files:
        what = (
            "a superuser"
            if superuser
            else f"may do more than read tables ({', '.join(files) or 'replication'})"
        )
        connection.close()
        raise ConfigError(
            f"database {db_id!r}: the role is {what}, so a query could read files of the server or run programs. {_ADVICE}"
        )


def _connect(info: Mapping[str, Any]) -> Any:
    psycopg = _library()
    options = " ".join(f"-c {k}={v}" for k, v in _SETTINGS.items())
    given = {"connect_timeout": _CONNECT_S, "application_name": "dataflow"} | dict(info)
    given["options"] = f"{options} {given.get('options', '')}".strip()
    try:
        return psycopg.connect(**given, autocommit=True)
    except (psycopg.Error, UnicodeError) as error:
        name, said = info.get("dbname", ""), without(info, str(error))
        kind = ConnectionLost if "administrator command" in said else ConfigError
        raise kind(f"postgresql: database {name!r} cannot be opened: {said}") from None


def _library() -> Any:
    try:
        import psycopg
        import psycopg.conninfo
        import psycopg.types.string
    except ImportError as error:
        raise MissingDependency("psycopg", "text2sql", "Querying PostgreSQL") from error
    return psycopg
