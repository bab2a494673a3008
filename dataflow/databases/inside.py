"""The process in which an engine runs: it opens sessions and answers one query after the other.

What it loads is what a first query waits for: so little besides the engine.
"""

from __future__ import annotations

import gc
import time
from collections import deque
from importlib import import_module
from typing import Any

from dataflow.core.errors import ConfigError
from dataflow.core.inside import Parent, end_in
from dataflow.databases.connector import Connector, DatabaseInfo, Fault, Limits, QueryResult, Session
from dataflow.databases.frames import Asked, Told, What, dump, load
from dataflow.databases.pool import Pool
from dataflow.databases.worker import Worker

_OTHER_S = 10.0
"""More than the opening of a file may take, or one statement of a schema."""
_MOST_IDLE = 16
_LATE_S = 1.5
_AGAIN_S = 0.25
_GATHERED_S = 0.002
"""For how long the results of short queries are gathered before they are sent."""


def serve() -> None:
    """Answer queries until the parent ends."""
    parent = Parent()
    home, name, limits, embeds = load(parent.frame())
    connector: Connector = getattr(import_module(home), name)()
    connector.limits = Limits(*limits)
    connector.enclose()
    gc.freeze()
    parent.nurse()
    inside = Inside(parent, connector)
    if embeds:
        connector.embedding_serving = inside
    inside.run()


class Inside:
    """The queries that wait here, and the sessions they run on."""

    def __init__(self, parent: Parent, connector: Connector) -> None:
        self._parent = parent
        self._connector = connector
        self._databases: dict[str, DatabaseInfo] = {}
        self._pool = Pool(self._open, _MOST_IDLE)
        self._limits = connector.limits
        self._worker = Worker(self._pool, self._databases.__getitem__, self._limits)
        self._waiting: deque[tuple[int, str, Any, int]] = deque()
        self._done: list[tuple[Any, ...]] = []
        self._running: int | None = None
        self._armed = self._sent = 0.0

    def run(self) -> None:
        """Answer one query after the other."""
        while True:
            if not self._waiting:
                self._armed = 0.0
                end_in(0)
                self._parent.mark(-1)
                self._take(load(self._parent.frame()))
                continue
            number, db_id, sql, what = self._waiting.popleft()
            self._running = number
            self._parent.mark(number)
            if what == What.SCHEMA:
                came = self._schema(number, db_id, *sql)
            else:
                self._arm(self._limits.seconds)
                came = _told(number, self._worker((db_id, sql, what == What.EXPLAIN)))
            self._done.append(came)
            self._running = None
            if not self._waiting:
                self._worker.close()
                self._send()
            elif time.monotonic() - self._sent > _GATHERED_S:
                self._send()
                while self._parent.waiting():
                    self._take(load(self._parent.frame()))

    def generate_embedding_from_input(self, texts: list[str]) -> list[Any]:
        """Ask the parent for the vectors of texts.

        Raises:
            ConfigError: its serving failed.
        """
        self._tell(Told.ASKS, list(texts))
        while True:
            frame = load(self._parent.frame())
            if frame[0] == Asked.VECTORS:
                break
            self._take(frame)
        _, vectors, error = frame
        if error:
            raise ConfigError(error)
        return list(vectors)

    def _take(self, frame: tuple[Any, ...]) -> None:
        if frame[0] == Asked.RUN:
            _, limits, databases, queries = frame
            self._limits = self._worker.limits = Limits(*limits)
            for db_id, kind, info in databases:
                self._databases[db_id] = DatabaseInfo(db_id, kind, info)
            self._waiting += queries
        elif frame[0] == Asked.RECALL:
            self._waiting.clear()
            self._tell(Told.RECALLED, self._running)

    def _tell(self, *message: Any) -> None:
        self._send()
        self._parent.send(dump(message))

    def _send(self) -> None:
        """Send the results that were gathered."""
        done, self._done = self._done, []
        self._sent = time.monotonic()
        if not done:
            return
        try:
            self._parent.send(dump((Told.RESULTS, done)))
        except (MemoryError, RecursionError):
            for number, *_ in done:
                too_large = number, str(Fault.TOO_LARGE), "the result is too large to be sent", 0.0
                self._parent.send(dump((Told.RESULTS, [too_large])))

    def _arm(self, seconds: float) -> None:
        """Have this process ended, should the parent not do so."""
        now = time.monotonic()
        if now - self._armed > _AGAIN_S:
            self._armed = now
            end_in(seconds + _LATE_S)

    def _open(self, db_id: str) -> Session:
        """A session; how long that takes is not the query's fault."""
        self._busy()
        session = self._connector.open(self._databases[db_id])
        self._busy(self._limits.seconds)
        return session

    def _schema(self, number: int, db_id: str, examples: int, samples: int) -> tuple[Any, ...]:
        self._worker.close()
        try:
            with self._pool.session(db_id) as session:
                vars(session)["heard"] = self._busy
                self._busy()
                return number, session.schema(examples=examples, samples=samples), None, 0.0
        except ConfigError as error:
            return number, str(Fault.CONNECTION), str(error), 0.0

    def _busy(self, seconds: float = _OTHER_S) -> None:
        """Say that something new begins, and how long it may take."""
        self._armed = 0.0
        self._arm(seconds)
        self._tell(Told.BUSY, seconds)


def _told(number: int, result: QueryResult) -> tuple[Any, ...]:
    if result.success:
        return number, result.columns, result.rows, result.seconds
    return number, str(result.fault), result.error, result.seconds
