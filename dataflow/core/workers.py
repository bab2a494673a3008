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
from collections.abc import Callable, Iterable, Sequence
from typing import IO, TYPE_CHECKING

from dataflow.core.inside import BLOCK, HEAD, MARK, whole

if TYPE_CHECKING:
    from subprocess import Popen

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120
_STARTS = (
    "import sys; sys.path[:] = sys.argv[4:]; from importlib import import_module;"
    "home, _, name = sys.argv[1].partition(':'); getattr(import_module(home), name)()"
)
running: weakref.WeakSet[Process] = weakref.WeakSet()
"""All processes of this one that were not stopped."""


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
        running.add(self)

    @abstractmethod
    def stop(self) -> int:
        """End it, if it has not ended by itself; how it ended."""

    @abstractmethod
    def forget(self) -> None:
        """In a fork: this is the process of another, who would wait in vain for its end while we hold its pipes."""

    def _shut(self, close: Callable[[], object]) -> None:
        """Close the pipes, and write to none that has their numbers from now on."""
        with self._sending:
            close()
            self.inbox = self.outbox = -1
        running.discard(self)

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

        with shared() as file:
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
        self._shut(self._finalizer)
        return self._popen.returncode or 0

    def forget(self) -> None:
        self._finalizer.detach()
        self._popen.returncode = 0
        _close(self._popen)
        self.inbox = self.outbox = -1


def shared() -> IO[bytes]:
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


def _forget() -> None:
    for process in list(running):
        process.forget()
    running.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
