"""The journal: every reply is on disk before it counts, so no call is ever paid for twice."""

from __future__ import annotations

import asyncio
import contextlib
import json
import queue
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from dataflow.core.errors import StorageError
from dataflow.core.frames import dumps

_VERSION = 2
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    """CREATE TABLE IF NOT EXISTS replies (
    id INTEGER PRIMARY KEY, key BLOB NOT NULL, operator INTEGER, model INTEGER, body BLOB, prompt_tokens INTEGER,
    completion_tokens INTEGER, nanodollars INTEGER, milliseconds INTEGER, row)""",
    "CREATE UNIQUE INDEX IF NOT EXISTS replies_by_key ON replies (key)",
    f"PRAGMA user_version = {_VERSION}",
)
_NAME = "INSERT INTO names (name) VALUES (?) ON CONFLICT (name) DO UPDATE SET name = name RETURNING id"
_INSERT = "INSERT OR IGNORE INTO replies VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SELECT = "SELECT body, operator, model, prompt_tokens, completion_tokens, nanodollars, milliseconds FROM replies WHERE key = ?"
_SET_ASIDE = (
    "UPDATE replies SET key = randomblob(24) "
    "WHERE operator = (SELECT id FROM names WHERE name = ?) AND row IN ({})"
)
_MIGRATE = (
    "ALTER TABLE replies RENAME TO replies_1",
    *_SCHEMA,
    "INSERT OR IGNORE INTO names (name) SELECT operator FROM replies_1 UNION SELECT model FROM replies_1",
    """INSERT INTO replies SELECT NULL, key, o.id, m.id, body, prompt_tokens, completion_tokens,
    CAST(round(cost * 1e9) AS INTEGER), CAST(round(seconds * 1e3) AS INTEGER), CASE WHEN length(row) < 16 AND row NOT LIKE '-%'
    AND CAST(CAST(row AS INTEGER) AS TEXT) = row THEN CAST(row AS INTEGER) ELSE row END
    FROM replies_1 JOIN names o ON o.name = operator JOIN names m ON m.name = model ORDER BY at""",
    "DROP TABLE replies_1",
)
_SETTINGS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA cache_size=-65536",
    "PRAGMA journal_size_limit=8388608",
)
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """One reply as it came, raw: what is parsed from it is no part of it."""

    key: bytes
    body: bytes
    operator: str = ""
    model: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    seconds: float = 0.0
    row: str = ""
    """The row on whose behalf it was asked first."""


def key_of(*parts: Any) -> bytes:
    """The key of a canonical request: equal values give equal keys, whatever the order of dict keys."""
    try:
        text = orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)
    except (TypeError, orjson.JSONEncodeError):
        text = json.dumps(parts, sort_keys=True, default=_plain).encode()
    return blake2b(text, digest_size=16).digest()


def _plain(value: Any) -> Any:
    return orjson.loads(dumps(value))


