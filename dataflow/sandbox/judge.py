"""Runs one program in one fresh sandbox and judges it from outside, where the program cannot reach."""

from __future__ import annotations

import contextlib
import fcntl
import marshal
import os
import secrets
import selectors
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast, get_args

from dataflow.core.errors import ConfigError
from dataflow.sandbox import tree
from dataflow.sandbox.inside import GONE, SEPARATOR
from dataflow.sandbox.isolation import ENVIRONMENT, Isolation, call_filter, interpreter
from dataflow.sandbox.languages import Recipe, files, read_exit, recipe
from dataflow.sandbox.programs import MIB, Execution, Limits, Program, Verdict, shown

START_S = 30.0
"""How long a sandbox may take to start on a loaded machine, and a compiler to compile."""
TICK_S = 0.05
"""How often memory and files are counted."""
MOST_SAID = 4 << 20
BOOT = (
    "import os,sys,marshal\nf=int(sys.argv[1])\n"
    "def r(n):\n b=b''\n while len(b)<n:\n  p=os.read(f,n-len(b))\n  if not p:os._exit(1)\n  b+=p\n return b\n"
    "c,j=marshal.loads(r(int.from_bytes(r(8),'big')))\n"
    "n={'__name__':'sandbox','__builtins__':__builtins__}\nexec(c,n)\nn['main'](f,j)\n"
)
VERDICTS = frozenset(get_args(Verdict))


@lru_cache(maxsize=2)
def _source(module: str) -> str:
    spec = find_spec(f"dataflow.sandbox.{module}")
    assert spec
    assert spec.origin
    return Path(spec.origin).read_text("utf-8")


@lru_cache(maxsize=1)
def _runner() -> Any:
    return compile(_source("inside"), "sandbox", "exec", dont_inherit=True)


