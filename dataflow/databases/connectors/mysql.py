"""MySQL and MariaDB servers."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
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
from dataflow.databases.connectors import mysql_catalogue
from dataflow.databases.deadline import Alarm
from dataflow.databases.results import Rows, collect, failed, over_time, timed
from dataflow.databases.schema import Schema
from dataflow.databases.secrets import without
from dataflow.databases.tables import FOR_SCHEMA, asking

_CONNECT_S = 10
_QUERY = re.compile(
    r"(?:\s|--\s[^\n]*(?:\n|$)|\#[^\n]*(?:\n|$)|/\*(?![!M+]).*?\*/|\()*(select|with|values|table|show|desc|describe|explain)\b",
    re.IGNORECASE | re.DOTALL,
)
"""How a reading statement begins. Not what keeps a database from being written to: that is the transaction, which is
read-only; but SET, KILL, DO, USE and the like change the session or the server, which it does not prevent."""
_LEAVES = re.compile(r"@|lock|/\*[!M]|\binto\b", re.IGNORECASE)
"""What may leave something behind in a session: a variable, a lock."""
_POWERS = re.compile(r"\b(?:ALL PRIVILEGES|FILE|SUPER)\b.* ON \*\.\* ", re.IGNORECASE)
_ADVICE = """Make a user that can only read and name it in config:
    CREATE USER reader IDENTIFIED BY '...'; GRANT SELECT, SHOW VIEW ON *.* TO reader"""


class MySqlConnector(Connector):
    """The databases of a MySQL or MariaDB server.

    Settings: `host`, `port`, `unix_socket`, `user`, `password` and what else pymysql knows; `databases`, their names,
    for all that the user can see. A database's id is its name. The user must not have FILE or SUPER: a query of its
    could read and write files of the server.
    """

    name = "mysql"
    dialect = "mysql"
    engine = "MySQL"

    def discover(self, config: Mapping[str, Any]) -> dict[str, DatabaseInfo]:
        wanted = {
            k: v for k, v in config.items() if k not in ("databases", "database", "db") and v is not None
        }
        names = config.get("databases") or config.get("database") or config.get("db")
        if isinstance(names, str):
            names = [names]
        if not names:
            connection = _connect(wanted)
            try:
                with connection.cursor() as cursor:
                    cursor.execute(mysql_catalogue.DATABASES)
                    names = [row[0] for row in cursor.fetchall()]
            finally:
                connection.close()
        if not names:
            raise ConfigError("mysql: the user can see no database")
        return {n: DatabaseInfo(n, self.name, wanted | {"database": n}) for n in names}

    def open(self, info: DatabaseInfo) -> Session:
        return MySqlSession(info.db_id, info.connection_info)


class MySqlSession(Session):
    """A connection whose every query runs in a read-only transaction that is rolled back."""

    def __init__(self, db_id: str, info: Mapping[str, Any]) -> None:
        self._db_id, self._info = db_id, info
        self._connection = _connect(info)
        self._thread = self._connection.thread_id()
        try:
            _check_user(db_id, self._connection)
        except _library().MySQLError as error:
            raise ConnectionLost(f"database {db_id!r}: {without(info, str(error))}") from None
        self._seconds: float | None = None
        self._mariadb = "mariadb" in str(self._connection.get_server_info()).lower()

    def execute(self, sql: str, limits: Limits) -> QueryResult:
        return self._bounded(sql, limits, "")

    def explain(self, sql: str, limits: Limits) -> QueryResult:
        return self._bounded(sql, limits, "EXPLAIN ")

    def _bounded(self, sql: str, limits: Limits, before: str) -> QueryResult:
        started = time.perf_counter()
        if _QUERY.match(sql) is None:
            return failed(
                Fault.FORBIDDEN, "a query reads: SELECT, WITH, VALUES, TABLE, SHOW, DESCRIBE or EXPLAIN"
            )
        with Alarm(limits.seconds + 0.05, self._kill) as alarm:
            result = timed(lambda: self._run(before + sql, limits), self._fault_of)
        if alarm.rang or _LEAVES.search(sql):
            self.usable = False
        if alarm.rang or result.fault is Fault.TIMEOUT or result.seconds >= limits.seconds:
            # some functions end early and give a value when they are stopped
            return failed(Fault.TIMEOUT, over_time(limits), started)
        return result

    def _kill(self) -> None:
        """Ask the server to stop the query; over another connection, so not in the thread that watches the time."""
        threading.Thread(target=_kill, args=(self._info, self._thread), daemon=True).start()

    def _run(self, sql: str, limits: Limits) -> tuple[tuple[str, ...], Rows]:
        if self._seconds != limits.seconds:
            self._limit(limits)
        with self._connection.cursor() as cursor:
            cursor.execute("START TRANSACTION READ ONLY")
        cursor = self._connection.cursor(_library().cursors.SSCursor)
        try:
            cursor.execute(sql)
            columns = tuple(c[0] for c in cursor.description or ())
            return columns, collect(_fetched(cursor), limits)
        finally:
            self._end(cursor)

    def _limit(self, limits: Limits) -> None:
        wanted = {"max_statement_time": limits.seconds, "max_session_mem_used": limits.memory_mb << 20}
        if not self._mariadb:
            wanted = {"max_execution_time": int(limits.seconds * 1000)}
        with self._connection.cursor() as cursor:
            for name, value in wanted.items():
                cursor.execute(f"SET SESSION {name} = {value}")
        self._seconds = limits.seconds

    def _end(self, cursor: Any) -> None:
        """End the transaction. Rows that were not fetched would have to be read to the last: better a new connection."""
        unread = cursor._result
        if unread is not None and unread.unbuffered_active:
            self.usable = unread.unbuffered_active = False
            self._connection._force_close()
            return
        cursor.close()
        if self._connection.open:
            self._connection.rollback()

    def _fault_of(self, error: Exception) -> tuple[Fault, str]:
        code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        message = without(self._info, str(error.args[1] if len(error.args) > 1 else error))
        if not self._connection.open:
            self.usable = False
        return _FAULTS.get(code, Fault.RUNTIME if self.usable else Fault.CONNECTION), message

    def schema(self, *, examples: int = 3, samples: int = 2) -> Schema:
        self._limit(FOR_SCHEMA)
        return mysql_catalogue.read(asking(self, self._db_id), self._db_id, examples, samples)

    def close(self) -> None:
        if self._connection.open:
            self._connection.close()


_FAULTS = {
    1064: Fault.SYNTAX,
    1149: Fault.SYNTAX,
    1046: Fault.UNKNOWN,
    1049: Fault.UNKNOWN,
    1051: Fault.UNKNOWN,
    1054: Fault.UNKNOWN,
    1109: Fault.UNKNOWN,
    1146: Fault.UNKNOWN,
    1305: Fault.UNKNOWN,
    1630: Fault.UNKNOWN,
    1044: Fault.FORBIDDEN,
    1045: Fault.FORBIDDEN,
    1142: Fault.FORBIDDEN,
    1143: Fault.FORBIDDEN,
    1227: Fault.FORBIDDEN,
    1290: Fault.FORBIDDEN,
    1370: Fault.FORBIDDEN,
    1568: Fault.FORBIDDEN,
    1792: Fault.FORBIDDEN,
    1317: Fault.TIMEOUT,
    1969: Fault.TIMEOUT,
    3024: Fault.TIMEOUT,
    1037: Fault.TOO_LARGE,
    1038: Fault.TOO_LARGE,
    1114: Fault.TOO_LARGE,
    1153: Fault.TOO_LARGE,
    1301: Fault.TOO_LARGE,
    2006: Fault.CONNECTION,
    2013: Fault.CONNECTION,
}


def _fetched(cursor: Any) -> Iterator[tuple[Any, ...]]:
    next_row: Callable[[], Any] = cursor.fetchone
    return iter(next_row, None)


def _kill(info: Mapping[str, Any], thread: int) -> None:
    try:
        connection = _connect(info)
        with connection.cursor() as cursor:
            cursor.execute(f"KILL QUERY {thread}")
        connection.close()
    except Exception:  # noqa: BLE001  # the query has ended, or the server is gone; the batch does not wait for it
        return


def _check_user(db_id: str, connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW GRANTS")
        grants = [str(row[0]) for row in cursor.fetchall()]
    if risky := next((m[0] for g in grants if (m := _POWERS.search(g))), None):
        connection.close()
        raise ConfigError(
            f"database {db_id!r}: the user has {risky.strip()!r}, so a query could read and write files of the server. {_ADVICE}"
        )


def _connect(info: Mapping[str, Any]) -> Any:
    pymysql = _library()
    given = {"connect_timeout": _CONNECT_S, "charset": "utf8mb4", "autocommit": False} | dict(info)
    given |= {"local_infile": False, "client_flag": 0}
    try:
        return pymysql.connect(**given)
    except (pymysql.MySQLError, TypeError) as error:
        raise ConfigError(f"mysql: the server refuses the connection: {without(info, str(error))}") from None


def _library() -> Any:
    try:
        import pymysql
        import pymysql.cursors
    except ImportError as error:
        raise MissingDependency("pymysql", "text2sql", "Querying MySQL") from error
    return pymysql
