"""Processes of our own that answer frames: one that hangs or dies is ended and replaced, and no other is touched by it.

A process runs `module:function` of the same interpreter, without the main module of this one, and ends with it. What it
serves is started by `inside.Parent()`.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import select
import signal
import sys
import threading
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from itertools import count
from typing import IO, TYPE_CHECKING

from dataflow.core.inside import BEAR, BLOCK, END, HEAD, LEAVE, MARK, REQUEST, whole

if TYPE_CHECKING:
    from subprocess import Popen

START_S = 120.0
_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120
_STARTS = (
    "import sys; sys.path[:] = sys.argv[4:]; from importlib import import_module;"
    "home, _, name = sys.argv[1].partition(':'); getattr(import_module(home), name)()"
)
_open: weakref.WeakSet[Process] = weakref.WeakSet()


class Gone(Exception):
    """A process that has ended; `status` is its exit code, or less than 0 the signal that ended it."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the process ended ({said(status)})")
        self.status = status


def said(status: int) -> str:
    """How a process ended, in words."""
    if status >= 0:
        return f"exit code {status}"
    with contextlib.suppress(ValueError):
        return signal.Signals(-status).name
    return f"signal {-status}"


class Process(ABC):
    """A process that frames go to and come from; nothing here waits but `stop`."""

    def __init__(self, pid: int, inbox: int, outbox: int, mark: mmap.mmap) -> None:
        self.pid, self.inbox, self.outbox, self._mark = pid, inbox, outbox, mark
        os.set_blocking(inbox, False)
        os.set_blocking(outbox, False)
        self._come, self._unsent = bytearray(), bytearray()
        self._sending = threading.Lock()
        _open.add(self)

    @abstractmethod
    def stop(self) -> int:
        """End it, if it has not ended by itself; how it ended."""

    @abstractmethod
    def forget(self) -> None:
        """In a fork: this is the process of another, who would wait in vain for its end while we hold its pipes."""

    @property
    def lives(self) -> bool:
        """Whether it has not ended yet."""
        poll = select.poll()
        poll.register(self.inbox, 0)
        return not poll.poll(0)

    @property
    def mark(self) -> int:
        """The number that it has marked last; what it was at, if it has ended."""
        number: int = MARK.unpack_from(self._mark)[0]
        return number

    @property
    def sends(self) -> bool:
        """Whether a part of what was sent is not on its way yet."""
        return bool(self._unsent)

    def send(self, *frames: bytes) -> None:
        """Send frames, as far as there is room; `flush` sends the rest. What a dead process is sent is lost."""
        with self._sending:
            for frame in frames:
                self._unsent += HEAD.pack(len(frame))
                self._unsent += frame
        self.flush()

    def flush(self) -> None:
        """Go on sending."""
        with self._sending:
            try:
                while self._unsent:
                    del self._unsent[: os.write(self.outbox, memoryview(self._unsent)[:BLOCK].tobytes())]
            except BlockingIOError:
                return
            except OSError:
                self._unsent.clear()

    def received(self) -> list[bytes]:
        """The frames that have come.

        Raises:
            Gone: there are none, and none will come.
        """
        ended = False
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self.inbox, BLOCK):
                self._come += chunk
            ended = True
        frames = whole(self._come)
        if ended and not frames:
            raise Gone(self.stop())
        return frames

    def cpu_seconds(self) -> float | None:
        """CPU time that it has used, where the system tells it."""
        if not sys.platform.startswith("linux"):
            return None
        try:
            return time.clock_gettime((~self.pid << 3) | 2)
        except (OSError, OverflowError):
            return None


