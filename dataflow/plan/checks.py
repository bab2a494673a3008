"""Everything that can be known to be wrong with a pipeline before it runs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from dataflow.core.eager import column_faults
from dataflow.core.errors import BindError, Mistake, did_you_mean
from dataflow.core.frames import JSON, TYPES
from dataflow.core.merge import Merge
from dataflow.core.ports import Out
from dataflow.plan.trace import Call


@dataclass
class Columns:
    """A table as it will be: what each column holds, who wrote it, whether anyone has read it."""

    schema: pl.Schema
    open: bool = False
    """Whether there may be columns that nobody declared."""
    writer: dict[str, Call] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)
    foreign: frozenset[tuple[int, str]] = frozenset()
    """The free-form step whose rows these are; rows of branches cannot be matched beyond it."""

    def copied(self) -> Columns:
        return replace(self, schema=pl.Schema(self.schema), writer={**self.writer}, unread={*self.unread})


def check_calls(
    calls: Sequence[Call], source: pl.Schema, rows: int, allow_overwrite: Collection[str] = (), first: int = 0
) -> tuple[list[Mistake], dict[int, pl.Schema]]:
    """All mistakes of one storage's steps, and the columns of every table, by its number; `first` is the source's."""
    tables = {first: Columns(pl.Schema(source), unread=set(source))}
    mistakes: list[Mistake] = []
    for before, call in zip([None, *calls], calls, strict=False):
        if unknown := [t for t in call.inputs if t not in tables]:
            mistakes.append(_beyond(call, unknown[0], first))
            continue
        table, found = _input(call, tables)
        found += list(_faults(call, before, table, rows if call.inputs == (first,) else -1, allow_overwrite))
        mistakes += [Mistake(call.step, call.name, p, m) for p, m in found]
        _advance(table, call)
        tables[call.step] = table
    return mistakes, {number: table.schema for number, table in tables.items()}


def _beyond(call: Call, table: int, first: int) -> Mistake:
    message = (
        f" starts from table {first}, but this step reads table {table} of a branch; run without resume_step"
    )
    return Mistake(call.step, call.name, "resume_step", message)


def _input(call: Call, tables: Mapping[int, Columns]) -> tuple[Columns, list[tuple[str, str]]]:
    """The table that a step starts from: that of the step before, or what a merge makes of several."""
    read = [tables[number] for number in call.inputs]
    if not isinstance(call.operator, Merge):
        return read[0].copied(), []
    faults = list(_merge_faults(call.operator, read))
    try:
        schema = call.operator.merged_schema([t.schema for t in read])
    except BindError as error:
        schema, faults = pl.Schema(read[0].schema), [*faults, ("", f": {error}")]
    unread = {c for c in schema if any(c in t.unread or c not in t.schema for t in read)}
    foreign = frozenset[tuple[int, str]]().union(*(t.foreign for t in read))
    return Columns(schema, any(t.open for t in read), {}, unread & set(schema), foreign), faults


def _merge_faults(merge: Merge, read: Sequence[Columns]) -> Iterator[tuple[str, str]]:
    """Why the rows of branches cannot be matched one by one."""
    if merge.how == "rows":
        return
    known = frozenset.intersection(*(t.foreign for t in read))
    for name, table in zip(merge.names, read, strict=True):
        for _, operator in table.foreign - known:
            yield (
                f"branch {name!r}",
                f": {operator} has a run of its own, so its rows cannot be matched; use how='rows'",
            )
    if len(merge.many) > 1:
        both = " and ".join(map(repr, merge.many))
        yield "", f": the branches {both} make several rows of one; merge with how='rows', or let one do so"


def _faults(
    call: Call, before: Call | None, table: Columns, rows: int, allowed: Collection[str]
) -> Iterator[tuple[str, str]]:
    if before is not None and before.step == call.step:
        yield (
            "storage",
            f": {before.name} already runs on this step; call storage.step() once for each operator",
        )
    if call.error is not None:
        yield "", str(call.error).removeprefix(f"{call.name}.run ")
        return
    op = call.op
    if op is not None and op.makes_rows and rows:
        have = rows if rows > 0 else "some"
        yield (
            "storage",
            f': the operator makes rows out of nothing, but the table has {have}; start it from ""',
        )
    yield from _missing(call, table)
    if op is not None:
        yield from op.check(call.binding)
    yield from _collisions(call, table, allowed)


def _missing(call: Call, table: Columns) -> Iterator[tuple[str, str]]:
    if call.op is not None:
        for port, column, message in column_faults(call.op, call.binding, table.schema):
            if column in table.schema or not table.open:
                yield f"{port}={column!r}", f" {message}"
        return
    for port, column in call.binding.columns_read():
        if column not in table.schema and not table.open:
            have = ", ".join(table.schema) or "none"
            yield (
                f"{port}={column!r}",
                f" is not a column here; there are {have}.{did_you_mean(column, table.schema)}",
            )


def _collisions(call: Call, table: Columns, allowed: Collection[str]) -> Iterator[tuple[str, str]]:
    """Columns whose values nobody has used would be lost: those of the data set, and those no later step has read."""
    read = {column for _, column in call.binding.columns_read()}
    minds = {k for k, p in call.ports().items() if isinstance(p, Out) and p.takes_over}
    for port, column in call.binding.writes.items():
        if port in minds:
            continue
        if column not in table.schema or column in read or column in allowed or column not in table.unread:
            continue
        writer = table.writer.get(column)
        whose = f"step {writer.step} {writer.name} writes" if writer else "the data set has"
        columns = ", ".join(table.schema)
        hint = f"there are {columns}. Name another column, or compile(allow_overwrite=[{column!r}])"
        yield f"{port}={column!r}", f" would overwrite the column that {whose} and no step has read; {hint}"


def _advance(table: Columns, call: Call) -> None:
    if call.error is not None:
        _assume(table, call)
    table.unread -= {column for _, column in call.binding.columns_read()}
    ports = call.ports()
    for port, column in call.binding.writes.items():
        declared = ports.get(port)
        kind = declared.type if isinstance(declared, Out) else "any"
        kept = isinstance(declared, Out) and declared.like and column in table.schema
        table.schema[column] = table.schema[column] if kept and table.schema[column] == JSON else TYPES[kind]
        table.writer[column] = call
        table.unread.add(column)
    if call.op is None and not call.binding.writes and getattr(call.operator, "adds_columns", True):
        table.open = True
    if call.op is None:
        table.foreign = frozenset({(call.step, call.name)})


def _assume(table: Columns, call: Call) -> None:
    """What a step with wrong keys would have written, so that no later step is blamed for its mistake."""
    ports = call.op.outputs if call.op is not None else {}
    written = {k: p.default for k, p in ports.items()} | {
        k: v for k, v in call.given.items() if k.startswith("output")
    }
    for port, column in written.items():
        if isinstance(column, str) and column:
            table.schema[column] = TYPES[ports[port].type if port in ports else "any"]
            table.writer[column] = call
