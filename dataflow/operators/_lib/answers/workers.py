"""Processes in which answers are compared: one that hangs is killed and replaced, and only its own pair is lost."""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import json
import os
import queue
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dataflow.core.errors import MissingDependency
from dataflow.operators._lib.answers.compare import compared
from dataflow.operators._lib.answers.verdicts import Comparison, Undecided, Verdict

TIMEOUT_S = 5.0
"""CPU seconds that a comparison may take."""
WAITED = 6
"""How many times as long it may take by the clock, on a machine that is busy with other things."""
START_S = 120.0
MEMORY = 3 * 2**30
BATCH = 16
_ROOT = str(Path(__file__).parents[4])
_STARTS = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]);"
    "from dataflow.operators._lib.answers.workers import serve; serve()"
)


def compare(reference: str, answer: str, timeout_s: float = TIMEOUT_S) -> Comparison:
    """How an answer compares with a reference; neither is a whole solution.

    Raises:
        MissingDependency: only mathematics can tell, and math-verify is not installed.
    """
    return compare_all([(reference, answer)], timeout_s)[0]


def compare_all(pairs: Sequence[tuple[str, str]], timeout_s: float = TIMEOUT_S) -> list[Comparison]:
    """How each answer compares with its reference, on all cores; equal pairs are compared once."""
    known: dict[tuple[str, str], Comparison] = {}
    hard: list[tuple[str, str]] = []
    for pair in dict.fromkeys(pairs):
        try:
            known[pair] = compared(*pair)
        except Undecided:
            hard.append(pair)
        except RecursionError:
            known[pair] = Comparison(Verdict.UNREADABLE, "nested too deeply")
    if hard:
        known |= zip(hard, _pool().compare_all(hard, timeout_s), strict=True)
    return [known[pair] for pair in pairs]


class Lost(Exception):
    """A worker that hung or died, and why."""


class Worker:
    """A process that answers one line for each pair it is sent."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = b""

    def compare(self, pairs: Sequence[tuple[str, str]], timeout_s: float) -> Iterator[Comparison]:
        """A comparison for each pair, in order.

        Raises:
            Lost: by the pair that took too long, or at which the process died.
        """
        process = self._started()
        assert process.stdin
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(b"".join(json.dumps(p).encode() + b"\n" for p in pairs))
            process.stdin.flush()
        for _ in pairs:
            verdict, detail = json.loads(self._line(process, timeout_s))
            yield Comparison(Verdict(verdict), detail)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe:
                    with contextlib.suppress(OSError):
                        pipe.close()
        self._process, self._rest = None, b""

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self.stop()  # somebody ended it while it was idle
        if self._process is None:
            command = [sys.executable, "-c", _STARTS, json.dumps([_ROOT, *sys.path])]
            self._process = subprocess.Popen(  # noqa: S603  # this interpreter and our own module
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
            )
            try:
                self._line(self._process, START_S)
            except Lost as error:
                raise RuntimeError("the processes that compare answers do not start") from error
        return self._process

    def _line(self, process: subprocess.Popen[bytes], timeout_s: float) -> bytes:
        assert process.stdout
        started, used = time.monotonic(), cpu_seconds(process.pid)
        while b"\n" not in self._rest:
            if _over(started, used, process.pid, timeout_s):
                self.stop()
                raise Lost(f"more than {timeout_s:g} s")
            if not select.select([process.stdout], [], [], min(timeout_s / 10, 0.2))[0]:
                continue
            chunk = os.read(process.stdout.fileno(), 65536)
            if not chunk:
                self.stop()
                raise Lost("out of memory or crashed")
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        return line


def _over(started: float, used: float | None, pid: int, timeout_s: float) -> bool:
    waited = time.monotonic() - started
    now = cpu_seconds(pid)
    if used is None or now is None:
        return waited > timeout_s
    return now - used > timeout_s or waited > WAITED * timeout_s


def cpu_seconds(pid: int) -> float | None:
    """CPU time that a process has used, where the system tells it."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except (OSError, OverflowError):
        return None


class Pool:
    """As many workers as there are cores, started when first needed and kept."""

    def __init__(self, size: int) -> None:
        self._idle: queue.LifoQueue[Worker] = queue.LifoQueue()
        self.size = size
        self.workers = [Worker() for _ in range(size)]
        for worker in self.workers:
            self._idle.put(worker)

    def compare_all(self, pairs: Sequence[tuple[str, str]], timeout_s: float) -> list[Comparison]:
        done: list[Comparison | None] = [None] * len(pairs)
        waiting: queue.SimpleQueue[list[int]] = queue.SimpleQueue()
        each = max(1, min(BATCH, len(pairs) // (2 * self.size)))
        for i in range(0, len(pairs), each):
            waiting.put(list(range(i, min(i + each, len(pairs)))))
        errors: list[BaseException] = []

        def work() -> None:
            worker = self._idle.get()
            try:
                while not errors:
                    self._batch(worker, waiting.get_nowait(), pairs, done, timeout_s)
            except queue.Empty:
                pass
            except BaseException as error:  # noqa: BLE001  # raised again on the thread that asked
                worker.stop()
                errors.append(error)
            finally:
                self._idle.put(worker)

        threads = [
            threading.Thread(target=work, daemon=True) for _ in range(min(self.size, waiting.qsize()) - 1)
        ]
        for thread in threads:
            thread.start()
        work()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]
        return [c for c in done if c is not None]

    @staticmethod
    def _batch(
        worker: Worker, batch: list[int], pairs: Sequence[tuple[str, str]], done: list[Any], timeout_s: float
    ) -> None:
        while batch:
            try:
                for made in worker.compare([pairs[i] for i in batch], timeout_s):
                    done[batch.pop(0)] = made
            except Lost as error:
                done[batch.pop(0)] = Comparison(Verdict.TIMEOUT, str(error))

    def stop(self) -> None:
        for worker in self.workers:
            worker.stop()


_made: list[Pool] = []
_making = threading.Lock()


def _pool() -> Pool:
    if importlib.util.find_spec("math_verify") is None:
        raise MissingDependency("math-verify", "math", "comparing answers as mathematics")
    with _making:
        if not _made:
            size = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
            _made.append(Pool(min(size, 16)))
            atexit.register(_made[0].stop)
        return _made[0]


def worked_s() -> float:
    """CPU seconds that the processes running now have used."""
    running = [w.pid for pool in _made for w in pool.workers if w.pid is not None]
    return sum(cpu_seconds(pid) or 0.0 for pid in running)


def serve() -> None:
    """Answer the pairs that come in, line by line, until there are no more."""
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    _limit_memory()
    from dataflow.operators._lib.answers.symbolic import symbolic

    symbolic("value", "x + 1", r"\frac{y}{2}")
    out.write(b"ready\n")
    for line in sys.stdin.buffer:
        reference, answer = json.loads(line)
        out.write(json.dumps(_judged(reference, answer, symbolic)).encode() + b"\n")


def _judged(reference: str, answer: str, symbolic: Any) -> Comparison:
    try:
        return compared(reference, answer, symbolic)
    except MemoryError:
        return Comparison(Verdict.TIMEOUT, "out of memory")
    except Exception as error:  # noqa: BLE001  # a parser meets whatever a model may write
        return Comparison(Verdict.UNREADABLE, f"{type(error).__name__}")


def _limit_memory() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
