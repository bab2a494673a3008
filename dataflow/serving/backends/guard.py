"""Run a command so that its whole process group ends with it, and with whoever started it.

Run by path, `python -I guard.py command …`, in a session of its own: it imports nothing of this package, so that it
starts at once. A byte or the end of its standard input tells it to stop; a killed parent closes that, too.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

GRACE_S = 10.0
"""How long the group has between SIGTERM and SIGKILL."""


def main(command: list[str]) -> None:
    """Start the command and wait for its end, or for the word to stop; then kill what is left of the group."""
    signal.signal(signal.SIGTERM, lambda *_: None)  # the group's SIGTERM reaches its leader as well
    try:
        # a pipe that nothing is written to: servers that stop at the end of their input see it with this process's end
        engine = subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603
    except OSError as error:
        sys.exit(f"{command[0]} cannot be started: {error}")
    threading.Thread(target=_stop_when_told, args=(engine,), daemon=True).start()
    status = engine.wait()
    sys.stderr.write(f"the engine ended with status {status}\n")
    sys.stderr.flush()
    os.killpg(0, signal.SIGKILL)


def _stop_when_told(engine: subprocess.Popen[bytes]) -> None:
    os.read(0, 1)
    os.killpg(0, signal.SIGTERM)
    try:
        engine.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
