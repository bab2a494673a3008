"""Runs the queries of a batch side by side, and goes on without a thread that an engine does not give back."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

J = TypeVar("J")
R = TypeVar("R")
GRACE_S = 0.35
"""How long past its limit a query that was interrupted may take before it is given up."""
_LOOK_S = 0.1


class Crew(Generic[J, R]):
    """Up to `size` threads that work on the jobs of one batch.

    A job that takes `limit_s` and a little more is lost: `lost` makes its result, another thread takes the place of its
    own, and what it may still bring is thrown away.
    """

    def __init__(
        self, work: Callable[[J], R], lost: Callable[[J], R], jobs: Sequence[J], size: int, limit_s: float
    ) -> None:
        self._work, self._lost, self._jobs = work, lost, jobs
        self._size, self._patience = size, limit_s + GRACE_S
        self._waiting = deque(range(len(jobs)))
        self._results: dict[int, R] = {}
        self._busy: dict[int, float] = {}
        self._error: BaseException | None = None
        self._lock = threading.Lock()
        self._done = threading.Event()

    def run(self) -> list[R]:
        """The results in the order of the jobs."""
        for _ in range(min(self._size, len(self._jobs))):
            self._hire()
        try:
            while self._jobs and not self._done.wait(_LOOK_S):
                self._look()
        finally:
            self._waiting.clear()
        if self._error is not None:
            raise self._error
        return [self._results[i] for i in range(len(self._jobs))]

    def _hire(self) -> None:
        threading.Thread(target=self._toil, name="dataflow-query", daemon=True).start()

    def _toil(self) -> None:
        try:
            while (number := self._next()) is not None:
                if not self._finish(number, self._work(self._jobs[number])):
                    return
        except BaseException as error:  # noqa: BLE001  # what stops the batch is raised where it was started
            self._error = error
            self._done.set()

    def _next(self) -> int | None:
        try:
            number = self._waiting.popleft()
        except IndexError:
            return None
        self._busy[number] = time.monotonic()
        return number

    def _look(self) -> None:
        """Give up the jobs that take too long."""
        late = time.monotonic() - self._patience
        for number, started in list(self._busy.items()):
            if started < late and self._finish(number, self._lost(self._jobs[number])):
                self._hire()

    def _finish(self, number: int, result: R) -> bool:
        """Keep the first result of a job."""
        with self._lock:
            if number in self._results:
                return False
            self._results[number] = result
            self._busy.pop(number, None)
            if len(self._results) == len(self._jobs):
                self._done.set()
        return True
