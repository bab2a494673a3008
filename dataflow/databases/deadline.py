"""Interrupts what takes too long: one thread that watches the deadlines of all queries of the process."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from types import TracebackType

_AGAIN_S = 0.05
_LOOK_S = 0.025


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
        _watch().drop(self)
        with self._lock:
            self.left, self._ring = True, _nothing

    def go_off(self) -> None:
        """Ring."""
        with self._lock:
            if self.left:
                return
            self.rang = True
            try:
                self._ring()
            except Exception as error:  # noqa: BLE001  # an engine may raise anything; the other alarms must go on
                import logging  # what a process of an engine seldom needs, and would wait for at its start

                logging.getLogger(__name__).debug("a query could not be interrupted: %s", error)


def _nothing() -> None:
    """What an alarm that was left does; it then keeps no connection alive."""


class _Watch:
    """Looks at the alarms every 25 ms, as long as there are any: to be woken for each would cost more than a short query."""

    def __init__(self) -> None:
        self._alarms: dict[int, Alarm] = {}
        self._wake = threading.Event()
        self._sleeps = False
        threading.Thread(target=self._run, name="dataflow-deadlines", daemon=True).start()

    def add(self, alarm: Alarm) -> None:
        self._alarms[id(alarm)] = alarm
        if self._sleeps:
            self._wake.set()

    def drop(self, alarm: Alarm) -> None:
        self._alarms.pop(id(alarm), None)

    def _run(self) -> None:
        while True:
            if not self._alarms:
                self._rest()
            now = time.monotonic()
            for alarm in [alarm for alarm in self._alarms.copy().values() if alarm.due <= now]:
                alarm.due = now + _AGAIN_S
                alarm.go_off()
            time.sleep(_LOOK_S)

    def _rest(self) -> None:
        self._wake.clear()
        self._sleeps = True
        if not self._alarms:
            self._wake.wait()
        self._sleeps = False


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
