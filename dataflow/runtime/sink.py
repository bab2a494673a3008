"""What leaves a flow: its tables where eager mode would put them, the accounts of rows, and news for listeners."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from dataflow.core.frames import visible
from dataflow.core.tables import Dataset
from dataflow.plan.plan import Flow, Stage
from dataflow.runtime.account import lineage
from dataflow.runtime.files import write_table
from dataflow.runtime.policy import Options
from dataflow.runtime.rundir import RunDir
from dataflow.runtime.runs import first_rows
from dataflow.runtime.stagedir import StageDir
from dataflow.runtime.stream import Listener
from dataflow.storage import write_frames
from dataflow.storage.source import FileSource
from dataflow.storage.trailing import TrailingTable
from dataflow.storage.verbatim import Verbatim

LEAN = (".jsonl", ".parquet", ".arrow")
"""Tables from which rows are read back fast, as they were written."""


class Sink:
    """Writes what a run leaves beside its stages."""

    def __init__(self, flow: Flow, folder: RunDir, options: Options) -> None:
        self.flow, self.dir, self.options = flow, folder, options
        self._trailing: dict[int, TrailingTable] = {}
        self._telling = asyncio.Lock()

    @property
    def last(self) -> StageDir:
        """The stage of the final table."""
        return self._dir(self.flow.ends[-1])

    def write(self) -> None:
        """Write the tables that nothing reads on, with `keep_steps` every table, and the accounts of rows."""
        if self.options.limit is None:
            for stage in self.flow.stages if self.options.keep_steps else self.flow.ends:
                self._tables(stage)
            self._deliver()
        used = [self._dir(s) for s in self.flow.stages]
        dropped, failed = pl.concat([f.dropped() for f in used]), pl.concat([f.failed() for f in used])
        write_table(self.dir.path / "dropped.parquet", dropped)
        write_table(self.dir.path / "failed.parquet", failed)
        ends = [self._dir(s) for s in self.flow.ends]
        write_table(
            self.dir.path / "lineage.parquet", lineage(ends, dropped, failed, self.options.target_rows)
        )

    def trailing(self, stage: Stage) -> TrailingTable | None:
        """The table that a stage leaves, if it can be written while its parts are made."""
        o = self.options
        if o.limit is not None or o.keep_steps or o.target_rows is not None or stage not in self.flow.ends:
            return None
        folder = self._dir(stage)
        table = TrailingTable(self._place(stage), folder.read, self._lines())
        for part in folder.parts():
            table.put(part)
        self._trailing[stage.number] = table
        return table

    def _lines(self) -> Verbatim | None:
        """The source's lines, where the table may be made of nothing else."""
        source = self.flow.source
        return source.lines if self.flow.only_drops and isinstance(source, FileSource) else None

    def may_be_lean(self, stage: Stage) -> bool:
        """Whether a stage need keep no more than the ids of its rows: they are cheap to make, and its table has them."""
        o = self.options
        plain = not (o.limit or o.keep_steps or o.target_rows or o.on_rows) and o.max_error_rate is None
        exact = self._place(stage).suffix in LEAN
        cheap = not stage.calls_models and (stage.streams or isinstance(stage.calls[0].op, Dataset))
        return plain and exact and cheap and stage in self.flow.ends

    def settle(self, stage: Stage) -> None:
        """Put the table of a lean stage in its place: the stage is finished with it."""
        folder = self._dir(stage)
        self._trailing.pop(stage.number).finish(len(folder.parts()))
        folder.finish_lean(self._place(stage))

    def is_whole(self, stage: Stage) -> bool:
        """Whether all that a finished stage had is there: the rows of a lean one are in its table."""
        folder = self._dir(stage)
        return not folder.lean or (self.may_be_lean(stage) and folder.has_table(self._place(stage)))

    def _place(self, stage: Stage) -> Path:
        return Path(self.flow.storage.path_of(stage.table))

    def discard(self) -> None:
        """Let go of tables that a run began and did not finish."""
        for table in self._trailing.values():
            table.discard()

    def _tables(self, stage: Stage) -> None:
        folder = self._dir(stage)
        if folder.lean:
            return
        if (table := self._trailing.pop(stage.number, None)) is not None:
            table.finish(len(folder.parts()))
            return
        for call in stage.written[:-1] if self.options.keep_steps and stage.streams else ():
            self._table(folder, call.step, step=call.step)
        last = stage is self.flow.ends[-1]
        self._table(folder, stage.table, rows=self.options.target_rows if last else None)

    def _table(
        self, folder: StageDir, table: int, *, step: int | None = None, rows: int | None = None
    ) -> None:
        path = Path(self.flow.storage.path_of(table))
        frames = (visible(f) for f in first_rows(folder.frames(step=step), rows))
        schema = visible(folder.read(folder.parts()[0], step=step)).schema
        write_frames(path, frames, schema)

    def _deliver(self) -> None:
        """Hand the final table to a storage that puts it elsewhere too."""
        if (deliver := getattr(self.flow.storage, "deliver", None)) is None:
            return
        if self.last.lean:
            table = FileSource(self._place(self.flow.ends[-1]))
            deliver(table.chunks(), table.schema)
            return
        schema = visible(self.last.read(self.last.parts()[0])).schema
        deliver(map(visible, first_rows(self.last.frames(), self.options.target_rows)), schema)

    def listener(self, stage: Stage) -> Listener | None:
        """Who is told of rows that come out of a stage: those who listen, where it is the last and none is surplus."""
        if self.options.on_rows is None or self.options.target_rows or stage is not self.flow.ends[-1]:
            return None
        return self._told

    async def tell_stage(self, stage: Stage, parts: Sequence[int]) -> None:
        """Tell of the rows of parts that are finished."""
        if self.listener(stage) is not None:
            for part in parts:
                await self._told(self._dir(stage).read(part))

    async def tell_all(self) -> None:
        """Tell of the final table, where it was not known before which rows are in it."""
        if self.options.on_rows is not None:
            for frame in first_rows(self.last.frames(), self.options.target_rows):
                await self._told(frame)

    async def _told(self, frame: pl.DataFrame) -> None:
        assert self.options.on_rows is not None
        if frame.height:
            async with self._telling:
                await asyncio.to_thread(self.options.on_rows, visible(frame))

    def _dir(self, stage: Stage) -> StageDir:
        return self.dir.stage(stage.number, stage.fingerprint)
