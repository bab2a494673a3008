"""The journal: every reply is on disk before it counts, so no call is ever paid for twice."""

from __future__ import annotations

import asyncio
import contextlib
import json
import queue
import sqlite3
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from dataflow.core.errors import StorageError
from dataflow.core.frames import dumps

_SCHEMA = """
CREATE TABLE IF NOT EXISTS replies (
    key BLOB PRIMARY KEY, operator TEXT, model TEXT, body BLOB, prompt_tokens INTEGER,
    completion_tokens INTEGER, cost REAL, seconds REAL, row TEXT, at REAL) WITHOUT ROWID
"""
_INSERT = "INSERT OR IGNORE INTO replies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SELECT = (
    "SELECT body, operator, model, prompt_tokens, completion_tokens, cost, seconds FROM replies WHERE key = ?"
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
        self._waiting: queue.SimpleQueue[tuple[list[Entry], asyncio.Future[None]] | None] = (
            queue.SimpleQueue()
        )
        self._writer = threading.Thread(target=self._write, name="dataflow-journal", daemon=True)
        self._writer.start()

    def get(self, key: bytes) -> Entry | None:
        row = self._reader.execute(_SELECT, (key,)).fetchone()
        return Entry(key, *row) if row else None

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
            update = f"UPDATE replies SET key = randomblob(24) WHERE operator = ? AND row IN ({marks})"  # noqa: S608
            self._reader.execute(update, (operator, *some))

    def totals(self) -> dict[str, float]:
        """What all the replies here took: calls, prompt_tokens, completion_tokens, cost."""
        names = ("prompt_tokens", "completion_tokens", "cost")
        sums = ", ".join(f"coalesce(sum({n}), 0)" for n in names)
        row = self._reader.execute(f"SELECT count(*), {sums} FROM replies").fetchone()  # noqa: S608
        return dict(zip(("calls", *names), row, strict=True))

    def _write(self) -> None:
        connection = _connect(self.path)
        while (first := self._waiting.get()) is not None:
            group, last = self._gather(first)
            fault = _commit(connection, [entry for entries, _ in group for entry in entries])
            for loop in {f.get_loop() for _, f in group}:
                with contextlib.suppress(RuntimeError):  # a loop that was closed waits for nothing
                    loop.call_soon_threadsafe(_settle, [f for _, f in group if f.get_loop() is loop], fault)
            if last:
                break
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
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(_SCHEMA)
    except sqlite3.DatabaseError as error:
        raise StorageError(f"{path} is no journal ({error}); move it away and run again") from error
    return connection


def _commit(connection: sqlite3.Connection, entries: list[Entry]) -> Exception | None:
    now = time.time()
    rows = [
        (
            e.key,
            e.operator,
            e.model,
            e.body,
            e.prompt_tokens,
            e.completion_tokens,
            e.cost,
            e.seconds,
            e.row,
            now,
        )
        for e in entries
    ]
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(_INSERT, rows)
        connection.execute("COMMIT")
    except (sqlite3.Error, ValueError, OverflowError) as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        return StorageError(f"the journal cannot be written: {error}")
    return None


def _settle(futures: list[asyncio.Future[None]], fault: Exception | None) -> None:
    for future in futures:
        if future.done():
            continue
        if fault is None:
            future.set_result(None)
        else:
            future.set_exception(fault)
