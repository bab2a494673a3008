"""Running a plan: stage after stage, using again what is finished and unchanged, and an account of it all."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from dataflow.core import background
from dataflow.core.eager import identity
from dataflow.core.errors import DataFlowError, RunStopped, ServingError
from dataflow.core.merge import Merge
from dataflow.core.protocols import Scope
from dataflow.plan.plan import LAYOUT, Flow, Plan, Stage
from dataflow.plan.reasons import account_of
from dataflow.plan.trace import Call
from dataflow.runtime.account import account, tell
from dataflow.runtime.barrier import run_barrier
from dataflow.runtime.feeding import Feed, SourceRows
from dataflow.runtime.merging import run_merge
from dataflow.runtime.policy import Options, Quotas, check_failures, quotas
from dataflow.runtime.progress import Progress
from dataflow.runtime.recording import install
from dataflow.runtime.rundir import RunDir
from dataflow.runtime.runs import Run
from dataflow.runtime.sink import Sink
from dataflow.runtime.stagedir import Place, StageDir
from dataflow.runtime.stats import StepStats
from dataflow.runtime.stream import Streamer, servings_of
from dataflow.serving.budget import Budget
from dataflow.serving.journal import Journal

log = logging.getLogger(__name__)


def run_plan(plan: Plan, options: Options) -> Run:
    """Run every flow of a plan, and return the run of the last one.

    Raises:
        RunStopped: a serving cannot answer, or a limit is reached; everything so far is saved, and running again
            goes on from there.
        KeyboardInterrupt: Ctrl-C; likewise.
    """
    quiet = replace(options, on_rows=None)  # who listens is told of the final table alone
    runs = [Runner(plan, f, options if f is plan.flows[-1] else quiet).run() for f in plan.flows]
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
        self.feed = Feed(self.flow, self.options.limit)
        self.sink = Sink(self.flow, self.dir, self.options)
        self.budget: Budget | None = None
        self.replay: Mapping[str, Mapping[str, str]] | None = None
        self.changed: list[str] = []
        self.waiting: set[int] = set()
        """The stages that are not finished yet."""

    def run(self) -> Run:
        with self.dir.locked():
            status, message = "failed", ""
            try:
                self._prepare()
                with Progress(self.flow, self.totals, show=self.options.progress):
                    background.run(self._rounds())
                self._conclude()
                status, message = "done", self._shortfall()
            except KeyboardInterrupt:
                status, message = "stopped", "interrupted"
                raise
            except (Exception, BaseExceptionGroup) as fault:  # noqa: BLE001  # raised again, with its account written
                error = _first(fault)
                message = str(error)
                if isinstance(error, (ServingError, RunStopped)):
                    status = "stopped"
                    raise RunStopped(
                        f"{error}\nEverything so far is saved in {self.dir.path}; run again to go on."
                    ) from error
                raise error from error.__cause__
            finally:
                self.sink.discard()
                summary = self._tell(status, message)
                Journal.at(self.dir.journal).close()
        return Run(self.dir.path, summary)

    def _prepare(self) -> None:
        """Have the replies of a recording, know what may be spent, and say what has changed since the last run."""
        if self.options.replay is not None:
            self.replay = install(self.options.replay, self.dir.path).failed
        if self.options.budget is not None:
            paid = Journal.at(self.dir.journal).totals()["cost"]
            self.budget = Budget(self.options.budget, max(0.0, paid - self.dir.spent_by_others(paid)))
        if self.options.limit is None:
            now = account_of(self.flow.source.fingerprint, self.flow.calls, layout=LAYOUT)
            self.changed = self.dir.changes(now)
            for reason in self.changed:
                log.info("%s computes again: %s", self.plan.pipeline, reason)

    def _shortfall(self) -> str:
        """That fewer rows came through than were wanted."""
        wanted, have = self.options.target_rows, self.sink.last.rows()
        if wanted is None or have >= wanted:
            return ""
        return f"{have:,} of {wanted:,} rows came through: all {self.feed.limit:,} candidates are used up"

    def _conclude(self) -> None:
        """Check the shares of failed rows once more, write the tables, and forget what no run needs."""
        for call in self.flow.calls:
            check_failures(call, self.totals[call.step], self.options.max_error_rate, ended=True)
        self.sink.write()
        if self.options.limit is None:
            self.dir.prune([self._dir(s) for s in self.flow.stages])
            self.dir.conclude()
            for call in self.flow.calls:
                if call.op is not None:
                    call.op.publish(self.totals[call.step].metrics)

    def _tell(self, status: str, message: str) -> dict[str, Any]:
        """Write the account of the run and its report."""
        facts = {
            "pipeline": self.plan.pipeline, "status": status, "message": message, "limit": self.options.limit,
            "started": self.started.isoformat(timespec="seconds"), "seconds": round(time.monotonic() - self.clock, 3),
            "target_rows": self.options.target_rows, "candidates": self.feed.limit, "why": self.changed,
        }  # fmt: skip
        summary = account(self.flow, self.dir, facts, self.totals, self.reused)
        tell(summary, self.dir.path)
        return summary

    async def _rounds(self) -> None:
        """All stages once, or for `target_rows` again with more source rows until enough have come through."""
        if self.options.target_rows is None:
            await self._stages()
            return
        begun: int | None = self._first_quota()
        while begun is not None:
            self.feed.limit = begun
            self.dir.keep_begun(self.wanted, begun)
            self.flow.cut(self.plan.rewrites, self.quotas.facts, begun=begun)
            for stats in self.totals.values():
                stats.forget()
            await self._stages()
            begun = self.quotas.after(begun, self.sink.last.rows())
        await self.sink.tell_all()

    def _first_quota(self) -> int:
        """As many rows as are wanted, or as have been begun by an earlier run."""
        assert self.options.target_rows is not None
        most = min(self.feed.rows, self.options.max_candidates or self.feed.rows)
        self.quotas: Quotas = quotas(self.options.target_rows, most)
        self.feed.part_rows = self.quotas.step
        self.flow.cut(self.plan.rewrites, self.quotas.facts, begun=0)
        self.wanted = self.flow.ends[-1].fingerprint
        return max(self.quotas.first(), self.dir.begun(self.wanted))

    async def _stages(self) -> None:
        """Each stage as soon as those that it reads are finished: branches run side by side."""
        made: dict[int, asyncio.Task[None]] = {}
        self.waiting = {stage.number for stage in self.flow.stages}
        async with asyncio.TaskGroup() as tasks:
            for stage in self.flow.stages:
                before = [made[i] for i in stage.inputs if i]
                made[stage.number] = tasks.create_task(self._after(before, stage))

    async def _after(self, before: list[asyncio.Task[None]], stage: Stage) -> None:
        for task in before:
            await task
        await self._use(stage)
        self.waiting.discard(stage.number)
        await asyncio.to_thread(self._unload)

    def _unload(self) -> None:
        """Let go of models that no stage needs any more, where a later one needs the memory for its own."""
        later = [s for stage in self.flow.stages if stage.number in self.waiting for s in models_of(stage)]
        for serving in {id(s): s for stage in self.flow.stages for s in models_of(stage)}.values():
            if later and all(serving is not s for s in later):
                serving.cleanup()

    async def _use(self, stage: Stage) -> None:
        """Use a finished stage again, or make it."""
        to = self._dir(stage)
        if self.options.retry_failed and to.parts_with_failures():
            self._take_back(stage, to)
        whole = to.finished and self._has_steps(stage, to) and self.sink.is_whole(stage)
        if whole and not self._must_grow(stage, to):
            self._recall(stage, to.done())
            self.reused |= {c.step for c in stage.calls}
            await self.sink.tell_stage(stage, to.parts())
        else:
            self._remove_after(stage)
            await self._make(stage, to)

    def _must_grow(self, stage: Stage, to: StageDir) -> bool:
        """Whether a finished stage has to be given more of the source's rows."""
        return stage.streams and stage.inputs == (0,) and len(to.parts()) < self.feed.begun_parts

    def _dir(self, stage: Stage) -> StageDir:
        return self.dir.stage(stage.number, stage.fingerprint)

    def _take_back(self, stage: Stage, to: StageDir) -> None:
        """Forget the parts with failures, and the replies that could not be used; calls that failed left none."""
        failed = to.failed().filter(pl.col("kind") != "CallError")
        journal = Journal.at(self.dir.journal)
        for call in stage.calls:
            rows = failed.filter(pl.col("step") == call.step)["row"].to_list()
            if rows and call.op is not None:
                journal.set_aside(identity(call.op, call.binding, call.branch), rows)
        if to.lean:
            to.remove()
        to.forget(to.parts_with_failures())

    def _remove_after(self, stage: Stage) -> None:
        """Take back what was made of a stage that is about to change: rows that failed may come through now."""
        for later in self.flow.after(stage):
            self._dir(later).remove()

    async def _make(self, stage: Stage, to: StageDir) -> None:
        if not stage.streams:
            to.remove()
            await self._block(stage, to)
            await self.sink.tell_stage(stage, to.parts())
        else:
            if to.lean or not self._has_steps(stage, to):
                to.remove()
            done = to.done()
            if not done and self.sink.may_be_lean(stage):
                to.make_lean()
            self._recall(stage, done)
            await self.sink.tell_stage(stage, list(done))
            await self._streamer(stage, to).run(self._parts(stage, set(done)))
        if to.lean:
            await asyncio.to_thread(self.sink.settle, stage)
        else:
            to.finish()

    async def _block(self, stage: Stage, to: StageDir) -> None:
        """Run a step that needs all rows of its inputs."""
        (call,) = stage.calls
        stats = self.totals[call.step]
        if isinstance(call.op, Merge):
            before = [
                self._dir(self.flow.stages[i - 1]) if i else self._source_dir(stage) for i in stage.inputs
            ]
            await asyncio.to_thread(run_merge, call, before, to, stats)
            return
        (number,) = stage.inputs
        rows = self._dir(self.flow.stages[number - 1]) if number else SourceRows(self.feed, stage)
        if self.sink.may_be_lean(stage):
            to.make_lean()
        place = Place(to, self.sink.trailing(stage))
        await run_barrier(call, rows, place, stats, self._scope(call))

    def _streamer(self, stage: Stage, to: StageDir) -> Streamer:
        most = self.options.max_error_rate
        return Streamer(
            stage,
            Place(to, self.sink.trailing(stage)),
            self.totals,
            {c.step: self._scope(c) for c in stage.calls},
            keep_steps=self.options.keep_steps,
            watch=lambda call, stats: check_failures(call, stats, most, ended=False),
            listener=self.sink.listener(stage),
        )

    def _scope(self, call: Call) -> Scope:
        """On whose behalf a step's calls are made; those of later steps are the deeper ones."""
        named = identity(call.op, call.binding, call.branch) if call.op else call.name
        unanswered = None if self.replay is None else self.replay.get(str(call.step), {})
        return Scope(
            operator=named,
            journal=self.dir.journal,
            usage=self.totals[call.step].usage,
            depth=call.step,
            budget=self.budget,
            replay=unanswered,
        )

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

    def _parts(self, stage: Stage, done: Collection[int]) -> Iterator[tuple[int, pl.DataFrame]]:
        (number,) = stage.inputs
        if not number:
            return self.feed.parts(stage, done)
        before = self._dir(self.flow.stages[number - 1])
        return ((p, before.read(p)) for p in before.parts() if p not in done)

    def _source_dir(self, stage: Stage) -> StageDir:
        """The source as parts, for a merge, which takes rows from wherever they are."""
        folder = StageDir(self.dir.path / "stages" / f"00-{stage.fingerprint[:16]}")
        folder.remove()
        for number, frame in self.feed.parts(stage, ()):
            folder.keep(number, frame, pl.DataFrame(), pl.DataFrame(), {})
        return folder


def models_of(stage: Stage) -> list[Any]:
    """The servings of a stage that keep a model in memory."""
    return [s for c in stage.calls for s in servings_of(c) if getattr(s, "holds_model", False)]


def _first(fault: BaseException) -> BaseException:
    """The error that started it all: what stops a run before what merely broke with it."""
    leaves = list(_leaves(fault))
    return next((e for e in leaves if isinstance(e, (ServingError, RunStopped))), leaves[0])


def _leaves(fault: BaseException) -> Iterator[BaseException]:
    if not isinstance(fault, BaseExceptionGroup):
        yield fault
        return
    for error in fault.exceptions:
        yield from _leaves(error)


__all__ = ["Options", "run_plan"]
