"""Streaming a stage: rows flow through all its steps in small batches, and come out in the order they went in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from dataflow.core.background import gathered
from dataflow.core.frames import ROW, forget
from dataflow.core.outcome import DROPPED, FAILED, Outcome
from dataflow.core.protocols import Scope
from dataflow.plan.optimise import Wave
from dataflow.plan.plan import Stage
from dataflow.plan.trace import Call
from dataflow.runtime.aside import Aside
from dataflow.runtime.feeding import PART_ROWS
from dataflow.runtime.stagedir import STEP, Place, stamped
from dataflow.runtime.stats import StepStats

MODEL_BATCH = 8
"""Rows that walk together through a stage with model calls, where the models answer fast."""
SLOW_S = 0.15
"""From this latency of the models on rows walk one by one: none then waits for a slow neighbour."""
MANY = 512
"""With more calls under way than these a slow neighbour holds up too little to matter."""
LIST_BATCH = 256
"""Rows that walk together where a serving only answers lists."""
ROW_BATCH = 8192
"""Rows worked on together at first in a stage without model calls."""
ROW_BATCH_S = 2.0
"""They double while a batch takes less than half of this, and halve where it takes longer: Ctrl-C waits for so long."""
IN_FLIGHT = 3
"""Such batches under way at once."""

Listener = Callable[[pl.DataFrame], Awaitable[None]]


@dataclass
class Flowing:
    """What came of one batch."""

    frame: pl.DataFrame
    dropped: list[pl.DataFrame] = field(default_factory=list)
    failed: list[pl.DataFrame] = field(default_factory=list)
    steps: dict[int, pl.DataFrame] = field(default_factory=dict)
    """The table after each step, where every step is kept."""
    stats: dict[int, StepStats] = field(default_factory=dict)


class Streamer:
    """Puts the parts of a stage's input through its steps, a bounded number of rows at a time."""

    def __init__(
        self,
        stage: Stage,
        to: Place,
        totals: Mapping[int, StepStats],
        scopes: Mapping[int, Scope],
        *,
        keep_steps: bool = False,
        watch: Callable[[Call, StepStats], None] = lambda _call, _stats: None,
        listener: Listener | None = None,
    ) -> None:
        self.stage, self.to, self.totals, self.scopes = stage, to, totals, scopes
        self.keep_steps, self.watch, self.listener = keep_steps, watch, listener
        self.pace = Pace(stage, totals)
        self._busy_until = {c.step: 0.0 for c in stage.calls}

    async def run(self, parts: Iterator[tuple[int, pl.DataFrame]]) -> None:
        """Work through the parts that are not done yet; each is on disk as soon as its last row is through."""
        gate = Gate(lambda: self.pace.window)
        async with asyncio.TaskGroup() as tasks:
            async for number, whole in _pulled(parts):
                aside, batches = Aside(whole, self.stage), []
                self.pace.fit(whole.height)
                for piece in self._slices(aside.walking):
                    await gate.enter(piece.height)
                    batches.append(tasks.create_task(self._flow_gated(piece, aside, gate)))
                tasks.create_task(self._keep(number, batches, aside))

    def _slices(self, frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """The frame in batches of the size that suits at the moment; one empty batch for an empty frame."""
        first = 0
        while first < frame.height or first == 0:
            rows = self.pace.rows()
            yield frame.slice(first, rows)
            first += rows

    async def _flow_gated(self, frame: pl.DataFrame, aside: Aside, gate: Gate) -> Flowing:
        try:
            started = time.perf_counter()
            flowing = await self._flow(frame)
            self.pace.took(frame.height, time.perf_counter() - started)
            if self.listener is not None and flowing.frame.height:
                await self.listener(aside.whole(flowing.frame))
        finally:
            gate.leave(frame.height)
        return flowing

    async def _flow(self, frame: pl.DataFrame) -> Flowing:
        flowing = Flowing(frame)
        for wave in self.stage.waves:
            if len(wave) == 1:
                await self._through(wave[0], flowing)
            else:
                await self._at_once(wave, flowing)
        flowing.frame = forget(flowing.frame)
        return flowing

    async def _through(self, call: Call, flowing: Flowing) -> None:
        started = time.perf_counter()
        self._note(call, flowing, await self._apply(call, flowing.frame), started)

    async def _at_once(self, wave: Wave, flowing: Flowing) -> None:
        """Steps that do not depend on each other; a row that one of them failed is out, whatever the others say."""
        started, before = time.perf_counter(), flowing.frame
        for call, done in zip(wave, await gathered(self._apply(c, before) for c in wave), strict=True):
            self._note(call, flowing, _narrowed(done, flowing.frame, call), started)

    async def _apply(self, call: Call, frame: pl.DataFrame) -> Outcome:
        done: Outcome = await call.operator.apply(frame, call.binding, self.scopes[call.step])  # type: ignore[attr-defined]
        done.frame = forget(done.frame, call.binding.writes.values())
        return done

    def _note(self, call: Call, flowing: Flowing, done: Outcome, started: float) -> None:
        """Go on with what a step let through, and account for the rest."""
        stats, total = StepStats(), self.totals[call.step]
        stats.samples = total.samples[:]
        stats.saw(flowing.frame, done, self._busy(call.step, started))
        stats.samples = stats.samples[len(total.samples) :]
        total.add(stats)
        flowing.stats[call.step], flowing.frame = stats, done.frame
        if done.dropped.height:
            flowing.dropped.append(stamped(done.dropped, call.step, call.name))
        if done.failed.height:
            flowing.failed.append(stamped(done.failed, call.step, call.name))
            self.watch(call, total)
        if self.keep_steps:
            flowing.steps[call.step] = forget(done.frame)

    def _busy(self, step: int, started: float) -> float:
        """The part of a batch's time in which no batch before it was counted: they add up to time by the clock."""
        now = time.perf_counter()
        since = max(started, self._busy_until[step])
        self._busy_until[step] = now
        return now - since

    async def _keep(self, number: int, batches: list[asyncio.Task[Flowing]], aside: Aside) -> None:
        done = [await b for b in batches]
        await asyncio.to_thread(self._write, number, done, aside)

    def _write(self, number: int, done: list[Flowing], aside: Aside) -> None:
        for call in self.stage.calls if self.keep_steps else ():
            self.to.folder.keep_step(number, call.step, _concat([d.steps[call.step] for d in done]))
        stats = {c.step: StepStats() for c in self.stage.calls}
        for d in done:
            for step, s in d.stats.items():
                stats[step].add(s)
        dropped = [f for d in done for f in d.dropped] or [pl.DataFrame(schema=STEP | DROPPED)]
        failed = [f for d in done for f in d.failed] or [pl.DataFrame(schema=STEP | FAILED)]
        frame = aside.whole(_concat([d.frame for d in done]))
        self.to.keep(number, frame, pl.concat(dropped), aside.whole_failed(pl.concat(failed)), stats)


class Gate:
    """Lets rows in up to a bound that may move, in the order in which they come."""

    def __init__(self, rows: Callable[[], int]) -> None:
        self.rows, self.inside = rows, 0
        self._open = asyncio.Event()

    async def enter(self, rows: int) -> None:
        while self.inside and self.inside + rows > self.rows():
            self._open.clear()
            await self._open.wait()
        self.inside += rows

    def leave(self, rows: int) -> None:
        self.inside -= rows
        self._open.set()


class Pace:
    """How many rows walk together, and how many are under way at once."""

    def __init__(self, stage: Stage, totals: Mapping[int, StepStats]) -> None:
        asking = [c for c in stage.calls if c.op is not None and c.op.calls_models]
        servings = [s for c in asking for s in servings_of(c)]
        self.usages = [totals[c.step].usage for c in asking]
        if not asking:
            self.fixed, self.window = ROW_BATCH, ROW_BATCH * IN_FLIGHT
        elif any(not hasattr(s, "ask") and not hasattr(s, "embed") for s in servings):
            self.fixed, self.window = LIST_BATCH, LIST_BATCH * IN_FLIGHT
        else:
            workers = max((getattr(getattr(s, "policy", None), "workers", 8) for s in servings), default=8)
            self.fixed = MODEL_BATCH if workers > MANY else 0
            self.window = 2 * workers + 2 * MODEL_BATCH * len(stage.calls)

    def fit(self, rows: int) -> None:
        """Know of a part of so many rows: in a stage without model calls no batch is larger, nor are more under way than that allows."""
        if not self.usages:
            self.fixed = min(self.fixed, max(rows, LIST_BATCH))
            self.window = self.fixed * IN_FLIGHT

    def took(self, rows: int, seconds: float) -> None:
        """Learn from a batch of a stage without model calls how many rows suit."""
        if self.usages or rows < self.fixed:
            return
        if seconds > ROW_BATCH_S:
            self.fixed = max(LIST_BATCH, self.fixed // 2)
        elif seconds < ROW_BATCH_S / 2:
            self.fixed = min(PART_ROWS, self.fixed * 2)
        self.window = self.fixed * IN_FLIGHT

    def rows(self) -> int:
        """The rows of the next batch: many where replies come fast, one where they are slow or not yet known."""
        if self.fixed:
            return self.fixed
        recent = [x for usage in self.usages for x in usage.latencies[-32:]]
        if not recent:
            return MODEL_BATCH if any(usage.cached for usage in self.usages) else 1
        slow = sum(recent) / len(recent) / SLOW_S
        return max(1, min(MODEL_BATCH, round(MODEL_BATCH * (1.4 - slow))))


def servings_of(call: Call) -> list[Any]:
    """The servings that a step asks, and the model of its own that it holds in memory."""
    named = (getattr(call.operator, n, None) for n in ("llm_serving", "embedding_serving", "scoring_model"))
    return [s for s in named if s is not None]


def _narrowed(done: Outcome, frame: pl.DataFrame, call: Call) -> Outcome:
    """What a step of a wave did, for the rows that the steps before it in the wave let through."""
    made, failed = done.frame, done.failed
    if failed.height:
        failed = failed.filter(pl.col("row").is_in(frame[ROW].implode()))
    if made.height < frame.height or failed.height:
        frame = frame.filter(pl.col(ROW).is_in(made[ROW].implode()))
    if frame.height < made.height:
        made = made.filter(pl.col(ROW).is_in(frame[ROW].implode()))
    columns = list(call.binding.writes.values())
    return Outcome(frame.with_columns(made.select(columns)), done.dropped, failed, done.metrics)


async def _pulled(parts: Iterator[tuple[int, pl.DataFrame]]) -> AsyncIterator[tuple[int, pl.DataFrame]]:
    """Read the next part on a worker thread, so that reading does not hold up the calls in flight."""
    while (item := await asyncio.to_thread(next, parts, None)) is not None:
        yield item


def _concat(frames: list[pl.DataFrame]) -> pl.DataFrame:
    return frames[0] if len(frames) == 1 else pl.concat(frames, how="vertical_relaxed")
