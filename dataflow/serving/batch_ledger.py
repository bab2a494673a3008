"""The ledger of batches, beside the journal: what was sent to a provider, under which name, and what came back."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataflow.core.errors import StorageError

PREPARING, POSTING, OPEN = "preparing", "posting", "open"
"""States of a batch that has not ended: not yet uploaded, perhaps created, known to the provider. An ended batch has the
provider's own word: completed, expired, failed, cancelled."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (
    name TEXT PRIMARY KEY, url TEXT, model TEXT, state TEXT, requests INTEGER, file TEXT, batch TEXT,
    created REAL, answered INTEGER DEFAULT 0, note TEXT DEFAULT '');
CREATE TABLE IF NOT EXISTS requests (
    key BLOB PRIMARY KEY, batch TEXT, line INTEGER, tries INTEGER DEFAULT 0, body BLOB) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_batch ON requests (batch);
"""
_TAKE = """
INSERT INTO requests (key, batch, line) VALUES (?, ?, ?)
ON CONFLICT (key) DO UPDATE SET batch = excluded.batch, line = excluded.line
WHERE requests.batch IS NULL AND requests.body IS NULL
"""
_COLUMNS = "name, url, model, state, requests, file, batch, created, answered, note"


@dataclass(frozen=True, slots=True)
class Sent:
    """One batch."""

    name: str
    """What it is known by before the provider has named it; kept in its metadata."""
    url: str
    model: str
    state: str = PREPARING
    requests: int = 0
    file: str = ""
    batch: str = ""
    """The provider's id; empty until it is known."""
    created: float = 0.0
    answered: int = 0
    note: str = ""
    """Why it ended without all its answers."""


@dataclass(frozen=True, slots=True)
class Known:
    """What became of a request so far."""

    batch: str | None
    """The name of the unfinished batch it is in."""
    tries: int
    """Batches that were to answer it and did not."""
    body: bytes | None
    """The answer, as it came."""


class BatchLedger:
    """Batches and their requests in one SQLite file; whatever is written is on disk when the call returns.

    A request is in at most one batch at a time, so it cannot be sent twice while its answer may still come.
    `find`, `batch` and `batches` are for the event loop, quick enough not to hold it up; the others for worker threads.
    """

    @staticmethod
    def beside(journal: Path) -> Path:
        """The ledger's file, given the journal's."""
        return journal.with_name(f"{journal.name}.batches")

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._reader, self._writer = _connect(path), _connect(path)
        self._lock = threading.Lock()

    def close(self) -> None:
        self._reader.close()
        self._writer.close()

    def find(self, key: bytes) -> Known | None:
        row = self._reader.execute("SELECT batch, tries, body FROM requests WHERE key = ?", (key,)).fetchone()
        return Known(*row) if row else None

    def batches(self, url: str = "", model: str = "") -> list[Sent]:
        """All batches, oldest first; those of one address and model where they are given."""
        rows = self._reader.execute(f"SELECT {_COLUMNS} FROM batches ORDER BY created")  # noqa: S608
        return [
            s for s in (Sent(*row) for row in rows) if (not url or s.url == url) and model in ("", s.model)
        ]

    def batch(self, name: str) -> Sent | None:
        query = f"SELECT {_COLUMNS} FROM batches WHERE name = ?"  # noqa: S608
        row = self._reader.execute(query, (name,)).fetchone()
        return Sent(*row) if row else None

    def prepare(self, sent: Sent, keys: Sequence[bytes]) -> set[bytes]:
        """Note a batch down before anything is sent; returns its requests, less those that another batch holds."""
        with self._writing() as db:
            db.executemany(_TAKE, [(key, sent.name, i) for i, key in enumerate(keys, 1)])
            taken = {k for (k,) in db.execute("SELECT key FROM requests WHERE batch = ?", (sent.name,))}
            if len(taken) < len(keys):
                lines = [(i, key) for i, key in enumerate((k for k in keys if k in taken), 1)]
                db.executemany("UPDATE requests SET line = ? WHERE key = ?", lines)
            row = (sent.name, sent.url, sent.model, sent.state, len(taken), "", "", time.time())
            if taken:
                db.execute("INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, '')", row)
        return taken

    def posting(self, name: str, file: str) -> None:
        """The file is there, and the batch is about to be created: from here on it may exist."""
        with self._writing() as db:
            update = "UPDATE batches SET state = ?, file = ?, created = ? WHERE name = ?"
            db.execute(update, (POSTING, file, time.time(), name))

    def opened(self, name: str, batch: str) -> None:
        with self._writing() as db:
            db.execute("UPDATE batches SET state = ?, batch = ? WHERE name = ?", (OPEN, batch, name))

    def answer(self, name: str, answers: Mapping[bytes, bytes]) -> None:
        """Keep answers of a batch; those of requests that it does not hold any more are left out."""
        with self._writing() as db:
            update = "UPDATE requests SET body = ?, batch = NULL WHERE key = ? AND batch = ?"
            done = db.executemany(update, [(body, key, name) for key, body in answers.items()])
            db.execute("UPDATE batches SET answered = answered + ? WHERE name = ?", (done.rowcount, name))

    def free(self, name: str, keys: Sequence[bytes], tries: int) -> dict[bytes, int]:
        """Take requests out of a batch, `tries` added to their tries; returns the sums of those that were in it."""
        freed: dict[bytes, int] = {}
        update = (
            "UPDATE requests SET batch = NULL, tries = tries + ? WHERE key = ? AND batch = ? RETURNING tries"
        )
        with self._writing() as db:
            for key in keys:
                for (total,) in db.execute(update, (tries, key, name)).fetchall():
                    freed[key] = total
        return freed

    def forget(self, keys: Sequence[bytes]) -> None:
        with self._writing() as db:
            db.executemany("DELETE FROM requests WHERE key = ? AND batch IS NULL", [(k,) for k in keys])

    def left(self, name: str) -> list[bytes]:
        """The requests of a batch that have no answer, in the order of its lines."""
        return [k for (k,) in self._read("SELECT key FROM requests WHERE batch = ? ORDER BY line", name)]

    def lines(self, name: str) -> dict[int, bytes]:
        """The requests of a batch by the number of their line, from 1."""
        return dict(self._read("SELECT line, key FROM requests WHERE batch = ?", name))

    def answered(self) -> list[bytes]:
        """The requests whose answers are kept here."""
        return [k for (k,) in self._read("SELECT key FROM requests WHERE body IS NOT NULL")]

    def _read(self, query: str, *values: str) -> list[Any]:
        """Rows, read where they are written: one more reader would hold up what the event loop's sees."""
        with self._lock:
            return self._writer.execute(query, values).fetchall()

    def end(self, name: str, state: str, note: str = "") -> None:
        with self._writing() as db:
            db.execute("UPDATE batches SET state = ?, note = ? WHERE name = ?", (state, note, name))

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                yield self._writer
                self._writer.execute("COMMIT")
            except sqlite3.Error as error:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise StorageError(
                    f"{self.path}: the ledger of batches cannot be written: {error}"
                ) from error


def _connect(path: Path) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=60)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.executescript(_SCHEMA)
    except sqlite3.DatabaseError as error:
        raise StorageError(f"{path} is no ledger of batches ({error}); move it away and run again") from error
    return connection
