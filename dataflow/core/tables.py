"""Operators that must see whole columns before they decide: `Dataset` and `Summary`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import polars as pl

from dataflow.core.operator import Operator
from dataflow.core.outcome import Outcome, dropped
from dataflow.core.ports import Binding, In
from dataflow.core.rows import cells_of, output_series


@dataclass
class Selection:
    """What a dataset operator decides: the rows kept, by position, and the columns it adds to the table."""

    rows: Sequence[int] | None = None
    """Positions of the rows kept, in the order they shall have; null keeps all as they are."""
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """Cells for every row of the *input* table, by output port."""
    reason: str = "not selected"
    """Why the other rows were dropped."""
    metrics: Mapping[str, Any] = field(default_factory=dict)


class Dataset(Operator):
    """Sees whole columns, then names the rows to keep and the columns to add. Streams nothing.

    The kernel is `select` (lists of cells, nulls included, to row positions or a `Selection`); the docstring of
    an operator says what it does with nulls.
    """

    kind: ClassVar[str] = "Dataset"
    kernel: ClassVar[str] = "select"
    streams: ClassVar[bool] = False
    input_key = In("raw_content")

    def select(self, *columns: Any) -> Iterable[int] | Selection:
        raise NotImplementedError

    def decide(self, frame: pl.DataFrame, binding: Binding) -> Selection:
        """The decision over a frame that need hold no more than the columns read."""
        made = self.select(*(_column(frame, c) for c in binding.reads.values()))
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
        rows: Sequence[int] | None,
        selection: Selection,
        binding: Binding,
    ) -> Outcome:
        """What becomes of a slice that starts at row `first` of the table, of which `rows` (all, if null) are kept."""
        full = self.enact(frame, first, selection, binding)
        if rows is None:
            return Outcome(full)
        kept = set(rows)
        lost = [i for i in range(frame.height) if i not in kept]
        return Outcome(
            full[list(rows)], dropped(frame, lost, [selection.reason] * len(lost), binding.first_read)
        )

    def transform(self, frame: pl.DataFrame, binding: Binding) -> Outcome:
        chosen = self.decide(frame, binding)
        done = self.cut(frame, 0, chosen.rows, chosen, binding)
        done.metrics = dict(chosen.metrics)
        return done


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
