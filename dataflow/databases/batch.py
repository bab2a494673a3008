"""A batch of queries on engines in processes of their own."""

from __future__ import annotations

import dataclasses
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, Protocol

from dataflow.core.nursery import Born
from dataflow.core.workers import Gone, Process, said, wait
from dataflow.databases.connector import Connector, DatabaseInfo, Fault, Limits, QueryResult
from dataflow.databases.frames import Asked, Told, dump, load
from dataflow.databases.results import failed, over_time

GRACE_S = 0.25
"""How long past its limit a query that its engine was told to end may take before the process is killed."""
_STUCK_S = 0.02
"""A query of this length is no short one: those sent behind it are taken back, and another process begins."""
_SHORT_S = 0.002
_FEW, _MANY = 8, 512
"""Queries that are under way to one process: few at first, more while they are short."""
_LOOK_S = 0.1
_FOR_TWO = 64
"""From so many queries on a batch begins on all cores."""
_FROM_OUTSIDE = {-signal.SIGKILL, -signal.SIGTERM, -signal.SIGHUP, -signal.SIGINT}

Job = tuple[str, Any, int]
"""A database id, a statement, and what is to be done with it."""


class Engine:
    """A process, and what it was sent."""

    def __init__(self, process: Born) -> None:
        self.process = process
        self.sent: deque[int] = deque()
        self.known: set[str] = set()
        self.window = _FEW
        self.recalled: set[int] = set()
        """What it was sent and others do now, until it says that it lets go of it."""
        self.since, self.may_s = time.monotonic(), 0.0
        """When it began what it is at, and how long that may take; 0 for what the limits of queries say."""

    @property
    def silent(self) -> bool:
        """Whether it has been at one query for some time."""
        return bool(self.sent) and time.monotonic() - self.since > _STUCK_S

    def parts(self) -> tuple[list[int], int, list[int]]:
        """Of what it was sent: that of which results are on their way, the query that it is at, and the rest."""
        sent, at = list(self.sent), self.process.mark
        place = sent.index(at) if at in self.sent else 0
        return sent[:place], sent[place], sent[place + 1 :]


class Source(Protocol):
    """Where processes come from."""

    connector: Connector

    def find(self, db_id: str, /) -> DatabaseInfo: ...

    def take(self) -> Engine: ...

    def give(self, engine: Engine) -> None: ...


