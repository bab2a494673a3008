"""How long the package and its command take to start: whole processes, the median of several."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

REPEATS = 9
LIMITS = {"import dataflow": "; limit 0.15", "dataflow ops": "; limit 0.5"}
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import dataflow": [sys.executable, "-c", "import dataflow"],
    "dataflow ops": [sys.executable, "-m", "dataflow", "ops"],
}


def measure() -> Iterator[str]:
    """A line a command: whole processes, the median of several."""
    for name, command in COMMANDS.items():
        took = []
        for _ in range(REPEATS):
            started = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            took.append(time.perf_counter() - started)
        yield f"`{name}`: {sorted(took)[REPEATS // 2]:.3f} s (min {min(took):.3f}){LIMITS.get(name, '')}"
