"""Runs one program in one fresh sandbox and judges it from outside, where the program cannot reach."""

from __future__ import annotations

import contextlib
import fcntl
import marshal
import os
import re
import secrets
import selectors
import socket
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast, get_args

from dataflow.sandbox import tree
from dataflow.sandbox.inside.channel import GONE, SEPARATOR
from dataflow.sandbox.languages import Recipe, files, read_exit
from dataflow.sandbox.nursery import Nursery, source
from dataflow.sandbox.programs import MIB, Execution, Limits, Program, Verdict, shown

COMPILE_S = 30.0
"""How long a sandbox may take to begin a program on a loaded machine, and a compiler to compile."""
TICK_S = 0.05
"""How often memory and files are counted."""
PATIENCE_S = 0.2
"""How long a program that has closed everything may take to be gone; its exit code is that of its own then."""
MOST_SAID, MOST_TESTS = 4 << 20, 100_000
_INDEX = re.compile(r"[0-9]{1,6}")
_EXIT = re.compile(r"-?[0-9]{1,3}")
VERDICTS = frozenset(get_args(Verdict))


class Judge:
    """One run of one program."""

    def __init__(
        self, limits: Limits, program: Program, packages: Sequence[str] = (), recipe: Recipe | None = None
    ) -> None:
        self.limits, self.program, self.packages, self.recipe = limits, program, list(packages), recipe
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

    def run(self, nursery: Nursery, stopped: Callable[[], bool] = lambda: False) -> Execution | None:
        """The execution; null where the nursery died before the program began."""
        folder = None if nursery.isolated else tempfile.TemporaryDirectory()
        ours, theirs = socket.socketpair()
        with (
            folder or contextlib.nullcontext("") as scratch,
            _input(self.program.stdin) as stdin,
            contextlib.ExitStack() as open_here,
        ):
            open_here.enter_context(ours)
            pipes = {name: os.pipe() for name in self.output}
            for reader, _ in pipes.values():
                open_here.callback(os.close, reader)
            writers = [writer for _, writer in pipes.values()]
            begun = nursery.begin([theirs.fileno(), stdin.fileno(), *writers], scratch)
            theirs.close()
            for writer in writers:
                os.close(writer)
            if not begun:
                return None
            code = self._watch(nursery, ours, {n: reader for n, (reader, _) in pipes.items()}, stopped)
        return self._execution(code) if self.ready else None

    def _job(self, isolated: bool) -> dict[str, Any]:
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
        if not isolated:
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
            "pytest": source("pytest_stub") if stub else "",
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
        self, nursery: Nursery, ours: socket.socket, pipes: dict[str, int], stopped: Callable[[], bool]
    ) -> int:
        """Listen to the program until its end, which this makes sure of; its exit code."""
        self.began = time.monotonic()
        self.until = self.began + COMPILE_S
        ours.settimeout(COMPILE_S)
        with contextlib.suppress(OSError):  # it did not begin
            _send(ours, self._job(nursery.isolated))
        patience = 0.0
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(ours, selectors.EVENT_READ)
                for name, pipe in pipes.items():
                    selector.register(pipe, selectors.EVENT_READ, name)
                self._listen_until_the_end(selector, nursery, ours, stopped)
                if not selector.get_map() and self.verdict is None:
                    patience = PATIENCE_S
        finally:
            code = nursery.end(patience=patience)
            self._drain(pipes)
        return 137 if code is None else code

    def _listen_until_the_end(
        self,
        selector: selectors.BaseSelector,
        nursery: Nursery,
        ours: socket.socket,
        stopped: Callable[[], bool],
    ) -> None:
        tick = self.began + TICK_S
        while selector.get_map() and self.verdict is None and not stopped():
            for key, _ in selector.select(max(0.0, min(tick, self.until) - time.monotonic())):
                self._hear(selector, key, ours)
            now = time.monotonic()
            if now >= self.until:
                took = self.until - self.began
                self.verdict = self.verdict or ("timeout", f"still ran after {took:g} s", None)
            elif now >= tick:
                tick = now + TICK_S
                self._count(nursery)
        self.seconds = time.monotonic() - self.began

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
        if len(self.said) > MOST_SAID or len(self.tests) > MOST_TESTS:
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
                self.until = self.began + (COMPILE_S if compiles else self.limits.seconds)
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
                at = _number(f"1{number}")
                self.tests.setdefault(
                    len(self.tests) if at is None else int(number),
                    (cast("Verdict", verdict), _number(line), detail),
                )
            case ["end", verdict, line, detail] if word == self.last_word and verdict in VERDICTS:
                self.verdict = cast("Verdict", verdict), detail, _number(line)
            case ["exit", code] if word == self.last_word and _EXIT.fullmatch(code) and self.recipe:
                self.verdict = "error", f"exit {code}", None
            case _:
                self.verdict = "forbidden", "wrote to the channel of the runner", None

    def _count(self, nursery: Nursery) -> None:
        """Stop a program whose processes, or files, are together more than it may have."""
        if not self.ready or self.verdict:
            return
        used = tree.used(nursery.below(), nursery.isolated)
        if used.memory_bytes > self.limits.memory_bytes:
            self.verdict = "memory", f"held more than {self.limits.memory_bytes} bytes", None
        elif used.files > self.limits.files:
            self.verdict = "forbidden", f"made more than {self.limits.files} files", None

    def _drain(self, pipes: dict[str, int]) -> None:
        """What was written before the end and is still in the pipes."""
        for name, pipe in pipes.items():
            os.set_blocking(pipe, False)
            kept = self.output[name]
            with contextlib.suppress(OSError):
                while len(kept) <= self.limits.output_bytes and (data := os.read(pipe, 1 << 16)):
                    kept += data

    def _execution(self, code: int) -> Execution:
        out, err = (shown(bytes(v), self.limits.shown_chars) for v in self.output.values())
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
        with Path(os.devnull).open("rb") as nothing:
            yield nothing
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