class Spawned(Process):
    """A process that runs `serve`, named `package.module:function`; `given` are files that it shall have."""

    def __init__(self, serve: str, given: Sequence[int] = ()) -> None:
        import subprocess

        with _shared() as file:
            mark, files = mmap.mmap(file.fileno(), MARK.size), [file.fileno(), *given]
            numbers = str(os.getpid()), ",".join(map(str, files))
            self._popen = subprocess.Popen(  # noqa: S603  # this interpreter and our own module
                [sys.executable, "-S", "-c", _STARTS, serve, *numbers, _ROOT, *sys.path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                pass_fds=files,
            )
        assert self._popen.stdin
        assert self._popen.stdout
        self._finalizer = weakref.finalize(self, _end, self._popen)
        super().__init__(self._popen.pid, self._popen.stdout.fileno(), self._popen.stdin.fileno(), mark)

    def stop(self) -> int:
        self._finalizer()
        _open.discard(self)
        return self._popen.returncode or 0

    def forget(self) -> None:
        self._finalizer.detach()
        self._popen.returncode = 0
        _close(self._popen)


class Nursery(Spawned):
    """A process that, once it has loaded what all need, bears others by forks: each begins in milliseconds.

    Its `serve` calls `Parent.nurse` when it is ready. It runs nothing else, so it always answers. Used by many threads.
    """

    def __init__(self, serve: str, first: bytes) -> None:
        import socket

        self._link, other = socket.socketpair()
        with other:
            super().__init__(serve, [other.fileno()])
        self._lock, self._numbers = threading.Lock(), count()
        self.send(first)

    def bear(self) -> Born:
        """A new process.

        Raises:
            Gone: the nursery has ended.
        """
        (theirs, outbox), (inbox, other) = os.pipe(), os.pipe()
        try:
            with _shared() as file:
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
        self.send(REQUEST.pack(next(self._numbers), LEAVE, pid))

    def _ask(self, what: int, pid: int, files: Sequence[int] = ()) -> int:
        from socket import send_fds

        with self._lock:
            number, end = next(self._numbers), time.monotonic() + START_S
            if files:
                try:
                    send_fds(self._link, [b"f"], list(files))
                except OSError:
                    raise Gone(self.stop()) from None
            self.send(REQUEST.pack(number, what, pid))
            while time.monotonic() < end:
                for frame in self.received() if wait([self], 1.0) else []:
                    answer: tuple[int, int, int] = REQUEST.unpack(frame)
                    if answer[0] == number:
                        return answer[2]
        raise Gone(self.stop())

    def stop(self) -> int:
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
            self.forget()
        return self._status

    def leave(self) -> None:
        """End it without a look at how it ends."""
        if self._status is None:
            self._status = -signal.SIGKILL
            self._nursery.leave(self.pid)
            self.forget()

    def forget(self) -> None:
        self._finalizer()
        _open.discard(self)


def _shared() -> IO[bytes]:
    """A few bytes that two processes can see."""
    if hasattr(os, "memfd_create"):
        file: IO[bytes] = os.fdopen(os.memfd_create("dataflow"), "w+b")
    else:
        import tempfile

        file = tempfile.TemporaryFile()  # noqa: SIM115  # closed by who asks for it
    file.truncate(MARK.size)
    return file


def wait(processes: Iterable[Process], seconds: float) -> list[Process]:
    """Wait until something has come of a process, or until it has ended; which ones these are."""
    poll, of = select.poll(), {}
    for process in processes:
        poll.register(process.inbox, select.POLLIN)
        of[process.inbox] = process
        if process.sends:
            poll.register(process.outbox, select.POLLOUT)
            of[process.outbox] = process
    found = dict.fromkeys(of[fd] for fd, _ in poll.poll(max(0.0, seconds * 1000)))
    for process in found:
        if process.sends:
            process.flush()
    return list(found)


def _end(popen: Popen[bytes]) -> None:
    popen.kill()
    popen.wait()
    _close(popen)


def _close(popen: Popen[bytes]) -> None:
    for pipe in (popen.stdin, popen.stdout):
        if pipe:
            with contextlib.suppress(OSError):
                pipe.close()


def _close_all(files: Iterable[int]) -> None:
    for file in files:
        with contextlib.suppress(OSError):
            os.close(file)


def _forget() -> None:
    for process in list(_open):
        process.forget()
    _open.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
