"""Runs the queries of a batch side by side, and goes on without a thread that an engine does not give back."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from dataflow.databases.deadline import Alarm

J = TypeVar("J")
R = TypeVar("R")
GRACE_S = 0.4
"""How long past its limit a query that was interrupted may take before it is given up."""


class Crew(Generic[J, R]):
    """Up to `size` threads that work on the jobs of a batch; they end when it does.

    A job that takes `limit_s` and a little more is lost: `lost` makes its result, another thread takes the place of its
    own, and what it may still bring is thrown away.
    """

    def __init__(self, work: Callable[[J], R], lost: Callable[[J], R], size: int, limit_s: float) -> None:
        self._work, self._lost, self._size, self._limit_s = work, lost, size, limit_s

    def run(self, jobs: Sequence[J]) -> list[R]:
        """The results in the order of the jobs."""
        return _Batch(self._work, self._lost, jobs, self._limit_s).run(self._size)


class _Batch(Generic[J, R]):
    def __init__(
        self, work: Callable[[J], R], lost: Callable[[J], R], jobs: Sequence[J], limit_s: float
    ) -> None:
        self._work, self._lost, self._jobs, self._limit_s = work, lost, jobs, limit_s
        self._waiting = deque(range(len(jobs)))
        self._results: dict[int, R] = {}
        self._error: BaseException | None = None
        self._lock = threading.Lock()
        self._done = threading.Event()

    def run(self, size: int) -> list[R]:
        for _ in range(min(size, len(self._jobs))):
            self._hire()
        try:
            while self._jobs and not self._done.wait(1.0):
                pass
        finally:
            self._waiting.clear()
        if self._error is not None:
            raise self._error
        return [self._results[i] for i in range(len(self._jobs))]

    def _hire(self) -> None:
        threading.Thread(target=self._toil, name="dataflow-query", daemon=True).start()

    def _toil(self) -> None:
        while True:
            try:
                number = self._waiting.popleft()
            except IndexError:
                return
            if not self._do(number):
                return

    def _do(self, number: int) -> bool:
        """Do a job; say whether this thread may take another."""
        job = self._jobs[number]
        with Alarm(self._limit_s + GRACE_S, lambda: self._give_up(number), repeat=False) as alarm:
            try:
                result = self._work(job)
            except BaseException as error:  # noqa: BLE001  # what stops the batch is raised where it was started
                self._stop(error)
                return False
        return not alarm.rang and self._finish(number, result)

    def _give_up(self, number: int) -> None:
        if self._finish(number, self._lost(self._jobs[number])):
            self._hire()

    def _finish(self, number: int, result: R) -> bool:
        """Keep the first result of a job."""
        with self._lock:
            if number in self._results:
                return False
            self._results[number] = result
            if len(self._results) == len(self._jobs):
                self._done.set()
        return True

    def _stop(self, error: BaseException) -> None:
        self._error = error
        self._done.set()
