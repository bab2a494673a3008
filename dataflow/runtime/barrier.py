"""Steps that need the whole table: dataset operators, summaries, and free-form operators."""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dataflow.core.ahead import ahead
from dataflow.core.background import current_scope
from dataflow.core.frames import ROW, visible
from dataflow.core.operator import Operator
from dataflow.core.outcome import DROPPED, FAILED, Outcome
from dataflow.core.protocols import Scope
from dataflow.core.tables import Dataset, Selection
from dataflow.plan.trace import Call, with_storage
from dataflow.runtime.feeding import SourceRows
from dataflow.runtime.stagedir import STEP, Place, stamped
from dataflow.runtime.stats import StepStats
from dataflow.storage.memory import MemoryStorage

ROWS_A_PART = 50_000
NO_FAILED = pl.DataFrame(schema=STEP | FAILED)


class Before(Protocol):
    """The rows before a step: the parts of a stage, or the source."""

    def frames(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]: ...

    def numbered(self) -> Iterator[tuple[int, pl.DataFrame]]: ...


async def run_barrier(call: Call, before: Before, to: Place, stats: StepStats, scope: Scope) -> None:
    """Run a step over all the parts before it, and write its own."""
    token = current_scope.set(scope)
    try:
        work = _dataset if isinstance(call.op, Dataset) else _operator if call.op else _free_form
        await asyncio.to_thread(work, call, before, to, stats)
    finally:
        current_scope.reset(token)


def _dataset(call: Call, before: Before, to: Place, stats: StepStats) -> None:
    """Decide over the columns read alone, then cut the parts accordingly, one at a time."""
    op, started = call.operator, time.perf_counter()
    assert isinstance(op, Dataset)
    columns = [c for _, c in call.binding.columns_read()]
    chosen = op.decide(before.frames(columns), call.binding)
    decided = time.perf_counter() - started
    kept = None if chosen.rows is None else np.asarray(chosen.rows, np.int64)
    if kept is not None and (np.diff(kept) <= 0).any():
        frame = _whole(before)
        done = op.cut(frame, 0, kept, chosen, call.binding)
        done.metrics = dict(chosen.metrics)
        _keep_whole(call, to, frame, done, stats, time.perf_counter() - started)
        return

    def keep(item: tuple[int, int, pl.DataFrame]) -> StepStats:
        part, first, frame = item
        started = time.perf_counter()
        bounds = None if kept is None else np.searchsorted(kept, [first, first + frame.height])
        rows = None if kept is None or bounds is None else kept[slice(*bounds)] - first
        mine, done = StepStats(), op.cut(frame, first, rows, chosen, call.binding)
        if part == 0:
            done.metrics, started = dict(chosen.metrics), started - decided
        mine.saw(frame, done, time.perf_counter() - started)
        if to.table is not None:
            to.table.wait(part)
        to.keep(part, done.frame, stamped(done.dropped, call.step, call.name), NO_FAILED, {call.step: mine})
        return mine

    for mine in ahead(keep, _seen(op, before, to, kept, chosen)):
        stats.add(mine)


def _seen(
    op: Dataset, before: Before, to: Place, kept: NDArray[np.int64] | None, chosen: Selection
) -> Iterator[tuple[int, int, pl.DataFrame]]:
    """The parts to cut; of a source whose lines are copied, and not kept beside, only the rows that need be looked at are read, and the table is told which to copy."""
    table = to.table if to.folder.lean else None
    apart = isinstance(before, SourceRows) and type(op).cut is Dataset.cut
    if table is None or table.lines is None or kept is None or not apart:
        return _counted(before)
    table.copy(kept)
    return table.lines.parts(kept, chosen.told)


def _counted(before: Before) -> Iterator[tuple[int, int, pl.DataFrame]]:
    """Each part with its number, and the rows that come before it."""
    first = 0
    for part, frame in before.numbered():
        yield part, first, frame
        first += frame.height


def _operator(call: Call, before: Before, to: Place, stats: StepStats) -> None:
    """An operator that is given all rows and gives all rows."""
    op, started = call.operator, time.perf_counter()
    assert isinstance(op, Operator)
    frame = _whole(before)
    done = op.transform(frame, call.binding)
    _keep_whole(call, to, frame, done, stats, time.perf_counter() - started)


def _free_form(call: Call, before: Before, to: Place, stats: StepStats) -> None:
    """A `run` of somebody's own, over a storage in memory; the rows it writes are new ones.

    It runs on a copy of the operator: what `run` keeps as attributes is no setting of the next run.
    """
    frame, started = _whole(before), time.perf_counter()
    storage = MemoryStorage(visible(frame))
    assert call.free_form is not None
    given = with_storage(call.free_form, storage.step())
    type(call.operator).run(copy.copy(call.operator), *given.args[1:], **given.kwargs)
    made = storage.result
    ids = [f"{call.step}:{i}" for i in range(made.height)]
    done = Outcome(made.insert_column(0, pl.Series(ROW, ids, dtype=pl.String)))
    _keep_whole(call, to, frame, done, stats, time.perf_counter() - started)


def _whole(before: Before) -> pl.DataFrame:
    return pl.concat(list(before.frames()), how="vertical_relaxed")


def _keep_whole(
    call: Call, to: Place, frame: pl.DataFrame, done: Outcome, stats: StepStats, seconds: float
) -> None:
    slices: Iterator[pl.DataFrame] = (
        done.frame.iter_slices(ROWS_A_PART) if done.frame.height else iter([done.frame])
    )
    mine = StepStats()
    mine.saw(frame, done, seconds)
    stats.add(mine)
    for part, piece in enumerate(slices):
        last = part == max(0, -(-done.frame.height // ROWS_A_PART) - 1)
        account = stamped(done.dropped, call.step, call.name) if last else pl.DataFrame(schema=STEP | DROPPED)
        to.keep(part, piece, account, NO_FAILED, {call.step: mine if last else StepStats()})
