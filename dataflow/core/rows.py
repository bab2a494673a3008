"""Operators that look at one row at a time, and ask no model: `Map`, `Filter`, `Expand`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import polars as pl

from dataflow.core.errors import STOPPING, RowError
from dataflow.core.frames import JSON, ROW, TYPES, infer_series, is_json, series, type_name, values
from dataflow.core.operator import Operator
from dataflow.core.outcome import Failure, Outcome, dropped, failed, shown
from dataflow.core.ports import Binding, In, Out


class RowOperator(Operator):
    """What the row-by-row kinds share: reading cells, the null rule, failures of single rows, writing columns."""

    accepts_none: ClassVar[bool] = False
    """Whether the kernel is called for rows in which a needed cell is null."""

    def cells(self, frame: pl.DataFrame, binding: Binding) -> list[tuple[Any, ...]]:
        """The kernel's arguments, row by row."""
        if not binding.reads:
            return [({},) if self.open_inputs else ()] * frame.height
        columns = [cells_of(frame, column) for column in binding.reads.values()]
        rows = list(zip(*columns, strict=True))
        return [(dict(zip(binding.reads, row, strict=True)),) for row in rows] if self.open_inputs else rows

    def skips(self, row: tuple[Any, ...]) -> bool:
        """Whether the kernel is spared this row, because a cell it needs is null."""
        if self.accepts_none:
            return False
        if self.open_inputs:
            return None in row[0].values()
        return any(v is None and not p.optional for v, p in zip(row, self.inputs.values(), strict=True))

    def by_rows(self, frame: pl.DataFrame, binding: Binding, above: type[RowOperator]) -> bool:
        """Whether a column read is `json`, which no column kernel understands but the row kernel does."""
        own_rows = getattr(type(self), self.kernel) is not getattr(above, self.kernel)
        return own_rows and any(is_json(frame[c].dtype) for _, c in binding.columns_read())

    def typed(self, frame: pl.DataFrame, binding: Binding) -> pl.DataFrame:
        """The frame for a column kernel: columns of nulls alone, or of `json`, get the type that their port reads."""
        types = self._types(binding)
        empty: dict[Any, Any] = {c: t for c, t in types.items() if frame.schema[c] == pl.Null}
        mixed = [typed_cells(frame[c], t)[0] for c, t in types.items() if is_json(frame.schema[c])]
        return frame.cast(empty).with_columns(mixed) if empty or mixed else frame

    def may_misfit(self, frame: pl.DataFrame, binding: Binding) -> bool:
        """Whether a column kernel may find cells that it cannot take: they are in `json` columns only."""
        return any(is_json(frame.schema[column]) for column in self._types(binding))

    def misfits(self, frame: pl.DataFrame, binding: Binding) -> list[Failure | None]:
        """For each row why a column kernel cannot take it: a `json` cell that is not what its port reads."""
        faults: list[Failure | None] = [None] * frame.height
        for column, dtype in self._types(binding).items():
            if is_json(frame.schema[column]):
                for i, cell in typed_cells(frame[column], dtype)[1].items():
                    faults[i] = Failure(f"{column}={shown(cell)} is no {type_name(dtype)}", "Misfit")
        return faults

    def _types(self, binding: Binding) -> dict[str, pl.DataType]:
        """The type in which a column kernel is given each column, where its port reads one."""
        ports = {c: self.inputs[p].type for p, c in binding.columns_read() if p in self.inputs}
        return {c: TYPES[t] for c, t in ports.items() if not is_json(TYPES[t])}

    def written(self, frame: pl.DataFrame, binding: Binding, results: Sequence[Any]) -> pl.DataFrame:
        """The frame with the bound output columns filled: a result is one value, or a tuple of one a port."""
        if not binding.writes:
            return frame
        ports = list(self.outputs)
        if len(ports) > 1:
            results = [(None,) * len(ports) if r is None else r for r in results]
            columns = {p: [r[i] for r in results] for i, p in enumerate(ports)}
        else:
            columns = {ports[0]: list(results)}
        return frame.with_columns(
            [
                output_series(column, columns[p], self.outputs[p], frame)
                for p, column in binding.writes.items()
            ]
        )


def typed_cells(column: pl.Series, dtype: pl.DataType) -> tuple[pl.Series, dict[int, Any]]:
    """A `json` column in a type of its own, and the cells that are not of it, which become null, by position."""
    cells, unfit = values(column), {}
    for i, cell in enumerate(cells):
        try:
            series("", [cell], dtype)
        except (TypeError, pl.exceptions.PolarsError, OverflowError):
            unfit[i], cells[i] = cell, None
    return series(column.name, cells, dtype), unfit


def cells_of(frame: pl.DataFrame, column: str | tuple[str, ...] | None) -> list[Any]:
    """The cells of a bound column; lists of them where the port is bound to several, nulls where to none."""
    if column is None:
        return [None] * frame.height
    if isinstance(column, str):
        return values(frame[column])
    return [list(row) for row in zip(*(values(frame[c]) for c in column), strict=True)]


