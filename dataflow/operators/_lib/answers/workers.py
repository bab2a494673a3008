"""Processes in which answers are compared: one that hangs is killed and replaced, and only its own pair is lost."""

from __future__ import annotations

import importlib.util
import json
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from dataflow.core import inside, workers
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
    """A process that answers one frame for each pair it is sent."""

    def __init__(self) -> None:
        self.process: workers.Spawned | None = None
        self._come: deque[bytes] = deque()

    def compare(self, pairs: Sequence[tuple[str, str]], timeout_s: float) -> Iterator[Comparison]:
        """A comparison for each pair, in order.

        Raises:
            Lost: by the pair that took too long, or at which the process died.
        """
        process = self._started()
        process.send(*(json.dumps(pair).encode() for pair in pairs))
        for _ in pairs:
            verdict, detail = json.loads(self._frame(process, timeout_s))
            yield Comparison(Verdict(verdict), detail)

    def stop(self) -> None:
        """End the process; the next comparison starts another."""
        if self.process is not None:
            self.process.stop()
        self.process = None
        self._come.clear()

    def _started(self) -> workers.Process:
        if self.process is not None and not self.process.lives:
            self.stop()  # somebody ended it while it was idle
        if self.process is None:
            self.process = workers.Spawned(f"{__name__}:serve")
            try:
                self._frame(self.process, START_S)
            except Lost as error:
                raise RuntimeError("the processes that compare answers do not start") from error
        return self.process

    def _frame(self, process: workers.Process, timeout_s: float) -> bytes:
        started, used = time.monotonic(), process.cpu_seconds()
        while not self._come:
            if _over(started, used, process, timeout_s):
                self.stop()
                raise Lost(f"more than {timeout_s:g} s")
            if workers.wait([process], min(timeout_s / 10, 0.2)):
                try:
                    self._come.extend(process.received())
                except workers.Gone as gone:
                    self.stop()
                    raise Lost("out of memory or crashed") from gone
        return self._come.popleft()


def _over(started: float, used: float | None, process: workers.Process, timeout_s: float) -> bool:
    waited = time.monotonic() - started
    now = process.cpu_seconds()
    if used is None or now is None:
        return waited > timeout_s
    return now - used > timeout_s or waited > WAITED * timeout_s


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
        return _made[0]


def worked_s() -> float:
    """CPU seconds that the processes running now have used."""
    running = [w.process for pool in _made for w in pool.workers if w.process is not None]
    return sum(process.cpu_seconds() or 0.0 for process in running)


def serve() -> None:
    """Answer the pairs that come in until there are no more."""
    parent = inside.Parent()
    inside.limit_memory(MEMORY)
    from dataflow.operators._lib.answers.symbolic import symbolic

    symbolic("value", "x + 1", r"\frac{y}{2}")
    parent.send(b"ready")
    while True:
        reference, answer = json.loads(parent.frame())
        parent.send(json.dumps(_judged(reference, answer, symbolic)).encode())


def _judged(reference: str, answer: str, symbolic: Any) -> Comparison:
    try:
        return compared(reference, answer, symbolic)
    except MemoryError:
        return Comparison(Verdict.TIMEOUT, "out of memory")
    except Exception as error:  # noqa: BLE001  # a parser meets whatever a model may write
        return Comparison(Verdict.UNREADABLE, f"{type(error).__name__}")
