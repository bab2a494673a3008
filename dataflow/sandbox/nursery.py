"""A sandbox that waits for programs: started once, it gives each of them a place of its own."""

from __future__ import annotations

import contextlib
import marshal
import os
import select
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from dataflow.core.errors import ConfigError
from dataflow.sandbox import seccomp, tree
from dataflow.sandbox.isolation import ENVIRONMENT, Isolation, interpreter
from dataflow.sandbox.programs import Limits

START_S = 30.0
"""How long a sandbox may take to start on a loaded machine."""
END_S = 2.0
"""How long the end of a program that was killed may take, before the whole sandbox is."""
INSIDE = "dataflow.sandbox.inside"
BOOT = (
    "import os,sys,marshal\nf=int(sys.argv[1])\n"
    "def r(n):\n b=b''\n while len(b)<n:\n  p=os.read(f,n-len(b))\n  if not p:os._exit(1)\n  b+=p\n return b\n"
    "codes,options=marshal.loads(r(int.from_bytes(r(8),'big')))\nos.close(f)\n"
    "for name in ('dataflow','dataflow.sandbox','dataflow.sandbox.inside'):\n"
    " m=sys.modules[name]=type(sys)(name);m.__path__=[]\n"
    "for name,code in codes:\n m=sys.modules[name]=type(sys)(name);exec(code,m.__dict__)\n"
    "m.boot()\nm.serve(int(sys.argv[2]),options)\n"
)


@lru_cache(maxsize=8)
def source(module: str) -> str:
    """The text of a module that runs inside."""
    spec = find_spec(f"{INSIDE}.{module}")
    assert spec
    assert spec.origin
    return Path(spec.origin).read_text("utf-8")


@lru_cache(maxsize=1)
def _codes() -> list[tuple[str, object]]:
    parts = ("channel", "tests", "programs", "nursery")
    return [(f"{INSIDE}.{p}", compile(source(p), "sandbox", "exec", dont_inherit=True)) for p in parts]


class Nursery:
    """Runs one program at a time.

    Raises:
        ConfigError: it does not start.
    """

    def __init__(self, isolation: Isolation, limits: Limits, folders: Mapping[str, str]) -> None:
        self.isolated = isolation.bubblewrap is not None
        self.own: frozenset[int] = frozenset()
        python, own = interpreter()
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        reader, writer = os.pipe()
        with tempfile.TemporaryFile() as said, theirs:
            inner = [python, "-s", "-S", "-P", "-B", "-c", BOOT, str(reader), str(theirs.fileno())]
            try:
                self.process = subprocess.Popen(  # noqa: S603
                    isolation.command(inner, {**{f: f for f in own}, **folders}),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=said,
                    pass_fds=[reader, theirs.fileno()],
                    env=ENVIRONMENT,
                    start_new_session=True,
                )
            finally:
                os.close(reader)
            theirs.close()
            self._tell(writer, limits)
            self._await_start(said)
        self.own = frozenset(tree.descendants(self.process.pid))

    def _tell(self, writer: int, limits: Limits) -> None:
        options = {
            "isolated": self.isolated,
            "scratch_bytes": limits.scratch_bytes,
            "files": limits.files,
            "calls": seccomp.program(),
        }
        data = marshal.dumps((_codes(), options))
        with contextlib.suppress(OSError), os.fdopen(writer, "wb") as pipe:  # it did not start
            pipe.write(len(data).to_bytes(8, "big") + data)

    def _await_start(self, said: object) -> None:
        self.control.settimeout(START_S)
        with contextlib.suppress(OSError):
            if self.control.recv(1) == b"r":
                return
        self.close()
        said.seek(0)  # type: ignore[attr-defined]
        told = said.read().decode(errors="replace").strip()  # type: ignore[attr-defined]
        raise ConfigError(f"a sandbox did not start: {told or f'exit code {self.process.returncode}'}")

    def begin(self, descriptors: Sequence[int], folder: str) -> bool:
        """Begin a program with its channel, input, output and errors; false where this nursery has died."""
        try:
            socket.send_fds(self.control, [b"j" + folder.encode()], list(descriptors))
        except OSError:
            return False
        return True

    def end(self, *, patience: float = 0) -> int | None:
        """Kill the program, if it does not end by itself in so many seconds; its exit code, or null where this nursery is gone too."""
        with contextlib.suppress(OSError, ValueError):
            said = self._ended_within(patience)
            self.control.settimeout(END_S)
            if not said:
                if not self.isolated:
                    self._kill_below()
                self.control.send(b"k")
                said = self.control.recv(64)
            if said[:1] == b"e":
                if not self.isolated:
                    self._kill_below()  # what was forked meanwhile
                return int(said[1:])
        self.close()
        return None

    def _ended_within(self, seconds: float) -> bytes:
        """What is said of an end that comes in so many seconds; nothing where none does."""
        ready, _, _ = select.select([self.control], [], [], seconds)
        return self.control.recv(64) if ready else b""

    def below(self) -> list[int]:
        """The processes of the program."""
        return [p for p in tree.descendants(self.process.pid) if p not in self.own]

    def _kill_below(self) -> None:
        for process in reversed(self.below()):
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)

    @property
    def alive(self) -> bool:
        return self.process.poll() is None and self.control.fileno() >= 0

    def close(self) -> None:
        """End it, and all that runs in it."""
        self.control.close()
        if not self.isolated:
            self._kill_below()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(0.2)
        tree.kill(self.process)
