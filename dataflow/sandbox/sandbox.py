"""The sandbox: programs in, executions out, several at once."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from dataflow.core.errors import ConfigError
from dataflow.sandbox.isolation import Isolation, isolation
from dataflow.sandbox.judge import Judge
from dataflow.sandbox.languages import Recipe, recipe, tools
from dataflow.sandbox.nursery import Nursery
from dataflow.sandbox.programs import Execution, Limits, Program, Verdict, same_output

ATTEMPTS = 3


class Sandbox:
    """Runs programs that nobody has read, each in a fresh place of its own, `workers` of them at once.

    A program sees the system's folders and the interpreter, read-only, a scratch folder, its own processes, and no
    network. `packages` are folders of Python packages that it may import. `unsafe_local` runs programs without any of
    that, on your machine, as you. May be used from several threads; closing it ends what still runs.

    Raises:
        ConfigError: no isolation works here, and `unsafe_local` is not set.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        workers: int | None = None,
        *,
        packages: Sequence[str | Path] = (),
        unsafe_local: bool = False,
    ) -> None:
        self.limits = limits or Limits()
        self.isolation = Isolation(None) if unsafe_local else isolation()
        outside = [os.path.realpath(p) for p in packages]
        self._folders = {f"/packages/{n}": folder for n, folder in enumerate(outside)}
        self.packages = outside if unsafe_local else list(self._folders)
        self.workers = workers or len(os.sched_getaffinity(0))
        self._folders |= {folder: folder for folder in tools()}
        self._idle: deque[Nursery] = deque()
        self._pool: ThreadPoolExecutor | None = None
        self._closed = threading.Event()
        self._starting = threading.Lock()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def run(self, programs: Iterable[Program]) -> list[Execution]:
        """What came of each program, in order."""
        stop = threading.Event()
        with self._starting:
            if self._closed.is_set():
                raise ConfigError("this sandbox is closed")
            self._pool = self._pool or ThreadPoolExecutor(self.workers, "sandbox")
            waiting = [self._pool.submit(self._one, program, stop) for program in programs]
        try:
            return [future.result() for future in waiting]
        except BaseException:
            stop.set()
            for future in waiting:
                future.cancel()
            raise

    def close(self) -> None:
        """End what runs; nothing runs any more when this returns."""
        with self._starting:
            self._closed.set()
            self._close_idle()
            if self._pool:
                self._pool.shutdown(wait=True, cancel_futures=True)
            self._close_idle()

    def _close_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _one(self, program: Program, stop: threading.Event) -> Execution:
        def stopped() -> bool:
            return stop.is_set() or self._closed.is_set()

        how = recipe(program.language, self.limits) if program.language != "python" else None
        if not program.cases:
            return self._judged(program, how, stopped)[0]
        return self._cases(program, how, stopped)

    def _judged(
        self, program: Program, how: Recipe | None, stopped: Callable[[], bool]
    ) -> tuple[Execution, bytes]:
        """One run in a nursery that is idle, or a new one; and all that it printed."""
        for _ in range(ATTEMPTS):
            nursery = self._nursery()
            judge = Judge(self.limits, program, self.packages, how)
            try:
                done = judge.run(nursery, stopped)
            except BaseException:
                nursery.close()
                raise
            if nursery.alive and not self._closed.is_set():
                self._idle.append(nursery)
            else:
                nursery.close()
            if done is not None:
                return done, bytes(judge.output["stdout"])
            if stopped():
                break
        raise ConfigError("a sandbox did not begin a program" if not stopped() else "this sandbox is closed")

    def _nursery(self) -> Nursery:
        while self._idle:
            nursery = self._idle.pop()
            if nursery.alive:
                return nursery
            nursery.close()
        return Nursery(self.isolation, self.limits, self._folders)

    def _cases(self, program: Program, how: Recipe | None, stopped: Callable[[], bool]) -> Execution:
        """One run a case; the whole has the verdict of the first that did not pass."""
        alone, until = replace(program, cases=(), tests=()), time.monotonic() + self.limits.all_seconds
        ran: list[Execution] = []
        for case in program.cases:
            if time.monotonic() > until:
                ran.append(Execution("timeout", "no time was left for it"))
                continue
            done, made = self._judged(replace(alone, stdin=case.stdin), how, stopped)
            if done.passed and not same_output(made, case.stdout):
                done = replace(done, verdict="failed", detail=f"case {len(ran) + 1}: another output")
            ran.append(done)
        whole = next((e for e in ran if not e.passed), ran[-1])
        verdicts: tuple[Verdict, ...] = tuple(e.verdict for e in ran)
        return replace(whole, tests=verdicts, seconds=round(sum(e.seconds for e in ran), 4))