class Misfit(RowError, TypeError):
    """A value that is not of the type its port declares."""


def output_series(name: str, cells: Sequence[Any], port: Out, frame: pl.DataFrame) -> pl.Series:
    """Output cells as a column of the port's type; a text refined in place stays `json` where it was."""
    if port.like and name in frame.columns and is_json(frame[name].dtype):
        return series(name, cells, JSON)
    dtype = TYPES[port.type]
    if port.type == "any":
        return series(name, cells, JSON)
    try:
        return series(name, cells, dtype)
    except (TypeError, pl.exceptions.PolarsError, OverflowError) as error:
        found = infer_series(name, cells)
        raise Misfit(
            f"column {name!r} is declared {port.type}, but the kernel gave {type_name(found.dtype)}"
        ) from error


def attempt(kernel: Callable[..., Any], row: tuple[Any, ...]) -> Any:
    """The kernel's result for one row, or the `Failure` of that row alone."""
    try:
        return kernel(*row)
    except STOPPING:
        raise
    except Exception as error:  # noqa: BLE001  # one row's fault must not stop the others
        return Failure.of(error)


def keep_rows(frame: pl.DataFrame, kept: Sequence[bool]) -> pl.DataFrame:
    return frame if all(kept) else frame.filter(pl.Series(kept, dtype=pl.Boolean))


def outcome(
    frame: pl.DataFrame, results: list[Any], finish: Callable[[pl.DataFrame, list[Any]], Outcome]
) -> Outcome:
    """`finish` for the rows that did not fail, with the failed ones set aside; so are values of a wrong type."""
    failures = {i: r for i, r in enumerate(results) if isinstance(r, Failure)}
    kept = [i not in failures for i in range(frame.height)]
    try:
        done = finish(keep_rows(frame, kept), [r for r, k in zip(results, kept, strict=True) if k])
    except Misfit:
        return outcome(frame, [_fitting(frame[i : i + 1], r, finish) for i, r in enumerate(results)], finish)
    if not failures:
        return done
    done.failed = pl.concat([done.failed, failed(frame, failures)])
    return done


def _fitting(row: pl.DataFrame, result: Any, finish: Callable[[pl.DataFrame, list[Any]], Outcome]) -> Any:
    if isinstance(result, Failure):
        return result
    try:
        finish(row, [result])
    except Misfit as error:
        return Failure.of(error)
    return result


class Map(RowOperator):
    """One row in, the same row out with its output columns filled; null in gives null out.

    The kernel is `map` (values to a value, or a tuple of one a port), or for speed `map_batch` (columns to
    a column) or `expr` (polars expressions to one); the fastest defined is used.
    """

    kind: ClassVar[str] = "Map"
    kernel: ClassVar[str] = "map"
    input_key = In("raw_content")
    output_key = Out("output")

    def map(self, *values: Any) -> Any:
        raise NotImplementedError

    def transform(self, frame: pl.DataFrame, binding: Binding) -> Outcome:
        if self.by_rows(frame, binding, Map):
            return self._by_row(frame, binding)
        if hasattr(self, "expr") or hasattr(self, "map_batch"):
            if not self.may_misfit(frame, binding):
                return Outcome(self._by_column(frame, binding))
            faults = self.misfits(frame, binding)
            return outcome(frame, faults, lambda kept, _: Outcome(self._by_column(kept, binding)))
        return self._by_row(frame, binding)

    def _by_column(self, frame: pl.DataFrame, binding: Binding) -> pl.DataFrame:
        (column,) = binding.writes.values()
        typed, names = self.typed(frame, binding), [name for _, name in binding.columns_read()]
        if hasattr(self, "expr"):
            made = typed.with_columns(self.expr(*map(pl.col, names)).alias(column))[column]
        else:
            made = self.map_batch(*(typed[n] for n in names)).alias(column)  # type: ignore[attr-defined]
        return frame.with_columns(made)

    def _by_row(self, frame: pl.DataFrame, binding: Binding) -> Outcome:
        rows = self.cells(frame, binding)
        results = [None if self.skips(row) else attempt(self.map, row) for row in rows]
        return outcome(frame, results, lambda kept, done: Outcome(self.written(kept, binding, done)))


Verdict = bool | tuple[bool, str] | tuple[bool, str, float]
"""Whether a row stays; why not, where it does not; and the number that decided."""


