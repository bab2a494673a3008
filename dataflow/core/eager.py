"""Eager mode: one operator over one storage, now."""

from __future__ import annotations

import logging
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from dataflow.core import background
from dataflow.core.errors import BindError, did_you_mean
from dataflow.core.frames import ROW, accepts, numbered, type_name, visible
from dataflow.core.outcome import Outcome
from dataflow.core.ports import Binding
from dataflow.core.protocols import Scope, Usage

if TYPE_CHECKING:
    from dataflow.core.operator import Operator

log = logging.getLogger("dataflow.eager")
EAGER_ROWS = 4096


def run_step(operator: Operator, binding: Binding, storage: Any) -> Outcome:
    """Read the table of a storage, put it through an operator, write the result; log one line.

    Rows that fail leave the table: they are counted, logged, and written beside it as `….failed.jsonl`.

    Raises:
        BindError: a column the operator reads is not there, or is not of the type it reads.
    """
    name = type(operator).__name__
    frame = _rows_of(storage) if not operator.makes_rows else fresh_rows(operator, storage.frame())
    require(operator, binding, frame.schema)
    usage, started = Usage(), time.perf_counter()
    journal = journal_of(storage)
    branch = getattr(storage, "branch_name", "")
    scope = Scope(operator=identity(operator, binding, branch), journal=journal, usage=usage)
    done = background.run(_drive(operator, frame, binding, scope))
    storage.put(visible(done.frame))
    if (keep := getattr(storage, "keep_row_ids", None)) is not None:
        keep(done.frame[ROW])
    _keep_failed(done, storage)
    operator.publish(done.metrics)
    log.info("%s", _line(name, frame.height, done, usage, time.perf_counter() - started))
    return done


def _rows_of(storage: Any) -> pl.DataFrame:
    """The table of a storage, with the row ids that its branch knows or fresh ones."""
    frame, ids = storage.frame(), getattr(storage, "row_ids", None)
    return numbered(frame) if ids is None else frame.insert_column(0, ids.alias(ROW))


def identity(operator: Operator, binding: Binding, branch: str = "") -> str:
    """The name under which sampled replies of an operator are kept: its class, the columns it writes, its branch."""
    columns = ",".join(binding.writes.values()) or binding.first_read or ""
    return f"{type(operator).__name__}:{columns}" + (f"@{branch}" if branch else "")


def journal_of(storage: Any) -> Path | None:
    """Where the replies paid for on behalf of this storage's steps are kept."""
    folder = getattr(storage, "run_dir", None)
    return Path(folder) / "journal.sqlite" if folder else None


def fresh_rows(operator: Operator, frame: pl.DataFrame) -> pl.DataFrame:
    """The empty rows that a row-making operator fills."""
    if frame.height:
        raise BindError(
            f"{type(operator).__name__} makes rows out of nothing, but the table has {frame.height}; "
            'start it from FileStorage(first_entry_file_name="")'
        )
    total: int = operator.total()  # type: ignore[attr-defined]
    return numbered(pl.DataFrame(height=total))


def require(operator: Operator, binding: Binding, schema: pl.Schema) -> None:
    """Raise `BindError` for the first column that is missing, or of a type the operator does not read."""
    for port, column, message in column_faults(operator, binding, schema):
        raise BindError(f"{type(operator).__name__}: {port}={column!r} {message}")


def column_faults(operator: Operator, binding: Binding, schema: pl.Schema) -> list[tuple[str, str, str]]:
    """Port, column and message for each column read that is missing or of another type."""
    faults = []
    shown = [c for c in schema if c != ROW]
    for port, column in binding.columns_read():
        if column not in schema:
            have = ", ".join(shown) or "none"
            faults.append(
                (port, column, f"is not a column here; there are {have}.{did_you_mean(column, shown)}")
            )
        elif port in operator.inputs and not accepts(operator.inputs[port].type, schema[column]):
            want, have = operator.inputs[port].type, type_name(schema[column])
            like = [c for c in shown if accepts(want, schema[c])]
            hint = (
                f" Columns of type {want}: {', '.join(like)}."
                if like
                else f" No column here is of type {want}."
            )
            faults.append((port, column, f"holds {have}, where {want} is read.{hint}"))
    return faults


async def _drive(operator: Operator, frame: pl.DataFrame, binding: Binding, scope: Scope) -> Outcome:
    if not operator.streams or frame.height <= EAGER_ROWS:
        return await operator.apply(frame, binding, scope)
    parts = [await operator.apply(s, binding, scope) for s in frame.iter_slices(EAGER_ROWS)]
    return Outcome(
        pl.concat([p.frame for p in parts]),
        pl.concat([p.dropped for p in parts]),
        pl.concat([p.failed for p in parts]),
    )


def _keep_failed(done: Outcome, storage: Any) -> None:
    written = getattr(storage, "path_of", None)
    if done.failed.height and written is not None:
        path = Path(written(getattr(storage, "writes", storage.operator_step + 1)))
        done.failed.write_ndjson(path.with_name(f"{path.stem}.failed.jsonl"))


def _line(name: str, rows: int, done: Outcome, usage: Usage, seconds: float) -> str:
    reasons = Counter(done.dropped["reason"].to_list()).most_common(3)
    lost = "".join(f", {n} dropped ({reason})" for reason, n in reasons)
    failed = f", {done.failed.height} failed ({done.failed['error'][0]})" if done.failed.height else ""
    calls = f", {usage.calls} calls, {usage.cached} from the journal" if usage.calls + usage.cached else ""
    return f"{name}: {rows} rows in, {done.frame.height} out{lost}{failed}{calls}, {seconds:.1f} s"
