"""Runs the queries of a batch side by side, and goes on without a thread that an engine does not give back."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

J = TypeVar("J")
R = TypeVar("R")
_J = TypeVar("_J", contravariant=True)
_R = TypeVar("_R", covariant=True)
GRACE_S = 0.25
"""How long past its limit a query that was interrupted may take before it is given up."""
_LOOK_S = 0.05


class Work(Protocol[_J, _R]):
    """What one thread works with."""

    def __call__(self, job: _J, /) -> _R:
        """The result of a job."""

    def close(self) -> None:
        """Let go what it keeps from one job to the next."""


class Crew(Generic[J, R]):
    """Up to `size` threads that work on the jobs of one batch, each with a `Work` of its own.

    A job that takes `limit_s` and a little more is lost: `lost` makes its result, another thread takes the place of its
    own, and what it may still bring is thrown away.
    """

    def __init__(
        self,
        work: Callable[[], Work[J, R]],
        lost: Callable[[J], R],
        jobs: Sequence[J],
        size: int,
        limit_s: float,
    ) -> None:
        self._work, self._lost, self._jobs = work, lost, jobs
        self._size, self._patience = min(size, len(jobs)), limit_s + GRACE_S
        self._waiting = deque(range(len(jobs)))
        self._results: dict[int, R] = {}
        self._busy: dict[int, tuple[float, threading.Thread]] = {}
        self._threads: set[threading.Thread] = set()
        self._error: BaseException | None = None
        self._done = threading.Event()

    def run(self) -> list[R]:
        """The results in the order of the jobs."""
        if not self._jobs:
            return []
        self._hire(self._size)
        try:
            self._watch()
        finally:
            self._waiting.clear()
        if self._error is not None:
            raise self._error
        for thread in self._threads:
            thread.join(GRACE_S)
        return [self._results[i] for i in range(len(self._jobs))]

    def _watch(self) -> None:
        while not self._done.wait(_LOOK_S):
            self._look()

    def _hire(self, count: int) -> None:
        for _ in range(count):
            thread = threading.Thread(target=self._toil, name="dataflow-query", daemon=True)
            self._threads.add(thread)
            thread.start()

    def _toil(self) -> None:
        try:
            work, thread = self._work(), threading.current_thread()
            try:
                while (number := self._next(thread)) is not None:
                    if not self._finish(number, work(self._jobs[number])):
                        return
            finally:
                work.close()
        except BaseException as error:  # noqa: BLE001  # what stops the batch is raised where it was started
            self._error = error
            self._done.set()

    def _next(self, thread: threading.Thread) -> int | None:
        try:
            number = self._waiting.popleft()
        except IndexError:
            return None
        self._busy[number] = time.monotonic(), thread
        return number

    def _look(self) -> None:
        """Give up the jobs that take too long."""
        late = time.monotonic() - self._patience
        for number, (started, thread) in list(self._busy.items()):
            if started < late and self._finish(number, self._lost(self._jobs[number])):
                self._threads.discard(thread)
                self._hire(1)

    def _finish(self, number: int, result: R) -> bool:
        """Keep the first result of a job: only one takes it from the busy ones."""
        if self._busy.pop(number, None) is None:
            return False
        self._results[number] = result
        if len(self._results) == len(self._jobs):
            self._done.set()
        return True