class Judge:
    """One run of one program."""

    def __init__(
        self, isolation: Isolation, limits: Limits, program: Program, packages: Sequence[str] = ()
    ) -> None:
        self.isolation, self.limits, self.program, self.packages = isolation, limits, program, list(packages)
        self.recipe: Recipe | None = (
            recipe(program.language, limits) if program.language != "python" else None
        )
        self.word, self.last_word = secrets.token_hex(8), secrets.token_hex(8)
        self.said = b""
        self.output: dict[str, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}
        self.tests: dict[int, tuple[Verdict, int | None, str]] = {}
        self.verdict: tuple[Verdict, str, int | None] | None = None
        self.ready = self.loaded = False
        self.began = self.until = 0.0
        self.seconds = 0.0

    @property
    def tested(self) -> bool:
        return bool(self.program.tests) or self.program.doctests

    def run(self, stopped: Callable[[], bool] = lambda: False) -> Execution:
        """The execution.

        Raises:
            ConfigError: the sandbox did not start.
        """
        folder = tempfile.TemporaryDirectory() if self.isolation.bubblewrap is None else None
        with folder or contextlib.nullcontext() as scratch, _input(self.program.stdin) as stdin:
            ours, theirs = socket.socketpair()
            with ours:
                with theirs:
                    process = self._start(theirs, stdin, scratch)
                try:
                    self._watch(process, ours, stopped)
                finally:
                    self._end(process)
        return self._execution(process.returncode)

    def _start(self, theirs: socket.socket, stdin: Any, scratch: str | None) -> subprocess.Popen[bytes]:
        python, folders = interpreter()
        inner = [python, "-s", "-S", "-P", "-B", "-c", BOOT, str(theirs.fileno())]
        bound = (*folders, *self.packages, *(self.recipe.folders if self.recipe else ()))
        isolated = self.isolation.bubblewrap is not None
        local = {**ENVIRONMENT, "HOME": scratch} if scratch else {}
        with call_filter() if isolated else contextlib.nullcontext() as calls:
            return subprocess.Popen(  # noqa: S603
                self.isolation.command(inner, self.limits, tuple(dict.fromkeys(bound)), calls),
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno(), *([calls] if calls is not None else [])],
                env=local,
                cwd=scratch,
                start_new_session=True,
            )

    def _job(self) -> dict[str, Any]:
        program, limits, tests = self.program, self.limits, self.program.tests
        most = {
            "RLIMIT_CPU": int(limits.all_seconds) + 2,
            "RLIMIT_FSIZE": limits.scratch_bytes,
            "RLIMIT_NPROC": limits.processes,
            "RLIMIT_NOFILE": 256,
            "RLIMIT_CORE": 0,
            "RLIMIT_MSGQUEUE": 0,
        }
        if self.recipe is None:
            most["RLIMIT_AS"] = limits.memory_bytes
        if self.isolation.bubblewrap is None:
            del most["RLIMIT_NPROC"]  # it would count all that the user runs
        texts = [tests] if isinstance(tests, str) else tests
        stub = any("pytest" in t for t in (*texts, program.code))
        return {
            "word": self.word,
            "limits": most,
            "code": program.code,
            "name": program.name,
            "tested": self.tested,
            "packages": self.packages,
            "pytest": _source("pytest_stub") if stub else "",
            "command": self.recipe.command if self.recipe else None,
            "compile": self.recipe.compiles if self.recipe else None,
            "run_limits": self.recipe.run_limits if self.recipe else {},
        }

    def _tests(self) -> dict[str, Any]:
        tests = self.program.tests
        told: dict[str, Any] = {"word": self.last_word, "doctests": self.program.doctests}
        if self.recipe:
            return {**told, "files": files(self.program, self.last_word)}
        told["tests"] = tests if isinstance(tests, str) and tests else list(tests)
        return {**told, "seconds": self.limits.seconds, "total_seconds": self.limits.all_seconds}

    def _watch(
        self, process: subprocess.Popen[bytes], ours: socket.socket, stopped: Callable[[], bool]
    ) -> None:
        self.began = time.monotonic()
        self.until = self.began + START_S
        ours.settimeout(START_S)
        with contextlib.suppress(OSError):  # it did not start
            _send(ours, (_runner(), self._job()))
        with selectors.DefaultSelector() as selector:
            selector.register(ours, selectors.EVENT_READ)
            for name in self.output:
                selector.register(getattr(process, name), selectors.EVENT_READ, name)
            tick = self.began + TICK_S
            while selector.get_map() and self.verdict is None and not stopped():
                for key, _ in selector.select(max(0.0, min(tick, self.until) - time.monotonic())):
                    self._hear(selector, key, ours)
                now = time.monotonic()
                if now >= self.until:
                    self._late()
                elif now >= tick:
                    tick = now + TICK_S
                    self._count(process)
            self.seconds = time.monotonic() - self.began
            self._drain(process)

    def _hear(
        self, selector: selectors.BaseSelector, key: selectors.SelectorKey, ours: socket.socket
    ) -> None:
        if self.verdict is not None:
            return
        try:
            data = os.read(key.fd, 1 << 16)
        except OSError:
            data = b""
        if not data:
            selector.unregister(key.fileobj)
        elif key.data is None:
            self._listen(data, ours)
        else:
            self._keep(key.data, data)

    def _keep(self, name: str, data: bytes) -> None:
        self.output[name] += data
        if sum(map(len, self.output.values())) > self.limits.output_bytes:
            self.verdict = "forbidden", f"wrote more than {self.limits.output_bytes} bytes", None

    def _listen(self, data: bytes, ours: socket.socket) -> None:
        """Read what comes over the channel: lines of fields, the first of them the word."""
        self.said += data
        if len(self.said) > MOST_SAID:
            self.verdict = "forbidden", "flooded the channel of the runner", None
        *lines, self.said = self.said.split(b"\n")
        for line in lines:
            if self.verdict is None:
                self._line(line.decode("utf-8", "replace").split(SEPARATOR), ours)

    def _line(self, fields: list[str], ours: socket.socket) -> None:
        word, *said = fields
        match said:
            case ["ready"] if word == self.word and not self.ready:
                self.ready, self.began = True, time.monotonic()
                compiles = self.recipe is not None and self.recipe.compiles
                self.until = self.began + (START_S if compiles else self.limits.seconds)
            case ["loaded"] if word == self.word and self.ready and not self.loaded:
                self.loaded = True
                if not isinstance(self.program.tests, str) and self.program.tests and not self.recipe:
                    self.until = time.monotonic() + self.limits.all_seconds + self.limits.seconds
                with contextlib.suppress(OSError):  # its end is told by what it did not say
                    _send(ours, self._tests())
            case ["compiled"] if word == self.last_word:
                self.began = time.monotonic()
                self.until = self.began + self.limits.seconds
            case ["test", number, verdict, line, detail] if word == self.last_word and verdict in VERDICTS:
                at = int(number) if number.isdecimal() else len(self.tests)
                self.tests.setdefault(at, (cast("Verdict", verdict), _number(line), detail))
            case ["end", verdict, line, detail] if word == self.last_word and verdict in VERDICTS:
                self.verdict = cast("Verdict", verdict), detail, _number(line)
            case ["exit", code] if word == self.last_word:
                self.verdict = "error", f"exit {code}", None
            case _:
                self.verdict = "forbidden", "wrote to the channel of the runner", None

    def _late(self) -> None:
        if self.ready:
            took = self.until - self.began
            self.verdict = "timeout", f"still ran after {took:g} s" if took else "timeout", None
        else:
            raise ConfigError(f"a sandbox did not start within {START_S:g} s")

    def _count(self, process: subprocess.Popen[bytes]) -> None:
        """Stop a program whose processes, or files, are together more than it may have."""
        if not self.ready:
            return
        used = tree.used(process.pid, self.isolation.bubblewrap is not None)
        if used.memory_bytes > self.limits.memory_bytes:
            self.verdict = "memory", f"held more than {self.limits.memory_bytes} bytes", None
        elif used.files > self.limits.files:
            self.verdict = "forbidden", f"made more than {self.limits.files} files", None

    def _drain(self, process: subprocess.Popen[bytes]) -> None:
        """What was written before the end and is still in the pipes."""
        for name, kept in self.output.items():
            pipe = getattr(process, name).fileno()
            os.set_blocking(pipe, False)
            with contextlib.suppress(OSError):
                while len(kept) <= self.limits.output_bytes and (data := os.read(pipe, 1 << 16)):
                    kept += data

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        if self.verdict is not None and self.verdict[0] in ("passed", "failed", "error"):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
        tree.kill(process, own_session=self.isolation.bubblewrap is None)
        for pipe in (process.stdout, process.stderr):
            assert pipe
            pipe.close()

    def _execution(self, code: int) -> Execution:
        out, err = (shown(bytes(v), self.limits.shown_chars) for v in self.output.values())
        if not self.ready:
            raise ConfigError(f"a sandbox did not start: {err.strip() or f'exit code {code}'}")
        verdict, detail, line = self.verdict or self._unsaid(code)
        tests = self._verdicts(verdict)
        if detail.startswith("exit ") and self.recipe:
            verdict, detail, line = read_exit(int(detail.removeprefix("exit ")), err)
        elif detail == "does not compile":
            _, said, line = read_exit(1, err)
            detail = f"does not compile: {said}"
        if verdict == "passed" and (bad := next((t for t in self.tests.values() if t[0] != "passed"), None)):
            verdict, line, detail = bad
        if verdict == "passed" and self.tested and not self.recipe and len(self.tests) < max(1, len(tests)):
            verdict, detail = "error", GONE
        return Execution(verdict, detail, line, out, err, round(self.seconds, 4), tests)

    def _unsaid(self, code: int) -> tuple[Verdict, str, int | None]:
        """The verdict of a program that ended without the runner's last word."""
        if code > 128:
            killed = code - 128
            return ("timeout" if killed == 24 else "error"), f"killed by signal {killed}", None
        tested = GONE if self.tested else "ended the interpreter by itself, not as a script ends"
        return "error", tested, None

    def _verdicts(self, verdict: Verdict) -> tuple[Verdict, ...]:
        """Of each test what came of it; those that were not reached have what stopped the program."""
        tests = self.program.tests
        many = len(self.tests) if isinstance(tests, str) else len(tests)
        unreached: Verdict = "error" if verdict == "passed" else verdict
        many = 0 if self.recipe else max(many, len(self.tests))
        return tuple(self.tests.get(i, (unreached, None, ""))[0] for i in range(many))


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 10 and int(text) else None


def _send(channel: socket.socket, value: Any) -> None:
    data = marshal.dumps(value)
    channel.sendall(len(data).to_bytes(8, "big") + data)


@contextlib.contextmanager
def _input(text: str) -> Any:
    """A file of the program's standard input, which it cannot change."""
    if not text:
        yield subprocess.DEVNULL
        return
    data = text.encode("utf-8", "surrogatepass")
    if not hasattr(os, "memfd_create"):
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.seek(0)
            yield file
        return
    with os.fdopen(os.memfd_create("stdin", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC), "r+b", 0) as file:
        for start in range(0, len(data), MIB):
            file.write(data[start : start + MIB])
        seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
        fcntl.fcntl(file, fcntl.F_ADD_SEALS, seals)
        file.seek(0)
        yield file
