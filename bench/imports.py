"""How long the package and its command take to start: whole processes, the median of several."""

from __future__ import annotations

import subprocess
import sys
import time

REPEATS = 9
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import dataflow": [sys.executable, "-c", "import dataflow"],
    "dataflow ops": [sys.executable, "-m", "dataflow", "ops"],
}


def main() -> None:
    for name, command in COMMANDS.items():
        took = []
        for _ in range(REPEATS):
            started = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            took.append(time.perf_counter() - started)
        print(f"start-up: {name}: {sorted(took)[REPEATS // 2]:.3f} s (min {min(took):.3f})")


if __name__ == "__main__":
    main()
