"""Open sessions, used again by one query after another."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dataflow.databases.connector import Session

MOST_IDLE = 128
_forks = 0
"""How many forks this process came by."""


def _count_fork() -> None:
    global _forks
    _forks += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_count_fork)


class Pool:
    """Sessions by database; of those not in use it keeps the latest, and none of another process."""

    def __init__(self, open_: Callable[[str], Session], most_idle: int = MOST_IDLE) -> None:
        self._open, self._most_idle = open_, most_idle
        self._lock = threading.Lock()
        self._idle: OrderedDict[str, list[Session]] = OrderedDict()
        self._count = 0
        self._forks = _forks

    @contextmanager
    def session(self, db_id: str) -> Iterator[Session]:
        """A session of the caller's own until the block is left."""
        session = self.take(db_id)
        try:
            yield session
        except BaseException:
            session.close()
            raise
        self.put(db_id, session)

    def take(self, db_id: str) -> Session:
        """A session of the caller's own, who puts it back or closes it."""
        return self._kept(db_id) or self._open(db_id)

    def _kept(self, db_id: str) -> Session | None:
        with self._lock:
            if self._forks != _forks:
                self._idle, self._count, self._forks = OrderedDict(), 0, _forks
            if not (idle := self._idle.get(db_id)):
                return None
            self._idle.move_to_end(db_id)
            self._count -= 1
            return idle.pop()

    def put(self, db_id: str, session: Session) -> None:
        """Keep a session for the next query."""
        extra: Session | None = None
        if not session.usable:
            session.close()
            return
        with self._lock:
            self._idle.setdefault(db_id, []).append(session)
            self._idle.move_to_end(db_id)
            self._count += 1
            if self._count > self._most_idle:
                extra = self._oldest()
        if extra is not None:
            extra.close()

    def _oldest(self) -> Session | None:
        for idle in self._idle.values():
            if idle:
                self._count -= 1
                return idle.pop(0)
        return None

    def close(self, db_id: str | None = None) -> None:
        """Close what is not in use, of one database or all; what is will be kept again when it comes back."""
        with self._lock:
            ids = list(self._idle) if db_id is None else [db_id]
            sessions = [s for i in ids for s in self._idle.pop(i, [])]
            self._count -= len(sessions)
        for session in sessions:
            session.close()
