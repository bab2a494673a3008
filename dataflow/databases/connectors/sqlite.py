"""SQLite files."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dataflow.core.errors import ConfigError
from dataflow.databases.connector import Connector, DatabaseInfo, Fault, Limits, QueryResult, Session
from dataflow.databases.connectors import sqlite_guard
from dataflow.databases.deadline import Alarm
from dataflow.databases.files import beside, file_stamp, find_files, quick_stamp
from dataflow.databases.results import Rows, collect, failed, over_time, timed

if TYPE_CHECKING:
    from dataflow.databases.schema import Schema

PATTERNS = ("*.sqlite", "*.sqlite3", "*.db")
_LOCKED_S = 0.25
"""How long a query waits for a file that is being written; SQLite cannot be interrupted in it."""
_SHARED_S = 0.05
"""How long queries that follow each other share a transaction; so long a writer may have to wait for them."""
_FOR_SCHEMA = Limits(seconds=2.0, bytes=32 << 20)
_CACHES_MB = 64
"""Of the files that are open."""


class SqliteConnector(Connector):
    """SQLite files under one or more folders.

    Settings: `root_path`, a folder, a file or a list of them; `patterns`, the names that files may have. A database
    is called by the first folder below the root that it lies in, or by its own name without the suffix.
    """

    name = "sqlite"
    dialect = "sqlite"
    engine = "SQLite"
    apart = True

    def discover(self, config: Mapping[str, Any]) -> dict[str, DatabaseInfo]:
        found = find_files(self.name, config, PATTERNS)
        return {
            i: DatabaseInfo(i, self.name, {"path": str(p)}, {"size": p.stat().st_size})
            for i, p in found.items()
        }

    def open(self, info: DatabaseInfo) -> Session:
        return SqliteSession(info.db_id, Path(info.connection_info["path"]))

    def version(self, info: DatabaseInfo) -> Any:
        return quick_stamp(Path(info.connection_info["path"]), "-wal")

    def stamp(self, info: DatabaseInfo) -> Any:
        return file_stamp(Path(info.connection_info["path"]), "-wal")

    def enclose(self) -> None:
        super().enclose()
        connection = sqlite3.connect(":memory:")  # the limit is one for the process
        connection.execute(f"PRAGMA hard_heap_limit = {self.limits.memory_mb + _CACHES_MB << 20}")
        connection.close()


class SqliteSession(Session):
    """A read-only connection to a file; nothing is written beside it either."""

    def __init__(self, db_id: str, path: Path) -> None:
        self._db_id, self._path = db_id, path
        self._still, self._seen = False, None
        self._held, self._until = False, 0.0
        self._connection: sqlite3.Connection | None = None
        self._cursor: sqlite3.Cursor | None = None
        self._connect()

    def _connect(self) -> None:
        """Open the file as it is now.

        A file in WAL mode of which there is no log has all its data in itself, and nobody writes to it: it is opened
        as immutable, for otherwise SQLite would leave a log and its index beside it.
        """
        self.close()
        if not self._path.is_file():
            raise ConfigError(f"database {self._db_id!r}: there is no file {self._path}")
        self._still = self._is_still()
        self._seen = self._now()
        uri = f"file:{quote(str(self._path.absolute()))}?mode=ro{'&immutable=1' if self._still else ''}"
        try:
            connection = self._open(uri)
            self._guard = sqlite_guard.restrict(connection)
        except sqlite3.Error as error:
            raise ConfigError(f"database {self._db_id!r}: {self._path} cannot be opened: {error}") from error
        self._connection = connection

    def _open(self, uri: str) -> sqlite3.Connection:
        return sqlite3.connect(
            uri,
            uri=True,
            timeout=_LOCKED_S,
            check_same_thread=False,
            isolation_level=None,
            cached_statements=0,
        )

    def _is_still(self) -> bool:
        """Whether the file is in WAL mode and has no log."""
        with self._path.open("rb") as file:
            in_wal_mode = file.read(20)[18:20] == b"\2\2"
        log = beside(self._path, "-wal")
        return in_wal_mode and not (log.exists() and log.stat().st_size)

    def _now(self) -> Any:
        """What changes when another file takes the place of this, or one opened as immutable is written to."""
        stat = os.stat(self._path)  # noqa: PTH116  # once a query
        if not self._still:
            return stat.st_dev, stat.st_ino
        log = beside(self._path, "-wal")
        return stat.st_ino, stat.st_size, stat.st_mtime_ns, log.exists() and log.stat().st_size

    def execute(self, sql: str, limits: Limits) -> QueryResult:
        started = time.perf_counter()
        try:
            connection = self._current()
        except (ConfigError, OSError, sqlite3.Error, MemoryError) as error:
            self.usable = False
            return failed(Fault.CONNECTION, str(error), started)
        guard = self._guard
        guard.start()

        def ring() -> None:
            guard.stop()
            connection.interrupt()

        with Alarm(limits.seconds, ring) as alarm:
            result = timed(lambda: self._run(connection, sql, limits), sqlite_guard.fault_of)
        if not result.success and (alarm.rang or result.fault is Fault.TIMEOUT):
            return failed(Fault.TIMEOUT, over_time(limits), started)
        return result

    def hold(self) -> None:
        self._held, self._until = True, 0.0

    def release(self) -> None:
        self._held = False
        self._end()

    def _current(self) -> sqlite3.Connection:
        """The connection to the file as it is.

        While the session is held, queries share a transaction of some milliseconds, which keeps the file locked for
        readers and unchanged: to lock it and to look at it takes as long as a short query.
        """
        connection, now = self._connection, time.monotonic()
        if connection is not None and now < self._until and connection.in_transaction:
            return connection
        self._end()
        if self._connection is None or self._now() != self._seen:
            self._connect()
        assert self._connection is not None
        if self._held:
            with self._guard.transactions():
                self._connection.execute("BEGIN")
            self._until = now + _SHARED_S
        return self._connection

    def _end(self) -> None:
        """End the transaction, if there is one."""
        if self._connection is not None and self._connection.in_transaction:
            try:
                with self._guard.transactions():
                    self._connection.rollback()
            except (sqlite3.Error, MemoryError):
                self.close()

    def _run(self, connection: sqlite3.Connection, sql: str, limits: Limits) -> tuple[tuple[str, ...], Rows]:
        try:
            return self._fetch(connection, sql, limits)
        except sqlite3.OperationalError as error:
            if not str(error).startswith("Could not decode to UTF-8"):
                raise
        connection.text_factory = _lenient
        try:
            return self._fetch(connection, sql, limits)
        finally:
            connection.text_factory = str

    def _fetch(
        self, connection: sqlite3.Connection, sql: str, limits: Limits
    ) -> tuple[tuple[str, ...], Rows]:
        if (cursor := self._cursor) is None:
            cursor = self._cursor = connection.cursor()
        try:
            cursor.execute(sql)
            if cursor.description is None:
                raise sqlite3.OperationalError("syntax error: this is no query")
            return tuple([c[0] for c in cursor.description]), collect(cursor, limits)
        except BaseException:
            self._cursor = None
            cursor.close()
            raise

    def explain(self, sql: str, limits: Limits) -> QueryResult:
        return self.execute(f"EXPLAIN QUERY PLAN {sql}", limits)

    def schema(self, *, examples: int = 3, samples: int = 2) -> Schema:
        from dataflow.databases.connectors import sqlite_schema
        from dataflow.databases.tables import asking

        return sqlite_schema.read(asking(self, self._db_id, _FOR_SCHEMA), self._db_id, examples, samples)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = self._cursor = None


def _lenient(text: bytes) -> str:
    return text.decode("utf-8", "replace")
