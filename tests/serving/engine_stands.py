"""Engine processes for tests: the faulty server of `dataflow.testing` in the place of vLLM."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from dataflow.serving.backends.process import EngineProcess

SERVER = (sys.executable, "-m", "dataflow.testing.server", "--port", "{port}")


def engine_pid(process: EngineProcess) -> int:
    """The engine below the guard, which leads the process group."""
    assert process.pid
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return int(children[0])


def members(group: int) -> list[int]:
    """The living processes of a group."""
    listed = subprocess.run(
        ["ps", "-eo", "pid=,pgid=,stat="], capture_output=True, text=True, check=True
    ).stdout
    rows = (line.split() for line in listed.splitlines())
    return [int(pid) for pid, pgid, stat in rows if int(pgid) == group and not stat.startswith("Z")]


def gone(group: int, within_s: float = 20.0) -> bool:
    """Whether a process group ends within some seconds."""
    until = time.monotonic() + within_s
    while members(group):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
