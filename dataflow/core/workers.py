"""Processes of our own that answer frames: one that hangs or dies is ended and replaced, and no other is touched by it.

A process runs `module:function` of the same interpreter, without the main module of this one, and ends with it. What
it serves is started by `Parent()`.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import select
import signal
import struct
import sys
import threading
import time
import weakref
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from subprocess import Popen

_HEAD = struct.Struct("<Q")
_MARK = struct.Struct("<q")
_BLOCK = 1 << 18
_LOOK_MS = 2000
_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120
_STARTS = (
    "import sys; sys.path[:] = sys.argv[4:]; from importlib import import_module;"
    "home, _, name = sys.argv[1].partition(':'); getattr(import_module(home), name)()"
)
_open: weakref.WeakSet[Process] = weakref.WeakSet()
_dying: list[Popen[bytes]] = []


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


class Process:
    """A process that runs `serve`, named `package.module:function`; nothing here waits but `frame` and `stop`."""

    def __init__(self, serve: str) -> None:
        import subprocess  # costs the processes themselves more than all else here

        _reap()
        with _shared() as file:
            self._mark = mmap.mmap(file.fileno(), _MARK.size)
            numbers = str(os.getpid()), str(file.fileno())
            self._popen = subprocess.Popen(  # noqa: S603  # this interpreter and our own module
                [sys.executable, "-S", "-c", _STARTS, serve, *numbers, _ROOT, *sys.path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                pass_fds=[file.fileno()],
            )
        assert self._popen.stdin
        assert self._popen.stdout
        self.inbox, self.outbox = self._popen.stdout.fileno(), self._popen.stdin.fileno()
        os.set_blocking(self.inbox, False)
        os.set_blocking(self.outbox, False)
        self._come, self._unsent = bytearray(), bytearray()
        self._sending = threading.Lock()
        self._finalizer = weakref.finalize(self, _end, self._popen)
        _open.add(self)

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def lives(self) -> bool:
        """Whether it has not ended yet."""
        return self._popen.poll() is None

    @property
    def mark(self) -> int:
        """The number that it has marked last; what it was at, if it has ended."""
        number: int = _MARK.unpack_from(self._mark)[0]
        return number

    @property
    def sends(self) -> bool:
        """Whether a part of what was sent is not on its way yet."""
        return bool(self._unsent)

    def send(self, *frames: bytes) -> None:
        """Send frames, as far as there is room; `flush` sends the rest. What a dead process is sent is lost."""
        with self._sending:
            for frame in frames:
                self._unsent += _HEAD.pack(len(frame))
                self._unsent += frame
        self.flush()

    def flush(self) -> None:
        """Go on sending."""
        with self._sending:
            try:
                while self._unsent:
                    del self._unsent[: os.write(self.outbox, memoryview(self._unsent)[:_BLOCK].tobytes())]
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
            while chunk := os.read(self.inbox, _BLOCK):
                self._come += chunk
            ended = True
        frames = _whole(self._come)
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

    def stop(self) -> int:
        """End it, if it has not ended by itself; how it ended."""
        self._finalizer()
        _open.discard(self)
        return self._popen.returncode or 0

    def leave(self) -> None:
        """End it, and do not wait until the system has taken back its memory."""
        self._popen.kill()
        self._finalizer.detach()
        _open.discard(self)
        _close(self._popen)
        _dying.append(self._popen)
        _reap()

    def forget(self) -> None:
        """In a fork: this is the process of another, who would wait in vain for its end while we hold its pipes."""
        self._finalizer.detach()
        self._popen.returncode = 0
        _close(self._popen)


def _shared() -> IO[bytes]:
    """A few bytes that two processes can see."""
    if hasattr(os, "memfd_create"):
        file: IO[bytes] = os.fdopen(os.memfd_create("dataflow"), "w+b")
    else:
        import tempfile

        file = tempfile.TemporaryFile()  # noqa: SIM115  # closed by who asks for it
    file.truncate(_MARK.size)
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


def _whole(come: bytearray) -> list[bytes]:
    """Take the frames that are there as a whole."""
    frames, at, end = [], 0, len(come)
    while end - at >= _HEAD.size:
        (size,) = _HEAD.unpack_from(come, at)
        if end - at - _HEAD.size < size:
            break
        at += _HEAD.size + size
        frames.append(bytes(memoryview(come)[at - size : at]))
    if at:
        del come[:at]
    return frames


def _end(popen: Popen[bytes]) -> None:
    popen.kill()
    popen.wait()
    _close(popen)


def _close(popen: Popen[bytes]) -> None:
    for pipe in (popen.stdin, popen.stdout):
        if pipe:
            with contextlib.suppress(OSError):
                pipe.close()


def _reap() -> None:
    """See after those that were left."""
    _dying[:] = [popen for popen in _dying if popen.poll() is None]


def _forget() -> None:
    for popen in _dying:
        popen.returncode = 0
    _dying.clear()
    for process in list(_open):
        process.forget()
    _open.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


class Parent:
    """What started this process, as seen from here: frames come from it and go to it.

    What else would be printed goes nowhere, Ctrl-C is left to the parent, and this process ends when it ends.
    """

    def __init__(self) -> None:
        self._pid = int(sys.argv[2])
        self._mark = mmap.mmap(int(sys.argv[3]), _MARK.size)
        self._in, self._out = os.dup(0), os.dup(1)
        os.dup2(2, 0)
        os.dup2(2, 1)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._poll = select.poll()
        self._poll.register(self._in, select.POLLIN)
        self._come, self._frames = bytearray(), list[bytes]()

    def send(self, frame: bytes) -> None:
        """Send a frame."""
        rest = memoryview(_HEAD.pack(len(frame)) + frame)
        try:
            while rest:
                rest = rest[os.write(self._out, rest) :]
        except OSError:
            os._exit(0)  # nobody is there to hear of it

    def mark(self, number: int) -> None:
        """Write down what is done now, where the parent sees it whatever happens."""
        _MARK.pack_into(self._mark, 0, number)

    def frame(self) -> bytes:
        """The next frame; this process ends when none will come."""
        while not self._frames:
            if self._poll.poll(_LOOK_MS):
                self._read()
            elif os.getppid() != self._pid:
                os._exit(0)
        return self._frames.pop(0)

    def waiting(self) -> bool:
        """Whether a frame is there already."""
        while not self._frames and self._poll.poll(0):
            self._read()
        return bool(self._frames)

    def _read(self) -> None:
        if not (chunk := os.read(self._in, _BLOCK)):
            os._exit(0)
        self._come += chunk
        self._frames += _whole(self._come)


def end_in(seconds: float) -> None:
    """Let the system end this process after a time, whatever it does then; 0 takes that back."""
    signal.setitimer(signal.ITIMER_REAL, seconds)


def limit_memory(size: int, *, data_only: bool = False) -> None:
    """Bound the memory of this process: its addresses, or only what it allocates."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        which = resource.RLIMIT_DATA if data_only else resource.RLIMIT_AS
        resource.setrlimit(which, (size, size))
