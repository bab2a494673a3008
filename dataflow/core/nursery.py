"""A process that loads what others need once, and then bears them by forks."""

from __future__ import annotations

import contextlib
import mmap
import os
import signal
import threading
import time
import weakref
from collections.abc import Iterable, Sequence
from itertools import count

from dataflow.core.inside import BEAR, END, LEAVE, MARK, REQUEST
from dataflow.core.workers import Gone, Process, Spawned, shared, wait

START_S = 120.0


class Nursery(Spawned):
    """A process that, once it has loaded what all need, bears others by forks: each begins in milliseconds.

    Its `serve` calls `Parent.nurse` when it is ready. It runs nothing else, so it always answers. Used by many threads.
    It ends when neither who made it nor a process that it has borne refers to it any more.
    """

    def __init__(self, serve: str, first: bytes) -> None:
        import socket

        self._link, other = socket.socketpair()
        weakref.finalize(self, self._link.close)
        with other:
            super().__init__(serve, [other.fileno()])
        self._lock, self._numbers, self._stopped = threading.Lock(), count(), False
        self.send(first)

    def bear(self) -> Born:
        """A new process.

        Raises:
            Gone: the nursery has ended.
        """
        (theirs, outbox), (inbox, other) = os.pipe(), os.pipe()
        try:
            with shared() as file:
                pid = self._ask(BEAR, 0, [theirs, other, file.fileno()])
                return Born(self, pid, inbox, outbox, mmap.mmap(file.fileno(), MARK.size))
        except BaseException:
            os.close(inbox)
            os.close(outbox)
            raise
        finally:
            os.close(theirs)
            os.close(other)

    def end(self, pid: int) -> int:
        """End a process that was born here; how it ended."""
        try:
            return self._ask(END, pid)
        except Gone:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            return -signal.SIGKILL

    def leave(self, pid: int) -> None:
        """End one, and do not wait until the system has taken back its memory."""
        with self._lock:
            self.send(REQUEST.pack(next(self._numbers), LEAVE, pid))

    def _ask(self, what: int, pid: int, files: Sequence[int] = ()) -> int:
        from socket import send_fds

        with self._lock:
            if self._stopped:
                raise Gone(-signal.SIGKILL)
            number, end = next(self._numbers), time.monotonic() + START_S
            if files:
                with contextlib.suppress(OSError):  # it has ended, which is seen below
                    send_fds(self._link, [b"f"], list(files))
            self.send(REQUEST.pack(number, what, pid))
            while time.monotonic() < end:
                for frame in self.received() if wait([self], 1.0) else []:
                    answer: tuple[int, int, int] = REQUEST.unpack(frame)
                    if answer[0] == number:
                        return answer[2]
            raise Gone(self.stop())

    def stop(self) -> int:
        self._stopped = True
        self._link.close()
        return super().stop()

    def forget(self) -> None:
        self._link.close()
        super().forget()


class Born(Process):
    """A process that a nursery has borne."""

    def __init__(self, nursery: Nursery, pid: int, inbox: int, outbox: int, mark: mmap.mmap) -> None:
        super().__init__(pid, inbox, outbox, mark)
        self._nursery = nursery
        self._finalizer = weakref.finalize(self, _close_all, (inbox, outbox))
        self._status: int | None = None

    def stop(self) -> int:
        if self._status is None:
            self._status = self._nursery.end(self.pid)
            self._shut(self._finalizer)
        return self._status

    def leave(self) -> None:
        """End it without a look at how it ends."""
        if self._status is None:
            self._status = -signal.SIGKILL
            self._nursery.leave(self.pid)
            self._shut(self._finalizer)

    def forget(self) -> None:
        self._finalizer()
        self.inbox = self.outbox = -1


def _close_all(files: Iterable[int]) -> None:
    for file in files:
        with contextlib.suppress(OSError):
            os.close(file)
