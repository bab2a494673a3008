"""Interrupts what takes too long: one thread that watches the deadlines of all queries of the process."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

log = logging.getLogger(__name__)
_AGAIN_S = 0.05
_MANY = 1024


class Alarm:
    """Calls `ring` when its time is over, and again every 50 ms until it is left, for an engine may miss one call.

    A context manager: after it is left `ring` is not called any more, and no call of it is under way, so that what
    was meant for one query never meets the next. `ring` must be quick.
    """

    def __init__(self, seconds: float, ring: Callable[[], object], *, repeat: bool = True) -> None:
        self.due = time.monotonic() + seconds
        self.rang = False
        self._ring, self._repeat, self.left = ring, repeat, False
        self._lock = threading.Lock()

    def __enter__(self) -> Alarm:
        _watch().add(self)
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.left = True

    def go_off(self) -> bool:
        """Ring, and say whether to do so again."""
        with self._lock:
            if self.left:
                return False
            self.rang = True
            try:
                self._ring()
            except Exception as error:  # noqa: BLE001  # an engine may raise anything; the other alarms must go on
                log.debug("a query could not be interrupted: %s", error)
            return self._repeat


class _Watch:
    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Alarm]] = []
        self._changed = threading.Condition()
        self._order = count()
        self._full = _MANY
        threading.Thread(target=self._run, name="dataflow-deadlines", daemon=True).start()

    def add(self, alarm: Alarm) -> None:
        with self._changed:
            if len(self._heap) >= self._full:
                self._heap = sorted(entry for entry in self._heap if not entry[2].left)
                self._full = max(_MANY, 2 * len(self._heap))
            heappush(self._heap, (alarm.due, next(self._order), alarm))
            if self._heap[0][2] is alarm:
                self._changed.notify()

    def _run(self) -> None:
        while True:
            if (alarm := self._next()).go_off():
                alarm.due = time.monotonic() + _AGAIN_S
                self.add(alarm)

    def _next(self) -> Alarm:
        with self._changed:
            while True:
                while self._heap and self._heap[0][2].left:
                    heappop(self._heap)
                wait = self._heap[0][0] - time.monotonic() if self._heap else None
                if wait is not None and wait <= 0:
                    return heappop(self._heap)[2]
                self._changed.wait(wait)


_lock = threading.Lock()
_watches: dict[int, _Watch] = {}


def _watch() -> _Watch:
    """The one of this process: a thread does not live on in a fork."""
    if (watch := _watches.get(os.getpid())) is None:
        with _lock:
            if (watch := _watches.get(os.getpid())) is None:
                watch = _watches[os.getpid()] = _Watch()
    return watch