class Filter(RowOperator):
    """Keeps or drops each row; a row without the value is dropped, with the reason `null`.

    The kernel is `keep` (values to true, false, or `(False, "reason")`) or `expr` (polars expressions to a
    Boolean one). An optional output is a label column, 1 on every kept row, written where the run names it.

    A filter with bounds on a number names it in `measured`, and `keep` gives it as a third value: reports then draw it. With
    `keeps`, of a number or an expression of numbers to whether such rows stay, `dataflow tune` finds bounds too.
    """

    kind: ClassVar[str] = "Filter"
    kernel: ClassVar[str] = "keep"
    measured: ClassVar[str] = ""
    """What the bounds are on, if anything."""
    input_key = In("raw_content")

    def keep(self, *values: Any) -> Verdict:
        raise NotImplementedError

    def reason(self) -> str:
        """Why a row was dropped, where the kernel does not say: the operator's settings."""
        return (
            ", ".join(f"{k}={v!r}" for k, v in self if isinstance(v, (int, float, str, bool, tuple)))
            or "not kept"
        )

    def transform(self, frame: pl.DataFrame, binding: Binding) -> Outcome:
        if hasattr(self, "expr") and not self.by_rows(frame, binding, Filter):
            marked = self._by_expression(frame, binding)
            if not self.may_misfit(frame, binding):
                return self._divide_by_mask(frame, binding, marked)
            kept = [(False, "null") if v is None else v for v in marked.to_list()]
            verdicts = [fault or v for fault, v in zip(self.misfits(frame, binding), kept, strict=True)]
        else:
            rows = self.cells(frame, binding)
            verdicts = [(False, "null") if self.skips(row) else attempt(self.keep, row) for row in rows]
        return outcome(frame, verdicts, lambda kept, done: self._divide(kept, binding, done))

    def _by_expression(self, frame: pl.DataFrame, binding: Binding) -> pl.Series:
        """Whether each row stays; null for one without a value."""
        names = [name for _, name in binding.columns_read()]
        keep = self.expr(*map(pl.col, names))  # type: ignore[attr-defined]
        some_null = pl.any_horizontal([pl.col(n).is_null() for n in names]) if names else pl.lit(value=False)
        mark = pl.when(some_null).then(None).otherwise(keep).alias("keep")
        return self.typed(frame, binding).select(mark)["keep"]

    def _divide_by_mask(self, frame: pl.DataFrame, binding: Binding, marked: pl.Series) -> Outcome:
        kept = marked.fill_null(value=False)
        done = Outcome(frame.filter(kept).with_columns(self._labels(binding)))
        lost = (~kept).arg_true().to_list()
        if lost:
            plain = self.reason()
            reasons = ["null" if v is None else plain for v in marked.filter(~kept).to_list()]
            done.dropped = dropped(frame, lost, reasons, binding.first_read)
        return done

    def _labels(self, binding: Binding) -> list[pl.Expr]:
        return [pl.lit(1, pl.Int64).alias(column) for column in binding.writes.values()]

    def _divide(self, frame: pl.DataFrame, binding: Binding, verdicts: list[Any]) -> Outcome:
        kept = [bool(v[0] if isinstance(v, tuple) else v) for v in verdicts]
        lost = [i for i, k in enumerate(kept) if not k]
        done = Outcome(keep_rows(frame, kept).with_columns(self._labels(binding)))
        if lost:
            plain = self.reason()
            reasons = [v[1] if isinstance(v, tuple) else plain for v in (verdicts[i] for i in lost)]
            done.dropped = dropped(frame, lost, reasons, binding.first_read)
        if found := [
            (v[2], k) for v, k in zip(verdicts, kept, strict=True) if isinstance(v, tuple) and len(v) > 2
        ]:
            done.measured = pl.DataFrame(
                found, {"measure": pl.Float64, "kept": pl.Boolean}, orient="row", strict=False
            )
        return done


class Expand(RowOperator):
    """One row in, any number out: the row again for each value that the kernel yields; none for null."""

    kind: ClassVar[str] = "Expand"
    kernel: ClassVar[str] = "expand"
    input_key = In("raw_content")
    output_key = Out("output")

    def expand(self, *values: Any) -> Iterable[Any]:
        raise NotImplementedError

    def transform(self, frame: pl.DataFrame, binding: Binding) -> Outcome:
        results = [
            () if self.skips(row) else attempt(lambda *v: list(self.expand(*v)), row)
            for row in self.cells(frame, binding)
        ]
        return outcome(frame, results, lambda kept, done: expanded(self, kept, binding, done))


def expanded(operator: RowOperator, frame: pl.DataFrame, binding: Binding, results: list[Any]) -> Outcome:
    """Each row once for every value of its list; a row with none is dropped, with the reason `empty`."""
    positions = [i for i, made in enumerate(results) for _ in made]
    ids = frame[ROW].to_list()
    rows = [f"{ids[i]}/{n}" for i, made in enumerate(results) for n in range(len(made))]
    many = frame[positions].with_columns(pl.Series(ROW, rows, dtype=pl.String))
    done = Outcome(operator.written(many, binding, [value for made in results for value in made]))
    empty = [i for i, made in enumerate(results) if not made]
    if empty:
        done.dropped = dropped(frame, empty, ["empty"] * len(empty), binding.first_read)
    return done


__all__ = ["Expand", "Filter", "Map", "RowError", "RowOperator", "attempt", "expanded", "outcome"]
