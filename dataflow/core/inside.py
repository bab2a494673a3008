"""The inside of a worker process: frames come from its parent and go to it, and it ends when its parent ends.

Little is loaded here, for whoever asks for a process waits for that.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import select
import signal
import struct
import sys

HEAD = struct.Struct("<Q")
"""What a frame begins with: how long it is."""
MARK = struct.Struct("<q")
REQUEST = struct.Struct("<qqq")
"""What a nursery is asked: number of the request, what, and which process."""
BLOCK = 1 << 18
BEAR, END, LEAVE = range(3)
_LOOK_MS = 2000


def whole(come: bytearray) -> list[bytes]:
    """Take the frames that are there as a whole."""
    frames, at, end = [], 0, len(come)
    while end - at >= HEAD.size:
        (size,) = HEAD.unpack_from(come, at)
        if end - at - HEAD.size < size:
            break
        at += HEAD.size + size
        frames.append(bytes(memoryview(come)[at - size : at]))
    if at:
        del come[:at]
    return frames


class Parent:
    """What started this process, as seen from here: frames come from it and go to it.

    What else would be printed goes nowhere, Ctrl-C is left to the parent, and this process ends when it ends.
    """

    def __init__(self) -> None:
        self._pid = int(sys.argv[2])
        marks, *self._given = map(int, sys.argv[3].split(","))
        self._mark = mmap.mmap(marks, MARK.size)
        self._in, self._out = os.dup(0), os.dup(1)
        os.dup2(2, 0)
        os.dup2(2, 1)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._poll = select.poll()
        self._poll.register(self._in, select.POLLIN)
        self._come, self._frames = bytearray(), list[bytes]()

    def send(self, frame: bytes) -> None:
        """Send a frame."""
        rest = memoryview(HEAD.pack(len(frame)) + frame)
        try:
            while rest:
                rest = rest[os.write(self._out, rest) :]
        except OSError:
            os._exit(0)  # nobody is there to hear of it

    def mark(self, number: int) -> None:
        """Write down what is done now, where the parent sees it whatever happens."""
        MARK.pack_into(self._mark, 0, number)

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
        if not (chunk := os.read(self._in, BLOCK)):
            os._exit(0)
        self._come += chunk
        self._frames += whole(self._come)

    def nurse(self) -> None:
        """Bear processes like this one whenever the parent asks for one; returns in each of them, and only there."""
        import socket

        link = socket.socket(fileno=self._given.pop())
        ended: dict[int, int] = {}
        while True:
            number, what, pid = REQUEST.unpack(self.frame())
            if what == BEAR:
                _, pipes, _, _ = socket.recv_fds(link, 1, 3)
                pid = os.fork()
                if pid == 0:
                    link.close()
                    self._begin(*pipes)
                    return
                for pipe in pipes:
                    os.close(pipe)
                self.send(REQUEST.pack(number, what, pid))
                continue
            if pid not in ended:
                os.kill(pid, signal.SIGKILL)
            if what == END:
                while pid not in ended:
                    _reap(ended, pid)
                self.send(REQUEST.pack(number, what, ended.pop(pid)))
            while _reap(ended, -1, os.WNOHANG):
                pass

    def _begin(self, inbox: int, outbox: int, marks: int) -> None:
        """Go on as another process, with pipes of its own."""
        os.close(self._in)
        os.close(self._out)
        self._pid, self._in, self._out = os.getppid(), inbox, outbox
        self._mark = mmap.mmap(marks, MARK.size)
        os.close(marks)
        self._poll = select.poll()
        self._poll.register(self._in, select.POLLIN)
        self._come, self._frames = bytearray(), []


def _reap(ended: dict[int, int], pid: int, options: int = 0) -> bool:
    try:
        found, status = os.waitpid(pid, options)
    except ChildProcessError:
        return False
    if found:
        ended[found] = os.waitstatus_to_exitcode(status)
    return bool(found)


def end_in(seconds: float) -> None:
    """Let the system end this process after a time, whatever it does then; 0 takes that back."""
    signal.setitimer(signal.ITIMER_REAL, seconds)


def limit_memory(size: int, *, data_only: bool = False) -> None:
    """Bound the memory of this process: its addresses, or only what it allocates."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        which = resource.RLIMIT_DATA if data_only else resource.RLIMIT_AS
        resource.setrlimit(which, (size, size))
