"""What a query may do in SQLite: read tables of this file, within limits that SQLite itself holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dataflow.databases.connector import Fault

_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}
_WRITES = {sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE}
_READING_PRAGMAS = frozenset(
    [
        "table_info",
        "table_xinfo",
        "table_list",
        "foreign_key_list",
        "index_list",
        "index_info",
        "index_xinfo",
        "database_list",
        "function_list",
        "collation_list",
        "module_list",
        "pragma_list",
        "compile_options",
    ]
)
_COUNTING_PRAGMAS = frozenset(
    ["data_version", "page_count", "page_size", "schema_version", "user_version", "encoding"]
)
"""Read without an argument; some of them write with one."""
_FORBIDDEN_FUNCTIONS = frozenset(["load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"])
"""Reach files or code."""
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 4 << 20,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 0,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 500,
}


class Guard:
    """What SQLite is to ask about everything that a statement is going to do.

    It also stops a statement being prepared: a query plan that doubles with each of thirty views would otherwise be
    made to its end.
    """

    __slots__ = ("_plain",)

    def __init__(self) -> None:
        self._plain = set(_ALLOWED)

    def authorizer(self) -> Callable[[int, str | None, str | None, str | None, str | None], int]:
        """What SQLite calls, for every column that is read: hence no method, and the common case first."""
        plain, ask = self._plain, self._ask

        def allow(action: int, first: str | None, second: str | None, _: str | None, __: str | None) -> int:
            return sqlite3.SQLITE_OK if action in plain else ask(action, first, second)

        return allow

    def start(self) -> None:
        """A new query may be prepared."""
        if not self._plain:
            self._plain.update(_ALLOWED)

    def stop(self) -> None:
        """The time of the query is over."""
        self._plain.clear()

    def _ask(self, action: int, first: str | None, second: str | None) -> int:
        if not self._plain:
            return sqlite3.SQLITE_DENY
        if action in _WRITES:
            return _verdict(_is_prepared_only(first or ""))
        if action == sqlite3.SQLITE_FUNCTION:
            return _verdict((second or "").lower() not in _FORBIDDEN_FUNCTIONS)
        if action == sqlite3.SQLITE_PRAGMA:
            name = (first or "").lower()
            return _verdict(name in _READING_PRAGMAS or (name in _COUNTING_PRAGMAS and second is None))
        return sqlite3.SQLITE_DENY

    @contextmanager
    def transactions(self) -> Iterator[None]:
        """Within the block a transaction may be begun or ended; no statement of others runs in it."""
        self._plain.add(sqlite3.SQLITE_TRANSACTION)
        try:
            yield
        finally:
            self._plain.discard(sqlite3.SQLITE_TRANSACTION)


def _is_prepared_only(table: str) -> bool:
    """Full-text and R-tree tables prepare writes when they are opened to be read; the read-only file refuses to run them."""
    return table in ("sqlite_master", "sqlite_schema") or table.endswith(("_node", "_rowid", "_parent"))


def _verdict(fine: bool) -> int:
    return sqlite3.SQLITE_OK if fine else sqlite3.SQLITE_DENY


def restrict(connection: sqlite3.Connection) -> Guard:
    """Let a connection do nothing but read, for good: no statement can undo it.

    What reaches files is refused in views too.
    """
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA cache_size = -4000")
    for limit, most in _LIMITS.items():
        connection.setlimit(limit, most)
    guard = Guard()
    connection.set_authorizer(guard.authorizer())
    return guard


def fault_of(error: Exception) -> tuple[Fault, str]:
    """What a query did wrong, by what Python's sqlite3 raised."""
    message = str(error)
    if isinstance(error, sqlite3.DataError):
        return Fault.TOO_LARGE, message
    if isinstance(error, UnicodeError):
        return Fault.SYNTAX, "the statement is not valid Unicode"
    if isinstance(error, (sqlite3.Warning, sqlite3.ProgrammingError)) and "one statement" in message:
        return Fault.FORBIDDEN, "only one statement can be run at a time"
    if (known := _BY_CODE.get(getattr(error, "sqlite_errorname", ""))) is not None:
        return known, message
    return next((fault for start, fault in _BY_TEXT.items() if start in message), Fault.RUNTIME), message


_BY_CODE = {
    "SQLITE_INTERRUPT": Fault.TIMEOUT,
    "SQLITE_AUTH": Fault.FORBIDDEN,
    "SQLITE_READONLY": Fault.FORBIDDEN,
    "SQLITE_TOOBIG": Fault.TOO_LARGE,
    "SQLITE_NOMEM": Fault.TOO_LARGE,
    "SQLITE_FULL": Fault.TOO_LARGE,
    "SQLITE_BUSY": Fault.CONNECTION,
    "SQLITE_LOCKED": Fault.CONNECTION,
    "SQLITE_NOTADB": Fault.CONNECTION,
    "SQLITE_CORRUPT": Fault.CONNECTION,
    "SQLITE_CANTOPEN": Fault.CONNECTION,
}
_BY_TEXT = {
    "not authorized": Fault.FORBIDDEN,
    "prohibited": Fault.FORBIDDEN,
    "unsafe use of": Fault.FORBIDDEN,
    "syntax error": Fault.SYNTAX,
    "incomplete input": Fault.SYNTAX,
    "unrecognized token": Fault.SYNTAX,
    "readonly": Fault.FORBIDDEN,
    "may not be modified": Fault.FORBIDDEN,
    "query is too": Fault.TOO_LARGE,
    "query string is too": Fault.TOO_LARGE,
    "embedded null": Fault.SYNTAX,
    "null character": Fault.SYNTAX,
    "no such": Fault.UNKNOWN,
    "unknown": Fault.UNKNOWN,
    "too big": Fault.TOO_LARGE,
    "too large": Fault.TOO_LARGE,
    "too complex": Fault.TOO_LARGE,
    "stack overflow": Fault.TOO_LARGE,
    "LIKE or GLOB pattern": Fault.TOO_LARGE,
    "Cannot operate on a closed database": Fault.CONNECTION,
}
