"""Operators that must see whole columns before they decide: `Dataset` and `Summary`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import polars as pl

from dataflow.core.ahead import ahead
from dataflow.core.operator import Operator
from dataflow.core.outcome import Outcome, dropped
from dataflow.core.ports import Binding, In
from dataflow.core.rows import cells_of, output_series


@dataclass
class Selection:
    """What a dataset operator decides: the rows kept, by position, and the columns it adds to the table."""

    rows: Sequence[int] | np.ndarray | None = None
    """Positions of the rows kept, in the order they shall have; null keeps all as they are."""
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """Cells for every row of the *input* table, by output port."""
    reason: str | Callable[[int], str] = "not selected"
    """Why the other rows were dropped; of the position of each, where they differ."""
    metrics: Mapping[str, Any] = field(default_factory=dict)
    told: Sequence[int] = ()
    """Rows kept, of which `tell` wants to see the cells."""
    tell: Callable[[pl.DataFrame, int], Mapping[str, Any]] = lambda _frame, _first: {}
    """Metrics for which cells must be seen: of a slice of the table, and the row that it starts at."""


class Dataset(Operator):
    """Sees whole columns, then names the rows to keep and the columns to add. Streams nothing.

    The kernel is `select` (lists of cells, nulls included, to row positions or a `Selection`), or where that would be
    too much to hold, `digest` (the columns of a batch of rows, to whatever of them is needed; on several threads at once) and
    `choose` (all digests, in order, to the same). The docstring of an operator says what it does with nulls.
    """

    kind: ClassVar[str] = "Dataset"
    kernel: ClassVar[str] = "select"
    streams: ClassVar[bool] = False
    input_key = In("raw_content")

    def select(self, *columns: Any) -> Iterable[int] | Selection:
        raise NotImplementedError

    def digest(self, *columns: Any) -> Any:
        """What of a batch of rows must be known for the decision; each port is a column, or several as a frame."""
        raise NotImplementedError

    def choose(self, digests: list[Any]) -> Iterable[int] | Selection:
        """The decision over the digests of all batches, in order."""
        raise NotImplementedError

    def decide(self, frames: Iterator[pl.DataFrame], binding: Binding) -> Selection:
        """The decision over frames, in order, that need hold no more than the columns read."""
        if type(self).digest is Dataset.digest:
            frame = pl.concat(list(frames), how="vertical_relaxed")
            made = self.select(*(_column(frame, c) for c in binding.reads.values()))
        else:
            made = self.choose(list(ahead(lambda f: self.digest(*_series(f, binding)), frames)))
        return made if isinstance(made, Selection) else Selection(list(made))

    def enact(self, frame: pl.DataFrame, first: int, selection: Selection, binding: Binding) -> pl.DataFrame:
        """The columns added to a slice of the table that starts at row `first`; rows are taken by the caller."""
        added = []
        for port, column in binding.writes.items():
            if port in selection.columns:
                cells = selection.columns[port][first : first + frame.height]
                added.append(output_series(column, cells, self.outputs[port], frame))
        return frame.with_columns(added)

    def cut(
        self,
        frame: pl.DataFrame,
        first: int,
        rows: Sequence[int] | np.ndarray | None,
        selection: Selection,
        binding: Binding,
    ) -> Outcome:
        """What becomes of a slice that starts at row `first` of the table, of which `rows` (all, if null) are kept.

        Where the operator adds no column, the slice may have the cells of dropped rows, of those that the selection tells, and of the
        first kept ones alone.
        """
        full, told = self.enact(frame, first, selection, binding), dict(selection.tell(frame, first))
        if rows is None:
            return Outcome(full, metrics=told)
        chosen = np.asarray(rows, np.int64)
        keeps = np.zeros(frame.height, np.bool_)
        keeps[chosen] = True
        lost, why = np.flatnonzero(~keeps).tolist(), selection.reason
        reasons = [why if isinstance(why, str) else why(first + i) for i in lost]
        ordered = len(chosen) == frame.height - len(lost) and (np.diff(chosen) > 0).all()
        left = full.filter(pl.Series(keeps)) if ordered else full[chosen]
        return Outcome(left, dropped(frame, lost, reasons, binding.first_read), metrics=told)

    def transform(self, frame: pl.DataFrame, binding: Binding) -> Outcome:
        chosen = self.decide(iter([frame]), binding)
        done = self.cut(frame, 0, chosen.rows, chosen, binding)
        done.metrics = dict(chosen.metrics)
        return done


def _series(frame: pl.DataFrame, binding: Binding) -> list[pl.Series | pl.DataFrame | None]:
    """What each port reads, as columns; nothing is parsed."""
    return [
        None if c is None else frame[c] if isinstance(c, str) else frame.select(c)
        for c in binding.reads.values()
    ]


def _column(frame: pl.DataFrame, column: str | tuple[str, ...] | None) -> list[Any] | None:
    return None if column is None else cells_of(frame, column)


class Summary(Operator):
    """Reads columns and returns metrics, which go to the run's report; the table stays as it was.

    The kernel is `summarise` (lists of cells, nulls included, to a dict of metrics).
    """

    kind: ClassVar[str] = "Summary"
    kernel: ClassVar[str] = "summarise"
    streams: ClassVar[bool] = False
    input_key = In("raw_content")

    def summarise(self, *columns: Any) -> dict[str, Any]:
        raise NotImplementedError

    def transform(self, frame: pl.DataFrame, binding: Binding) -> Outcome:
        metrics = self.summarise(*(_column(frame, c) for c in binding.reads.values()))
        return Outcome(frame, metrics=metrics)
