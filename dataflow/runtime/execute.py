"""Running a plan: stage after stage, using again what is finished and unchanged, and an account of it all."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from dataflow.core import background
from dataflow.core.eager import identity
from dataflow.core.errors import DataFlowError, RunStopped, ServingError
from dataflow.core.frames import numbered, visible
from dataflow.plan.plan import Flow, Plan, Stage
from dataflow.plan.trace import Call
from dataflow.runtime.account import account, lineage, tell
from dataflow.runtime.barrier import run_barrier
from dataflow.runtime.progress import Progress
from dataflow.runtime.rundir import RunDir, StageDir, write_table
from dataflow.runtime.runs import Run
from dataflow.runtime.stats import StepStats
from dataflow.runtime.stream import Streamer
from dataflow.serving.journal import Journal
from dataflow.storage import write_frames

log = logging.getLogger(__name__)
PART_ROWS = 50_000
MODEL_PART_ROWS = 1024
PART_BYTES = 64 << 20


@dataclass(frozen=True)
class Options:
    """How a plan is run."""

    limit: int | None = None
    """Source rows at most: a preview."""
    keep_steps: bool = False
    """Whether the table after every step is written where eager mode writes it."""
    retry_failed: bool = False
    """Whether rows set aside by an earlier run are tried again."""
    progress: bool = True


def run_plan(plan: Plan, options: Options) -> Run:
    """Run every flow of a plan, and return the run of the last one.

    Raises:
        RunStopped: a serving cannot answer; everything so far is saved, and running again goes on from there.
        KeyboardInterrupt: Ctrl-C; likewise.
    """
    runs = [Runner(plan, flow, options).run() for flow in plan.flows]
    if not runs:
        raise DataFlowError(f"{plan.pipeline}.forward() runs no operator")
    return runs[-1]


@dataclass
class Runner:
    """One run of one flow."""

    plan: Plan
    flow: Flow
    options: Options
    totals: dict[int, StepStats] = field(default_factory=dict)
    reused: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.dir = RunDir(Path(self.flow.storage.run_dir))
        self.totals = {c.step: StepStats() for c in self.flow.calls}
        self.started, self.clock = datetime.now(UTC), time.monotonic()

    def run(self) -> Run:
        with self.dir.locked():
            status, message = "failed", ""
            try:
                with Progress(self.flow, self.totals, show=self.options.progress):
                    last, used = background.run(self._stages())
                self._sink(last)
                if self.options.limit is None:
                    self.dir.prune(used)
                status = "done"
            except KeyboardInterrupt:
                status, message = "stopped", "interrupted"
                raise
            except (Exception, BaseExceptionGroup) as fault:  # noqa: BLE001  # raised again, with its account written
                error = _first(fault)
                message = str(error)
                if isinstance(error, ServingError):
                    status = "stopped"
                    raise RunStopped(
                        f"{error}\nEverything so far is saved in {self.dir.path}; run again to go on."
                    ) from error
                raise error from error.__cause__
            finally:
                summary = self._tell(status, message)
                Journal.at(self.dir.journal).close()
        return Run(self.dir.path, summary)

    def _tell(self, status: str, message: str) -> dict[str, Any]:
        """Write the account of the run and its report."""
        facts = {
            "pipeline": self.plan.pipeline, "status": status, "message": message, "limit": self.options.limit,
            "started": self.started.isoformat(timespec="seconds"), "seconds": round(time.monotonic() - self.clock, 3),
        }  # fmt: skip
        summary = account(self.flow, self.dir, facts, self.totals, self.reused)
        tell(summary, self.dir.path)
        return summary

    async def _stages(self) -> tuple[StageDir, list[StageDir]]:
        before: StageDir | None = None
        used: list[StageDir] = []
        for stage in self.flow.stages:
            to = self.dir.stage(stage.number, stage.fingerprint)
            if self.options.retry_failed and to.parts_with_failures():
                self._take_back(stage, to)
            if to.finished and self._has_steps(stage, to):
                self._recall(stage, to.done())
                self.reused |= {c.step for c in stage.calls}
            else:
                self._remove_after(stage)
                await self._make(stage, before, to)
            before = to
            used.append(to)
        assert before is not None
        return before, used

    def _take_back(self, stage: Stage, to: StageDir) -> None:
        """Forget the parts with failures, and the replies that could not be used; calls that failed left none."""
        failed = to.failed().filter(pl.col("kind") != "CallError")
        journal = Journal.at(self.dir.journal)
        for call in stage.calls:
            rows = failed.filter(pl.col("step") == call.step)["row"].to_list()
            if rows and call.op is not None:
                journal.set_aside(identity(call.op, call.binding), rows)
        to.forget(to.parts_with_failures())

    def _remove_after(self, stage: Stage) -> None:
        """Take back what was made of a stage that is about to change: rows that failed may come through now."""
        for later in self.flow.stages[stage.number :]:
            self.dir.stage(later.number, later.fingerprint).remove()

    async def _make(self, stage: Stage, before: StageDir | None, to: StageDir) -> None:
        if not stage.streams:
            to.remove()
            source = before or self._source_dir(stage)
            await run_barrier(stage.calls[0], source, to, self.totals[stage.calls[0].step], self.dir.journal)
        else:
            if not self._has_steps(stage, to):
                to.remove()
            done = to.done()
            self._recall(stage, done)
            streamer = Streamer(stage, to, self.totals, self.dir.journal, keep_steps=self.options.keep_steps)
            await streamer.run(self._parts(stage, before, set(done)))
        to.finish()

    def _has_steps(self, stage: Stage, to: StageDir) -> bool:
        return (
            not self.options.keep_steps
            or not stage.streams
            or not to.parts()
            or all(to.has_step(c.step) for c in stage.calls)
        )

    def _recall(self, stage: Stage, done: dict[int, dict[str, Any]]) -> None:
        """Take the account of parts that an earlier run finished."""
        for told in done.values():
            for call in stage.calls:
                if (kept := told["steps"].get(str(call.step))) is not None:
                    self.totals[call.step].add(StepStats.from_part(kept))

    def _parts(
        self, stage: Stage, before: StageDir | None, done: set[int]
    ) -> Iterator[tuple[int, pl.DataFrame]]:
        if before is not None:
            return ((p, before.read(p)) for p in before.parts() if p not in done)
        first = stage.calls[0].op
        if first is not None and first.makes_rows:
            total: int = first.total()  # type: ignore[attr-defined]
            return _cut(self._limited(total), MODEL_PART_ROWS, done)
        return self._source_parts(stage, done)

    def _source_parts(self, stage: Stage, done: set[int]) -> Iterator[tuple[int, pl.DataFrame]]:
        source, rows = self.flow.source, self._part_rows(stage)
        height, number = self._limited(source.height), 0
        while number in done:
            number += 1
        if not height and number == 0:
            yield 0, numbered(pl.DataFrame(schema=source.schema))
        for frame in source.batches(rows, number * rows) if number * rows < height else ():
            if number * rows >= height:
                return
            if number not in done:
                yield number, numbered(frame.head(height - number * rows), number * rows)
            number += 1

    def _limited(self, rows: int) -> int:
        return rows if self.options.limit is None else min(rows, self.options.limit)

    def _part_rows(self, stage: Stage) -> int:
        most = MODEL_PART_ROWS if stage.calls_models else PART_ROWS
        size = getattr(self.flow.source, "nbytes", 0) / max(1, self.flow.source.height)
        return max(1, min(most, int(PART_BYTES / size))) if size else most

    def _source_dir(self, stage: Stage) -> StageDir:
        """The source as parts, for a first step that needs the whole table."""
        folder = StageDir(self.dir.path / "stages" / f"00-{stage.fingerprint[:16]}")
        folder.remove()
        for number, frame in self._source_parts(stage, set()):
            folder.keep(number, frame, pl.DataFrame(), pl.DataFrame(), {})
        return folder

    def _sink(self, last: StageDir) -> None:
        """Leave the table where eager mode would, and the accounts of rows beside the stages."""
        used = [(s, self.dir.stage(s.number, s.fingerprint)) for s in self.flow.stages]
        if self.options.limit is None:
            for stage, folder in used if self.options.keep_steps else ():
                for call in stage.calls[:-1] if stage.streams else ():
                    self._write_step(call, folder, call.step)
                self._write_step(stage.calls[-1], folder, None)
            self._write_step(self.flow.calls[-1], last, None)
            for call in self.flow.calls:
                if call.op is not None:
                    call.op.publish(self.totals[call.step].metrics)
        dropped = pl.concat([f.dropped() for _, f in used])
        failed = pl.concat([f.failed() for _, f in used])
        write_table(self.dir.path / "dropped.parquet", dropped)
        write_table(self.dir.path / "failed.parquet", failed)
        write_table(self.dir.path / "lineage.parquet", lineage(last, dropped, failed))

    def _write_step(self, call: Call, folder: StageDir, step: int | None) -> None:
        path = Path(self.flow.storage.path_of(call.step))
        frames = (visible(f) for f in folder.frames(step=step))
        schema = visible(folder.read(folder.parts()[0], step=step)).schema
        write_frames(path, frames, schema)


def _cut(total: int, rows: int, done: set[int]) -> Iterator[tuple[int, pl.DataFrame]]:
    """Empty rows for an operator that makes them, in parts."""
    for number, first in enumerate(range(0, max(total, 1), rows)):
        if number not in done:
            yield number, numbered(pl.DataFrame(height=min(rows, total - first)), first)


def _first(fault: BaseException) -> BaseException:
    """The error that started it all: what stops a run before what merely broke with it."""
    leaves = list(_leaves(fault))
    return next((e for e in leaves if isinstance(e, ServingError)), leaves[0])


def _leaves(fault: BaseException) -> Iterator[BaseException]:
    if not isinstance(fault, BaseExceptionGroup):
        yield fault
        return
    for error in fault.exceptions:
        yield from _leaves(error)


__all__ = ["Options", "run_plan"]
