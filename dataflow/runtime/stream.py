"""Streaming a stage: small batches flow through all its operators at once, and come out in the order they went in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from dataflow.core.eager import identity
from dataflow.core.outcome import DROPPED, FAILED
from dataflow.core.protocols import Scope
from dataflow.plan.plan import Stage
from dataflow.plan.trace import Call
from dataflow.runtime.rundir import STEP, StageDir, stamped
from dataflow.runtime.stats import StepStats

MODEL_BATCH = 8
"""Rows that walk together through a stage with model calls."""
LIST_BATCH = 256
"""The same for a serving that only answers lists."""
ROW_BATCH = 8192
"""Rows worked on together in a stage without model calls: Ctrl-C waits for no more than these."""
IN_FLIGHT = 3
"""Such batches under way at once."""


@dataclass
class Flowing:
    """What came of one batch, or of all batches of a part."""

    frame: pl.DataFrame
    dropped: list[pl.DataFrame] = field(default_factory=list)
    failed: list[pl.DataFrame] = field(default_factory=list)
    steps: dict[int, pl.DataFrame] = field(default_factory=dict)
    """The table after each step, where every step is kept."""
    stats: dict[int, StepStats] = field(default_factory=dict)


class Streamer:
    """Puts the parts of a stage's input through its operators, a bounded number of rows at a time."""

    def __init__(
        self,
        stage: Stage,
        to: StageDir,
        totals: dict[int, StepStats],
        journal: Path | None,
        *,
        keep_steps: bool = False,
    ) -> None:
        self.stage, self.to, self.totals, self.keep_steps = stage, to, totals, keep_steps
        self.scopes = {
            c.step: Scope(
                operator=identity(_op(c), c.binding), journal=journal, usage=totals[c.step].usage, depth=i
            )
            for i, c in enumerate(stage.calls)
        }
        self.batch, self.window = _sizes(stage)
        self._busy_until = {c.step: 0.0 for c in stage.calls}

    async def run(self, parts: Iterator[tuple[int, pl.DataFrame]]) -> None:
        """Work through the parts that are not done yet; each is on disk as soon as its last row is through."""
        gate = asyncio.Semaphore(self.window)
        async with asyncio.TaskGroup() as tasks:
            async for number, frame in _pulled(parts):
                batches = []
                for piece in _slices(frame, self.batch):
                    await gate.acquire()
                    batches.append(tasks.create_task(self._flow_gated(piece, gate)))
                tasks.create_task(self._keep(number, batches))

    async def _flow_gated(self, frame: pl.DataFrame, gate: asyncio.Semaphore) -> Flowing:
        try:
            return await self._flow(frame)
        finally:
            gate.release()

    async def _flow(self, frame: pl.DataFrame) -> Flowing:
        flowing = Flowing(frame)
        for call in self.stage.calls:
            await self._through(call, flowing)
        return flowing

    async def _through(self, call: Call, flowing: Flowing) -> None:
        before, started = flowing.frame, time.perf_counter()
        done = await _op(call).apply(before, call.binding, self.scopes[call.step])
        stats, total = StepStats(), self.totals[call.step]
        stats.samples = total.samples[:]
        stats.saw(before, done, self._busy(call.step, started))
        stats.samples = stats.samples[len(total.samples) :]
        total.add(stats)
        flowing.stats[call.step], flowing.frame = stats, done.frame
        if done.dropped.height:
            flowing.dropped.append(stamped(done.dropped, call.step, call.name))
        if done.failed.height:
            flowing.failed.append(stamped(done.failed, call.step, call.name))
        if self.keep_steps:
            flowing.steps[call.step] = done.frame

    def _busy(self, step: int, started: float) -> float:
        """The part of a batch's time in which no batch before it was counted: they add up to time by the clock."""
        now = time.perf_counter()
        since = max(started, self._busy_until[step])
        self._busy_until[step] = now
        return now - since

    async def _keep(self, number: int, batches: list[asyncio.Task[Flowing]]) -> None:
        done = [await b for b in batches]
        await asyncio.to_thread(self._write, number, done)

    def _write(self, number: int, done: list[Flowing]) -> None:
        for call in self.stage.calls if self.keep_steps else ():
            self.to.keep_step(number, call.step, _concat([d.steps[call.step] for d in done]))
        stats = {c.step: StepStats() for c in self.stage.calls}
        for d in done:
            for step, s in d.stats.items():
                stats[step].add(s)
        dropped = [f for d in done for f in d.dropped] or [pl.DataFrame(schema=STEP | DROPPED)]
        failed = [f for d in done for f in d.failed] or [pl.DataFrame(schema=STEP | FAILED)]
        self.to.keep(number, _concat([d.frame for d in done]), pl.concat(dropped), pl.concat(failed), stats)


async def _pulled(parts: Iterator[tuple[int, pl.DataFrame]]) -> AsyncIterator[tuple[int, pl.DataFrame]]:
    """Read the next part on a worker thread, so that reading does not hold up the calls in flight."""
    while (item := await asyncio.to_thread(next, parts, None)) is not None:
        yield item


def _slices(frame: pl.DataFrame, rows: int) -> Iterator[pl.DataFrame]:
    if frame.height <= rows:
        yield frame
    else:
        yield from frame.iter_slices(rows)


def _concat(frames: list[pl.DataFrame]) -> pl.DataFrame:
    return frames[0] if len(frames) == 1 else pl.concat(frames, how="vertical_relaxed")


def _op(call: Call) -> Any:
    return call.op


def _sizes(stage: Stage) -> tuple[int, int]:
    """Rows that walk together, and how many such batches are under way at once."""
    if not stage.calls_models:
        return ROW_BATCH, IN_FLIGHT
    servings = [s for c in stage.calls for s in _servings(c)]
    if any(not hasattr(s, "ask") and not hasattr(s, "embed") for s in servings):
        return LIST_BATCH, IN_FLIGHT
    workers = max((getattr(getattr(s, "policy", None), "workers", 8) for s in servings), default=8)
    return MODEL_BATCH, max(4, -(-2 * workers // MODEL_BATCH) + 2 * len(stage.calls))


def _servings(call: Call) -> list[Any]:
    named = (getattr(call.operator, n, None) for n in ("llm_serving", "embedding_serving"))
    return [s for s in named if s is not None]
