"""Interrupts what takes too long: one thread that watches the deadlines of all queries of the process."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from types import TracebackType

_AGAIN_S = 0.05
_MANY = 1024


class Alarm:
    """Calls `ring` when its time is over, and again every 50 ms until it is left, for an engine may miss one call.

    A context manager: after it is left `ring` is not called any more, and no call of it is under way, so that what
    was meant for one query never meets the next. `ring` must be quick.
    """

    __slots__ = ("_lock", "_ring", "due", "left", "rang")

    def __init__(self, seconds: float, ring: Callable[[], object]) -> None:
        self.due = time.monotonic() + seconds
        self.rang = self.left = False
        self._ring = ring
        self._lock = threading.Lock()

    def __enter__(self) -> Alarm:
        _watch().add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self.left, self._ring = True, _nothing

    def go_off(self) -> bool:
        """Ring, and say whether to do so again."""
        with self._lock:
            if self.left:
                return False
            self.rang = True
            try:
                self._ring()
            except Exception as error:  # noqa: BLE001  # an engine may raise anything; the other alarms must go on
                import logging  # what a process of an engine seldom needs, and would wait for at its start

                logging.getLogger(__name__).debug("a query could not be interrupted: %s", error)
            return True


def _nothing() -> None:
    """What an alarm that was left does; it then keeps no connection alive."""


class _Watch:
    """Alarms that were left stay where they are until their time: to take each out would wake the thread each time."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Alarm]] = []
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._order = count()
        self._full = _MANY
        self._until = 0.0
        threading.Thread(target=self._run, name="dataflow-deadlines", daemon=True).start()

    def add(self, alarm: Alarm) -> None:
        with self._lock:
            if len(self._heap) >= self._full:
                self._heap = sorted(entry for entry in self._heap if not entry[2].left)
                self._full = max(_MANY, 2 * len(self._heap))
            heappush(self._heap, (alarm.due, next(self._order), alarm))
            if alarm.due < self._until:
                self._changed.notify()

    def _run(self) -> None:
        while True:
            if (alarm := self._next()).go_off():
                alarm.due = time.monotonic() + _AGAIN_S
                self.add(alarm)

    def _next(self) -> Alarm:
        with self._changed:
            while True:
                wait = self._heap[0][0] - time.monotonic() if self._heap else None
                if wait is not None and wait <= 0:
                    alarm = heappop(self._heap)[2]
                    if not alarm.left:
                        return alarm
                    continue
                self._until = self._heap[0][0] if self._heap else float("inf")
                self._changed.wait(wait)


_lock = threading.Lock()
_watching: _Watch | None = None


def _watch() -> _Watch:
    global _watching
    if _watching is None:
        with _lock:
            if _watching is None:
                _watching = _Watch()
    return _watching


def _forget() -> None:
    """No thread lives on in a fork."""
    global _watching, _lock
    _watching, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