class Batch:
    """The jobs of one batch, and the processes that work on them; all in the thread that asks for it."""

    def __init__(self, engines: Source, jobs: Sequence[Job], limits: Limits, most: int) -> None:
        self._engines, self._jobs, self._limits = engines, jobs, limits
        self._most = min(most, len(jobs))
        self._waiting = deque(range(len(jobs)))
        self._results: dict[int, Any] = {}
        self._crew: list[Engine] = []
        self._tried: set[int] = set()

    def run(self) -> list[Any]:
        """The results in the order of the jobs."""
        try:
            self._hire(min(_cores(), self._most) if len(self._jobs) >= _FOR_TWO else 1)
            while len(self._results) < len(self._jobs):
                self._turn()
        except BaseException:
            for engine in self._crew:
                engine.process.stop()
            raise
        for engine in self._crew:
            if engine.sent:  # at a query whose result came from elsewhere
                engine.process.stop()
            else:
                self._engines.give(engine)
        return [self._results[number] for number in range(len(self._jobs))]

    def _turn(self) -> None:
        for place, engine in enumerate(self._crew):
            self._deal(engine, last=bool(place % 2))
        told = {id(process) for process in wait([e.process for e in self._crew], self._patience())}
        now = time.monotonic()
        for engine in [e for e in self._crew if id(e.process) in told]:
            self._hear(engine)
        for engine in list(self._crew):
            self._look(engine, now)
        if self._waiting and all(engine.silent for engine in self._crew):
            self._hire(min(2 * len(self._crew), len(self._waiting)))

    def _hire(self, count: int) -> None:
        for _ in range(min(count, self._most - len(self._crew))):
            self._crew.append(self._engines.take())

    def _patience(self) -> float:
        if self._waiting or any(len(engine.sent) > 1 for engine in self._crew):
            return _STUCK_S
        due = min((e.since + self._limit(e) for e in self._crew if e.sent), default=0.0)
        return min(max(due - time.monotonic(), 0.001), _LOOK_S)

    def _limit(self, engine: Engine) -> float:
        """How long the process may be at what it is at."""
        return (engine.may_s or self._limits.seconds) + GRACE_S

    def _deal(self, engine: Engine, *, last: bool) -> None:
        """Send jobs to a process that is short of them; every second takes the last ones, of other databases."""
        room = min(engine.window - len(engine.sent), -(-len(self._waiting) // (2 * len(self._crew))))
        if engine.recalled or not self._waiting or (2 * len(engine.sent) > engine.window) or room < 1:
            return
        take = self._waiting.pop if last else self._waiting.popleft
        numbers = [number for number in (take() for _ in range(room)) if number not in self._results]
        if not numbers:
            return
        if not engine.sent:
            engine.since = time.monotonic()
        queries, databases = [], []
        for number in numbers:
            db_id, sql, what = self._jobs[number]
            queries.append((number, db_id, sql, what))
            if db_id not in engine.known:
                engine.known.add(db_id)
                info = self._engines.find(db_id)
                databases.append((db_id, info.db_type, dict(info.connection_info)))
        engine.sent.extend(numbers)
        engine.process.send(dump((Asked.RUN, plain(self._limits), databases, queries)))

    def _hear(self, engine: Engine) -> None:
        try:
            for frame in engine.process.received():
                self._take(engine, load(frame))
        except Gone as gone:
            self._lose(engine, gone.status)
        except Exception:  # noqa: BLE001  # what a process sends whose memory was destroyed
            engine.process.leave()
            self._lose(engine, -signal.SIGSEGV)

    def _take(self, engine: Engine, message: tuple[Any, ...]) -> None:
        kind, what = message
        if kind <= Told.BUSY:
            engine.since, engine.may_s = time.monotonic(), what if kind == Told.BUSY else 0.0
        if kind == Told.RESULTS:
            self._keep(engine, what)
        elif kind == Told.RECALLED:
            self._again([n for n in engine.sent if n != what and n not in engine.recalled])
            engine.recalled = set()
            engine.sent = deque(n for n in engine.sent if n == what)
        elif kind == Told.ASKS:
            threading.Thread(target=self._embed, args=(engine.process, what), daemon=True).start()

    def _keep(self, engine: Engine, results: list[tuple[Any, ...]]) -> None:
        for number, came, rest, seconds in results:
            if number in engine.sent:
                while engine.sent.popleft() != number:
                    pass
            if number in self._results:
                continue
            if type(came) is tuple:
                self._results[number] = QueryResult(True, came, rest, seconds=seconds)
            elif isinstance(came, str):
                self._results[number] = QueryResult(False, error=rest, fault=Fault(came), seconds=seconds)
            else:
                self._results[number] = came
        if results[-1][3] < _SHORT_S:
            engine.window = min(_MANY, engine.window + len(results))
        else:
            engine.window = max(1, engine.window // 2)

    def _embed(self, process: Process, texts: list[str]) -> None:
        try:
            answer = Asked.VECTORS, [_bytes(v) for v in self._engines.connector.embed(texts)], ""
        except Exception as error:  # noqa: BLE001  # whatever a serving raises is told to the query
            answer = Asked.VECTORS, [], str(error) or type(error).__name__
        process.send(dump(answer))

    def _look(self, engine: Engine, now: float) -> None:
        """End a process that is too late; take back what waits behind a query that takes long."""
        if not engine.sent:
            return
        silent = now - engine.since
        if silent > self._limit(engine):
            engine.process.leave()
            self._lose(engine, -signal.SIGALRM)
        elif silent > _STUCK_S and not engine.recalled:
            behind = engine.parts()[2]
            if behind:
                engine.recalled, engine.window = set(behind), 1
                engine.process.send(dump((Asked.RECALL,)))
                self._again(behind)

    def _again(self, numbers: list[int]) -> None:
        self._waiting.extendleft(n for n in reversed(numbers) if n not in self._results)

    def _lose(self, engine: Engine, status: int) -> None:
        """A process has ended: what it was at has this result, or is tried again where somebody else has ended it."""
        self._crew.remove(engine)
        if engine.sent:
            before, number, behind = engine.parts()
            self._again([n for n in before + behind if n not in engine.recalled])
            if status in _FROM_OUTSIDE and number not in self._tried:
                self._tried.add(number)
                self._again([number])
            else:
                self._results.setdefault(number, self._lost(status, time.monotonic() - engine.since))
        if not self._crew:
            self._hire(1)

    def _lost(self, status: int, seconds: float) -> QueryResult:
        if status == -signal.SIGALRM:
            message, fault = f"{over_time(self._limits)}: its process was ended", Fault.TIMEOUT
        elif status in (-signal.SIGSEGV, -signal.SIGBUS, -signal.SIGILL, -signal.SIGFPE):
            message, fault = f"the engine crashed ({said(status)})", Fault.RUNTIME
        else:
            message, fault = f"the process of the engine ran out of memory ({said(status)})", Fault.TOO_LARGE
        return dataclasses.replace(failed(fault, message), seconds=seconds)


def plain(limits: Limits) -> tuple[Any, ...]:
    return limits.seconds, limits.rows, limits.bytes, limits.memory_mb


def _bytes(vector: Any) -> bytes | list[float] | None:
    return vector if vector is None or isinstance(vector, bytes) else [float(x) for x in vector]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
