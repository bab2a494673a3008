"""The rows that enter a flow: its source in numbered parts, always cut the same way."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from dataflow.core.frames import numbered
from dataflow.plan.plan import Flow, Stage

PART_ROWS = 50_000
MODEL_PART_ROWS = 1024
PART_BYTES = 8 << 20
"""Of the source's bytes in a part: memory of this size is used again from part to part instead of being asked for anew."""


@dataclass
class Feed:
    """The source of a flow, up to a number of rows, in parts of a size that hangs on the plan alone."""

    flow: Flow
    limit: int | None = None
    """Source rows at most; null for all."""
    part_rows: int | None = None
    """Rows a part, where it matters how many are begun."""

    def parts(
        self, stage: Stage, done: Collection[int], columns: Sequence[str] | None = None
    ) -> Iterator[tuple[int, pl.DataFrame]]:
        """The parts that a stage reads from the source, without those that are done, with some columns or all."""
        first = stage.calls[0].op
        if first is not None and first.makes_rows:
            total: int = first.total()  # type: ignore[attr-defined]
            return self._empty(self.up_to(total), self.part_rows or MODEL_PART_ROWS, done)
        return self._source(self._rows(stage), done, columns)

    @property
    def begun_parts(self) -> int:
        """The parts that are begun, where it matters how many."""
        return 0 if self.part_rows is None or self.limit is None else -(-self.limit // self.part_rows)

    def up_to(self, rows: int) -> int:
        return rows if self.limit is None else min(rows, self.limit)

    @property
    def rows(self) -> int:
        """The rows that there are to begin with, or that the first step can make."""
        first = self.flow.calls[0].op
        if first is not None and first.makes_rows:
            return int(first.total())  # type: ignore[attr-defined]
        return int(self.flow.source.height)

    def _empty(self, total: int, rows: int, done: Collection[int]) -> Iterator[tuple[int, pl.DataFrame]]:
        """Empty rows for an operator that makes them."""
        for number, first in enumerate(range(0, max(total, 1), rows)):
            if number not in done:
                yield number, numbered(pl.DataFrame(height=min(rows, total - first)), first)

    def _source(
        self, rows: int, done: Collection[int], columns: Sequence[str] | None
    ) -> Iterator[tuple[int, pl.DataFrame]]:
        source = self.flow.source
        height, number = self.up_to(source.height), 0
        while number in done:
            number += 1
        if not height and number == 0:
            yield 0, numbered(pl.DataFrame(schema=source.schema))
        for frame in source.batches(rows, number * rows, columns) if number * rows < height else ():
            if number * rows >= height:
                return
            if number not in done:
                yield number, numbered(frame.head(height - number * rows), number * rows)
            number += 1

    def _rows(self, stage: Stage) -> int:
        if self.part_rows is not None:
            return self.part_rows
        most = MODEL_PART_ROWS if stage.calls_models else PART_ROWS
        size = getattr(self.flow.source, "nbytes", 0) / max(1, self.flow.source.height)
        return max(1, min(most, int(PART_BYTES / size))) if size else most


@dataclass
class SourceRows:
    """The source as what comes before a step that needs the whole table; it is read anew each time."""

    feed: Feed
    stage: Stage

    def frames(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        some = list(dict.fromkeys(columns)) if columns else None
        return (frame for _, frame in self.feed.parts(self.stage, (), some))

    def numbered(self) -> Iterator[tuple[int, pl.DataFrame]]:
        return self.feed.parts(self.stage, ())
