"""The line to the judge outside, and what comes of a piece of a program."""

from __future__ import annotations

import errno
import marshal
import os
import sys
from collections.abc import Callable
from typing import Any

SEPARATOR = "\x1f"
FORBIDDEN = frozenset(
    {errno.EPERM, errno.EACCES, errno.EROFS, errno.ENETUNREACH, errno.ENETDOWN, errno.EFBIG, errno.ENOSPC}
    | {errno.EDQUOT, errno.EAGAIN, errno.EMFILE, errno.ENOSYS, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL}
)
MOST_DETAIL, MOST_SHOWN = 1000, 100_000
Report = tuple[str, int, str]
"""Verdict, line (0 for none), detail."""
PASSED: Report = ("passed", 0, "")
GONE = "ended before its tests did"


class Channel:
    """The line to the judge."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor, self.word = descriptor, ""
        self._write, self._read, self._loads = os.write, os.read, marshal.loads

    def say(self, *fields: object) -> None:
        parts = [self.word, *(str(f) for f in fields)]
        clean = (p.replace("\n", " ").replace("\r", " ").replace(SEPARATOR, " ") for p in parts)
        self._write(self.descriptor, (SEPARATOR.join(clean) + "\n").encode("utf-8", "replace"))

    def hear(self) -> Any:
        """What the judge sends next: its length in eight bytes, then marshalled values."""
        size = int.from_bytes(self._exactly(8), "big")
        return self._loads(self._exactly(size))

    def _exactly(self, size: int) -> bytes:
        parts: list[bytes] = []
        while size:
            part = self._read(self.descriptor, min(size, 1 << 20))
            if not part:
                os._exit(1)
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


def attempt(work: Callable[[], None], script: bool = False) -> Report:
    """What comes of a piece of the program; a script may end by `sys.exit()`."""
    try:
        work()
    except SystemExit as error:
        if not script:
            return "error", line_of(error), GONE
        if error.code in (None, 0):
            return PASSED
        return "error", line_of(error), f"SystemExit: {text_of(error)}"
    except BaseException as error:  # noqa: BLE001  # whatever the program raises is its verdict
        show(error)
        return verdict_of(error), line_of(error), f"{type(error).__name__}: {text_of(error)}".rstrip(": ")
    return PASSED


def show(error: BaseException) -> None:
    try:
        if len(str(error)) < MOST_SHOWN:
            sys.__excepthook__(type(error), error, error.__traceback__)
    except BaseException:  # noqa: BLE001, S110  # a text about an error is no reason for another
        pass


def text_of(error: BaseException) -> str:
    try:
        return str(error)[:MOST_DETAIL]
    except BaseException:  # noqa: BLE001  # the program wrote this method
        return "(cannot be shown)"


def line_of(error: BaseException) -> int:
    """The innermost line of the program or the tests on the way to the error; 0 where there is none."""
    if isinstance(error, SyntaxError) and error.filename in ("program.py", "tests.py"):
        return error.lineno or 0
    line, step = 0, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename in ("program.py", "tests.py"):
            line = step.tb_lineno
        step = step.tb_next
    return line


def verdict_of(error: BaseException) -> str:
    if isinstance(error, AssertionError):
        return "failed"
    if isinstance(error, MemoryError):
        return "memory"
    if type(error).__name__ == "Failed" and type(error).__module__ == "pytest":
        return "failed"
    if type(error) is RuntimeError and "start new thread" in text_of(error):
        return "forbidden"
    cause: BaseException | None = error
    for _ in range(5):
        if not isinstance(cause, OSError):
            break
        if cause.errno in FORBIDDEN or type(cause).__name__ == "gaierror":
            return "forbidden"
        cause = cause.__context__
    return "error"
