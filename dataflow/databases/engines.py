"""The processes of their own in which engines run."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import Any

from dataflow.core.errors import ConfigError
from dataflow.core.nursery import Born, Nursery
from dataflow.core.workers import Gone
from dataflow.databases.batch import Batch, Engine, Job, plain
from dataflow.databases.connector import Connector, DatabaseInfo, Fault, Limits, QueryResult, Session
from dataflow.databases.frames import What, dump
from dataflow.databases.schema import Schema

_TRIES = 3


class Engines:
    """The processes of one manager; those not in use wait for the next batch, until `close`."""

    def __init__(self, connector: Connector, find: Callable[[str], DatabaseInfo]) -> None:
        self.connector, self.find = connector, find
        self._begin()

    def _begin(self) -> None:
        self._idle: list[Engine] = []
        self._nursery: Nursery | None = None
        self._lock = threading.Lock()
        self._pid = os.getpid()

    def run(self, jobs: Sequence[Job], limits: Limits, most: int) -> list[Any]:
        """What came of the jobs, up to `most` at once."""
        return Batch(self, jobs, limits, most).run() if jobs else []

    def warm(self) -> None:
        """Let the nursery start, while the batch is made ready that needs it."""
        if self._pid != os.getpid():  # a fork has no part in the processes of its parent
            self._begin()
        with self._lock:
            if self._nursery is None:
                self._nursery = self._start()

    def take(self) -> Engine:
        """A process of the caller's own, who gives it back."""
        self.warm()
        with self._lock:
            while self._idle:
                if (engine := self._idle.pop()).process.lives:
                    return engine
                engine.process.stop()
            return Engine(self._born())

    def _born(self) -> Born:
        for _ in range(_TRIES):
            nursery = self._nursery or self._start()
            try:
                born = nursery.bear()
            except Gone:
                self._nursery = None
                continue
            self._nursery = nursery
            return born
        raise RuntimeError(f"the process that bears those of {self.connector.engine} does not start")

    def _start(self) -> Nursery:
        kind, embeds = type(self.connector), self.connector.embedding_serving is not None
        settings = kind.__module__, kind.__qualname__, plain(self.connector.limits), embeds
        return Nursery("dataflow.databases.inside:serve", dump(settings))

    def give(self, engine: Engine) -> None:
        """Keep a process that has nothing to do."""
        with self._lock:
            self._idle.append(engine)

    def close(self) -> None:
        """End the processes that are not in use."""
        if self._pid != os.getpid():
            return
        with self._lock:
            idle, self._idle, self._nursery = (
                self._idle,
                [],
                None,
            )  # which ends with the last that it has borne
        for engine in idle:
            engine.process.stop()


class ApartSession(Session):
    """Runs each statement in whatever process of an engine is free."""

    def __init__(self, engines: Engines, db_id: str) -> None:
        self._engines, self._db_id = engines, db_id

    def execute(self, sql: str, limits: Limits) -> QueryResult:
        return self._run(sql, What.EXECUTE, limits)

    def explain(self, sql: str, limits: Limits) -> QueryResult:
        return self._run(sql, What.EXPLAIN, limits)

    def _run(self, sql: str, what: int, limits: Limits) -> QueryResult:
        result: QueryResult = self._engines.run([(self._db_id, sql, what)], limits, 1)[0]
        return result

    def schema(self, *, examples: int = 3, samples: int = 2) -> Schema:
        limits = self._engines.connector.limits
        found = self._engines.run([(self._db_id, (examples, samples), What.SCHEMA)], limits, 1)[0]
        if isinstance(found, Schema):
            return found
        raise ConfigError(
            f"database {self._db_id!r}: {found.error}" if found.fault is not Fault.CONNECTION else found.error
        )

    def close(self) -> None:
        """Nothing is open here."""


def runs_apart(connector: Connector) -> bool:
    """Whether queries run in processes of their own; those are of POSIX, and import the class."""
    kind = type(connector)
    return (
        kind.apart and os.name == "posix" and kind.__module__ != "__main__" and "<" not in kind.__qualname__
    )