class Journal:
    """Replies by key in one SQLite file. Written by one thread that commits whatever has gathered at once.

    `put` returns when the reply has been synced to disk; `get` sees every reply that was put.
    """

    _open: dict[Path, Journal] = {}
    _lock = threading.Lock()

    @classmethod
    def at(cls, path: Path) -> Journal:
        """The journal of that file, one a process."""
        path = path.absolute()
        with cls._lock:
            journal = cls._open.get(path)
            if journal is None or not path.exists():  # a folder may be deleted while its journal is open
                journal = cls._open[path] = cls(path)
            return journal

    def __init__(self, path: Path) -> None:
        self.path, self._closed = path, False
        path.parent.mkdir(parents=True, exist_ok=True)
        self._reader = _connect(path)
        self._names: dict[int, str] = {}
        self._waiting: queue.SimpleQueue[tuple[list[Entry], asyncio.Future[None]] | None] = (
            queue.SimpleQueue()
        )
        self._writer = threading.Thread(target=self._write, name="dataflow-journal", daemon=True)
        self._writer.start()

    def get(self, key: bytes) -> Entry | None:
        row = self._reader.execute(_SELECT, (key,)).fetchone()
        if row is None:
            return None
        body, operator, model, prompt, completion, nanodollars, milliseconds = row
        names = self._name(operator), self._name(model)
        return Entry(key, body, *names, prompt, completion, nanodollars / 1e9, milliseconds / 1e3)

    async def put(self, entries: list[Entry]) -> None:
        """Keep replies; returns when they are durable."""
        if self._closed:
            raise StorageError(f"{self.path}: the journal is closed")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.put((entries, done))
        await done

    def close(self) -> None:
        """Write what is left, and let the file go."""
        with self._lock:
            if self._open.get(self.path.absolute()) is self:
                del self._open[self.path.absolute()]
        self._closed = True
        self._waiting.put(None)
        self._writer.join(timeout=30)
        self._reader.close()

    def __len__(self) -> int:
        (count,) = self._reader.execute("SELECT count(*) FROM replies").fetchone()
        return int(count)

    def set_aside(self, operator: str, rows: Sequence[str]) -> None:
        """Never give the replies about these rows again. They stay in the account: they were paid for."""
        for first in range(0, len(rows), _AT_ONCE):
            some = rows[first : first + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            self._reader.execute(_SET_ASIDE.format(marks), (operator, *map(_compact, some)))

    def totals(self) -> dict[str, float]:
        """What all the replies here took: calls, prompt_tokens, completion_tokens, cost."""
        names = ("prompt_tokens", "completion_tokens", "nanodollars")
        sums = ", ".join(f"coalesce(sum({n}), 0)" for n in names)
        row = self._reader.execute(f"SELECT count(*), {sums} FROM replies").fetchone()  # noqa: S608
        calls, prompt, completion, nanodollars = row
        taken = {"calls": calls, "prompt_tokens": prompt, "completion_tokens": completion}
        return taken | {"cost": nanodollars / 1e9}

    def _name(self, number: int) -> str:
        """An operator's or model's name, which the file holds once."""
        if number not in self._names:
            self._names = dict(self._reader.execute("SELECT id, name FROM names"))
        return self._names[number]

    def _write(self) -> None:
        connection, names = _connect(self.path), dict[str, int]()
        while (first := self._waiting.get()) is not None:
            group, last = self._gather(first)
            fault = _commit(connection, names, [entry for entries, _ in group for entry in entries])
            for loop in {f.get_loop() for _, f in group}:
                with contextlib.suppress(RuntimeError):  # a loop that was closed waits for nothing
                    loop.call_soon_threadsafe(_settle, [f for _, f in group if f.get_loop() is loop], fault)
            if last:
                break
        with contextlib.suppress(sqlite3.Error):
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()

    def _gather(
        self, first: tuple[list[Entry], asyncio.Future[None]]
    ) -> tuple[list[tuple[list[Entry], asyncio.Future[None]]], bool]:
        group = [first]
        while not self._waiting.empty():
            item = self._waiting.get()
            if item is None:
                return group, True
            group.append(item)
        return group, False


def _connect(path: Path) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=60)
        for setting in _SETTINGS:
            connection.execute(setting)
        _make(connection)
    except sqlite3.DatabaseError as error:
        raise StorageError(f"{path} is no journal ({error}); move it away and run again") from error
    return connection


def _make(connection: sqlite3.Connection) -> None:
    """Make the tables where there are none, or make them of those that version 0.1.0 wrote."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == _VERSION:
        return
    if version > _VERSION:
        raise sqlite3.DatabaseError(f"version {version}, written by a later release")
    connection.execute("BEGIN IMMEDIATE")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        old = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'replies'").fetchone()
        for statement in () if version == _VERSION else _MIGRATE if old else _SCHEMA:
            connection.execute(statement)
        connection.execute("COMMIT")
    except sqlite3.Error:
        connection.execute("ROLLBACK")
        raise


def _compact(row: str) -> str | int:
    """A row id as SQLite keeps it in the least room: most are whole numbers."""
    return int(row) if len(row) < 16 and row.isdecimal() and row.isascii() and str(int(row)) == row else row


def _commit(connection: sqlite3.Connection, names: dict[str, int], entries: list[Entry]) -> Exception | None:
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(_INSERT, [_row(connection, names, e) for e in entries])
        connection.execute("COMMIT")
    except (sqlite3.Error, ValueError, OverflowError) as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        names.clear()
        return StorageError(f"the journal cannot be written: {error}")
    return None


def _row(connection: sqlite3.Connection, names: dict[str, int], e: Entry) -> tuple[Any, ...]:
    for name in (e.operator, e.model):
        if name not in names:
            (names[name],) = connection.execute(_NAME, (name,)).fetchone()
    cost, took = round(e.cost * 1e9), round(e.seconds * 1e3)
    tokens = e.prompt_tokens, e.completion_tokens
    return e.key, names[e.operator], names[e.model], e.body, *tokens, cost, took, _compact(e.row)


def _settle(futures: list[asyncio.Future[None]], fault: Exception | None) -> None:
    for future in futures:
        if future.done():
            continue
        if fault is None:
            future.set_result(None)
        else:
            future.set_exception(fault)
