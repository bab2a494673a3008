"""Cases: what an operator must do, as a table that tests and documentation pages both read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from dataflow.core.eager import run_step
from dataflow.core.frames import TYPES, from_records, infer_series, numbered, records, series
from dataflow.core.operator import Operator, OperatorABC
from dataflow.core.outcome import Outcome
from dataflow.core.ports import Binding, In
from dataflow.testing.serving import ScriptedServing

FAILED = "<failed>"
"""Stands in a table for a row that the operator sets aside as failed."""


@dataclass(frozen=True)
class Case:
    """An operator, rows for it, and the rows that must come of them.

    `rows` and `gives` are records. In `gives` only the columns named are compared; `failed` and `dropped` are
    the numbers of rows set aside.
    """

    op: OperatorABC
    rows: Sequence[Mapping[str, Any]]
    gives: Sequence[Mapping[str, Any]]
    keys: Mapping[str, Any] = field(default_factory=dict)
    failed: int = 0
    dropped: int | None = None
    shown: bool = True
    """Whether the case appears on the operator's page."""

    @property
    def name(self) -> str:
        return type(self.op).__name__

    def check(self) -> None:
        """Raise `AssertionError` where the operator does otherwise; the message shows the first difference."""
        done = run_rows(self.op, self.rows, **self.keys)
        made, account = records(done.frame), _account(done)
        assert len(made) == len(self.gives), (
            f"{self.name} gave {len(made)} rows, not {len(self.gives)}: {made}{account}"
        )
        for number, (row, want) in enumerate(zip(made, self.gives, strict=True)):
            absent = [column for column in want if column not in row]
            assert not absent, f"{self.name} writes no column {absent[0]!r}; it gave {list(row)}{account}"
            got = {column: row[column] for column in want}
            assert got == dict(want), f"{self.name}, row {number}: it gave {got}, not {dict(want)}{account}"
        assert done.failed.height == self.failed, (
            f"{self.name}: {self.failed} rows should have failed{account}"
        )
        assert self.dropped in (None, done.dropped.height), (
            f"{self.name}: {self.dropped} rows should have been dropped{account}"
        )


def _account(done: Outcome) -> str:
    failed = "".join(f"\n  row {r['row']} failed: {r['error']}" for r in done.failed.to_dicts())
    dropped = "".join(f"\n  row {r['row']} was dropped: {r['reason']}" for r in done.dropped.to_dicts())
    return failed + dropped


class Table:
    """A storage of rows in memory that keeps what the last operator did to them."""

    operator_step = 0

    def __init__(self, frame: pl.DataFrame) -> None:
        self.table, self.outcome = frame, Outcome(frame)

    def step(self) -> Table:
        return self

    def frame(self) -> pl.DataFrame:
        return self.table

    def put(self, frame: pl.DataFrame) -> None:
        self.table = frame

    def read(self, output_type: str = "dataframe") -> Any:
        return self.table.to_pandas() if output_type == "dataframe" else records(self.table)

    def write(self, data: Any) -> None:
        self.table = from_records(data if isinstance(data, list) else data.to_dict("records"))

    def apply(self, operator: Operator, binding: Binding) -> None:
        self.outcome = run_step(operator, binding, self)


def run_rows(op: OperatorABC, rows: Sequence[Mapping[str, Any]], **keys: Any) -> Outcome:
    """Run an operator over rows in memory; columns that it reads and no row has are taken as null."""
    if not isinstance(op, Operator):
        table = Table(from_records([dict(r) for r in rows]))
        op.run(table, **keys)
        return Outcome(numbered(table.table))
    table = Table(table_of(op, rows, **keys))
    op.run(table, **keys)
    return table.outcome


def table_of(op: Operator, rows: Sequence[Mapping[str, Any]], **keys: Any) -> pl.DataFrame:
    """Rows as the table that an operator is run over."""
    ports = {column: op.inputs.get(port, In()) for port, column in op.bind(**keys).columns_read()}
    if not rows:
        return pl.DataFrame(
            [series(c, [], TYPES["text" if p.type == "any" else p.type]) for c, p in ports.items()]
        )
    frame = from_records([dict(r) for r in rows])
    return frame.with_columns([infer_series(c, [None] * len(rows)) for c in ports if c not in frame.columns])


def _rows(op: Operator, given: Sequence[Any], keys: Mapping[str, Any]) -> list[dict[str, Any]]:
    columns = list(dict.fromkeys(column for _, column in op.bind(**keys).columns_read()))
    return [_row(columns, cells if isinstance(cells, tuple) else (cells,) * len(columns)) for cells in given]


def _row(columns: Sequence[str], cells: tuple[Any, ...]) -> dict[str, Any]:
    assert len(cells) == len(columns), f"{cells} are {len(cells)} cells for the columns {', '.join(columns)}"
    return dict(zip(columns, cells, strict=True))


def _written(op: Operator, keys: Mapping[str, Any]) -> list[str]:
    return list(op.bind(**keys).writes.values())


def _gives(columns: list[str], value: Any) -> dict[str, Any]:
    several = isinstance(value, tuple) and len(columns) > 1
    return _row(columns, value if several else (value,) * len(columns))


def maps(op: Operator, table: Mapping[Any, Any], *, shown: bool = True, **keys: Any) -> Case:
    """A row operator: cell (or tuple of cells) to value (or tuple of values, or `FAILED`).

    Cells that no mapping can have as keys, such as lists, need a `Case`.
    """
    columns = _written(op, keys)
    good = [v for v in table.values() if v is not FAILED]
    gives = [_gives(columns, v) for v in good]
    return Case(op, _rows(op, list(table), keys), gives, keys, len(table) - len(good), shown=shown)


def keeps(
    op: Operator, given: Sequence[Any], kept: Sequence[Any], *, shown: bool = True, **keys: Any
) -> Case:
    """A filter or dataset operator: cells in, and those of them that are kept."""
    return Case(op, _rows(op, given, keys), _rows(op, kept, keys), keys, shown=shown)


def expands(
    op: Operator, given: Sequence[Any], made: Sequence[Any], *, shown: bool = True, **keys: Any
) -> Case:
    """An operator that makes several rows of one: cells in, and the values of all rows that come of them."""
    columns = _written(op, keys)
    return Case(op, _rows(op, given, keys), [_gives(columns, v) for v in made], keys, shown=shown)


def replies(
    make: Callable[..., Operator],
    table: Mapping[str | None, Any],
    *,
    row: Any = "a text",
    shown: bool = True,
    **keys: Any,
) -> Case:
    """A model operator: the model's reply to the value made of it, or to `FAILED`; a null reply always fails.

    `make` takes `llm_serving=`; `row` is the cell (or tuple of cells) asked about.
    """
    op = make(llm_serving=ScriptedServing(*table))
    columns = _written(op, keys)
    good = [v for r, v in table.items() if v is not FAILED and r is not None]
    gives = [_gives(columns, v) for v in good]
    return Case(op, _rows(op, [row] * len(table), keys), gives, keys, len(table) - len(good), shown=shown)


__all__ = [
    "FAILED",
    "Case",
    "Table",
    "expands",
    "keeps",
    "maps",
    "replies",
    "run_rows",
    "table_of",
]
