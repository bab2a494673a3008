"""The process that waits inside of a sandbox, and for each program forks one in a place of its own."""

from __future__ import annotations

import ctypes
import gc
import os
import platform
import select
import signal
import socket
import struct
import sys
from typing import Any

from dataflow.sandbox.inside.programs import main

NEW_NAMESPACES = 0x20000000 | 0x00020000 | 0x08000000 | 0x04000000
"""Of processes, mounts, IPC and the host's name."""
NO_SUID, NO_DEV, NO_EXEC, PRIVATE = 2, 4, 8, 0x4000 | 0x40000
CLONE = {"x86_64": 56, "aarch64": 220}
SET_FILTER, FILTER, ADOPT = 22, 2, 36
COMMON = ("collections", "dataclasses", "functools", "heapq", "itertools", "math", "re", "string", "typing")
"""Modules that most programs import: loaded once."""


class FilterProgram(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def serve(descriptor: int, options: dict[str, Any]) -> None:
    """Run programs one after the other, as the judge sends their descriptors, until it hangs up."""
    control = socket.socket(fileno=descriptor)
    if not options["isolated"]:
        ctypes.CDLL(None).prctl(ADOPT, 1, 0, 0, 0)
    for name in COMMON:
        __import__(name)
    gc.freeze()
    control.send(b"r")
    while True:
        message, given, _, _ = socket.recv_fds(control, 4096, 4)
        if not message:
            os._exit(0)
        if message[:1] == b"j":
            status = one(control, given, message[1:].decode(), options)
            bury()
            control.send(b"e%d" % status)


def bury() -> None:
    """Take note of the deaths of what programs left behind, where nothing else does."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def one(control: socket.socket, given: list[int], folder: str, options: dict[str, Any]) -> int:
    """Run one program; the exit code of its first process."""
    child = clone() if options["isolated"] else os.fork()
    if not child:
        control.close()
        try:
            first(given, folder, options)
        finally:
            os._exit(1)
    for part in given:
        os.close(part)
    watch = os.pidfd_open(child)
    try:
        while True:
            ready, _, _ = select.select([control.fileno(), watch], [], [])
            if watch in ready:
                return code_of(os.waitpid(child, 0)[1])
            if not control.recv(4096):
                os._exit(0)
            os.kill(child, signal.SIGKILL)
    finally:
        os.close(watch)


def clone() -> int:
    """Fork into new namespaces; this process has one thread, so nothing is left behind."""
    call = ctypes.CDLL(None, use_errno=True).syscall
    made = int(call(CLONE[platform.machine()], NEW_NAMESPACES | signal.SIGCHLD, 0, 0, 0, 0))
    if made < 0:
        raise OSError(ctypes.get_errno(), "clone")
    return made


def first(given: list[int], folder: str, options: dict[str, Any]) -> None:
    """The first process of a program's place: makes the place, gives up its rights, then only buries the dead."""
    if options["isolated"]:
        furnish(options)
        give_up(options["calls"])
    else:
        os.setsid()
        os.chdir(folder)
    child = os.fork()
    if not child:
        channel = os.dup(given[0])
        for number, part in enumerate(given[1:]):
            os.dup2(part, number)
        os.set_inheritable(channel, False)
        for part in given:
            os.close(part)
        main(channel)
    for part in (0, 1, 2, *given):
        os.close(part)
    while True:
        ended, status = os.wait()
        if ended == child:
            os._exit(code_of(status))


def code_of(status: int) -> int:
    """An exit code, with 128 and the signal for what was killed."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def furnish(options: dict[str, Any]) -> None:
    """Empty folders to write to, which hold no more than they may, and a view of its own processes alone."""
    size = f"size={options['scratch_bytes']},nr_inodes={options['files']}"
    mount("none", "/", None, PRIVATE)
    for folder, mode in (("/w", "755"), ("/tmp", "1777"), ("/dev/shm", "1777")):  # noqa: S108
        mount("tmpfs", folder, f"{size},mode={mode}", NO_SUID | NO_DEV)
    mount("proc", "/proc", None, NO_SUID | NO_DEV | NO_EXEC)
    with open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123
        file.write("1000")
    os.chdir("/w")


def mount(kind: str, place: str, data: str | None, flags: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    given = data.encode() if data is not None else None
    if libc.mount(kind.encode(), place.encode(), kind.encode(), ctypes.c_ulong(flags), given):
        raise OSError(ctypes.get_errno(), f"mount {kind} on {place}")


def give_up(calls: bytes | None) -> None:
    """Drop all capabilities, then the system calls that no program needs."""
    libc = ctypes.CDLL(None, use_errno=True)
    header, none = struct.pack("=II", 0x20080522, 0), bytes(24)
    if libc.capset(header, none):
        raise OSError(ctypes.get_errno(), "capset")
    if calls is None:
        return
    program = FilterProgram(len(calls) // 8, calls)
    if libc.prctl(SET_FILTER, FILTER, ctypes.byref(program), 0, 0):
        raise OSError(ctypes.get_errno(), "seccomp")


def boot() -> None:
    """Forget how this came here, so that programs find the standard library alone."""
    for name in [n for n in sys.modules if n.split(".")[0] == "dataflow"]:
        del sys.modules[name]
