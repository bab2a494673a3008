"""The processes of a running sandbox, seen from outside: what they use, and their end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_HELD = ("RssAnon:", "RssShmem:")


@dataclass(frozen=True)
class Used:
    memory_bytes: int
    files: int


def used(below: Sequence[int], isolated: bool) -> Used:
    """What processes hold together: memory, and what is in the folders that only they can write."""
    memory = sum(map(_resident, below))
    files = 0
    if isolated and below:
        for folder in ("w", "tmp", "dev/shm"):
            with contextlib.suppress(OSError):
                found = os.statvfs(f"/proc/{below[-1]}/root/{folder}")
                memory += (found.f_blocks - found.f_bfree) * found.f_frsize
                files += found.f_files - found.f_ffree
    return Used(memory, files)


def _resident(process: int) -> int:
    """Memory that a process has for itself or shares with others of the sandbox, without what is read from files."""
    with contextlib.suppress(OSError, ValueError):
        text = Path(f"/proc/{process}/status").read_text()
        return 1024 * sum(int(line.split()[1]) for line in text.splitlines() if line.startswith(_HELD))
    return 0


def descendants(process: int) -> list[int]:
    """All processes below one, parents before children; nothing where the system does not tell."""
    found: list[int] = []
    waiting = [process]
    while waiting:
        parent = waiting.pop(0)
        with contextlib.suppress(OSError, ValueError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                children = (task / "children").read_text().split()
                waiting += map(int, children)
                found += map(int, children)
    return found


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and all below it; the first process of a sandbox takes all others with it."""
    if process.poll() is None:
        for below in reversed(descendants(process.pid)):
            with contextlib.suppress(OSError):
                os.kill(below, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.5)
    if process.poll() is None:
        process.kill()
    process.wait()
