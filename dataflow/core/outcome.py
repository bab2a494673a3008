"""What became of a batch of rows: those that go on, those dropped with a reason, those that failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from dataflow.core.frames import ROW, clean, dumps, records, values

# A reason may end in a detail after a colon, `too short: 7 words`: reasons are counted without it.
DROPPED = pl.Schema({"row": pl.String(), "reason": pl.String(), "value": pl.String()})
FAILED = pl.Schema({"row": pl.String(), "error": pl.String(), "kind": pl.String(), "record": pl.String()})
SHOWN_CHARS = 200


@dataclass
class Outcome:
    """The rows an operator lets through, and an account of every other one."""

    frame: pl.DataFrame
    dropped: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=DROPPED))
    failed: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=FAILED))
    metrics: dict[str, Any] = field(default_factory=dict)
    measured: pl.DataFrame | None = None
    """What a filter measured, a row for each row it decided on: `measure` and whether it was `kept`."""


@dataclass(frozen=True)
class Failure:
    """Why one row failed."""

    error: str
    kind: str = "RowError"

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        return cls(clean(str(error)) or repr(error), type(error).__name__)


def shown(value: Any) -> str | None:
    """A value as a short text for a table of reasons."""
    if value is None:
        return None
    text: str = clean(value) if isinstance(value, str) else dumps(value)
    return text if len(text) <= SHOWN_CHARS else text[: SHOWN_CHARS - 1] + "…"


def dropped(
    frame: pl.DataFrame, lost: Sequence[int], reasons: Sequence[str], column: str | None
) -> pl.DataFrame:
    """The dropped rows of a batch by their position in it, each with its reason and its cell of a column."""
    cells = values(_begun(frame[column][lost])) if column and lost else [None] * len(lost)
    account = {"row": frame[ROW][lost].to_list(), "reason": reasons, "value": [shown(c) for c in cells]}
    return pl.DataFrame(account, schema=DROPPED)


def _begun(column: pl.Series) -> pl.Series:
    """Of texts as much as `shown` looks at: to make Python's of whole ones costs more than to drop them."""
    return column.str.slice(0, SHOWN_CHARS + 1) if column.dtype == pl.String else column


def failed(frame: pl.DataFrame, failures: dict[int, Failure]) -> pl.DataFrame:
    """The failed rows of a batch, whole, by their position in it."""
    lost = frame[list(failures)]
    return pl.DataFrame(
        {
            "row": lost[ROW],
            "error": [f.error for f in failures.values()],
            "kind": [f.kind for f in failures.values()],
            "record": [dumps(r) for r in records(lost)],
        },
        schema=FAILED,
    )
