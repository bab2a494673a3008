"""Columns that wait: what no step of a stage reads or writes need not travel with its rows."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import polars as pl

from dataflow.core.frames import ROW, dumps, loads, records
from dataflow.core.merge import keys_of
from dataflow.plan.plan import Stage


class Aside:
    """A part of a stage's input, parted into what walks through the steps and what waits until it is through."""

    def __init__(self, frame: pl.DataFrame, stage: Stage) -> None:
        self.stage, self.columns = stage, [c for c in frame.columns if c != ROW]
        waiting = [c for c in self.columns if stage.aside is not None and c not in stage.aside]
        if (
            waiting and frame[ROW].is_duplicated().any()
        ):  # ids do not tell rows apart that were selected twice
            waiting = []
        self.walking = frame.drop(waiting)
        self.waiting = frame.select(ROW, *waiting) if waiting else None

    def whole(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Rows that are through with all their columns, in the order in which the pipeline has its steps."""
        if self.waiting is not None:
            frame = frame.with_columns(self._of(frame[ROW]).drop(ROW))
        wanted = dict.fromkeys([*self.columns, *_written(self.stage)])
        order = [ROW, *(c for c in wanted if c in frame.columns)]
        order += [c for c in frame.columns if c not in wanted and c != ROW]
        return frame if order == frame.columns else frame.select(order)

    def whole_failed(self, failed: pl.DataFrame) -> pl.DataFrame:
        """Failed rows whose record is whole."""
        if self.waiting is None or not failed.height:
            return failed
        kept: list[dict[str, Any]] = [loads(r) for r in failed["record"]]
        more: list[dict[str, Any]] = records(self._of(failed["row"]))
        order = dict.fromkeys(self.columns)  # those of the table first
        whole = [dumps({**order, **m, **k}) for k, m in zip(kept, more, strict=True)]
        return failed.with_columns(pl.Series("record", whole, dtype=pl.String))

    def _of(self, rows: pl.Series) -> pl.DataFrame:
        """The waiting columns of rows, or of the rows that they were made from."""
        assert self.waiting is not None
        keys = keys_of(rows, self.waiting[ROW])
        return self.waiting[[self._at[k] for k in keys.to_list()]]

    @cached_property
    def _at(self) -> dict[str, int]:
        assert self.waiting is not None
        return {row: i for i, row in enumerate(self.waiting[ROW].to_list())}


def _written(stage: Stage) -> list[str]:
    return [column for call in stage.written for column in call.binding.writes.values()]
