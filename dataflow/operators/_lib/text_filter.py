"""Filters by a measure of a text, and the statistics that they measure by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import polars as pl

from dataflow.core.errors import MissingDependency
from dataflow.core.frames import noted
from dataflow.core.outcome import Outcome, dropped
from dataflow.core.ports import Binding, Out
from dataflow.core.rows import Filter, outcome


class TextStats:
    """A text column in an expression: `text.column`, and its counts, such as `text.words`.

    All counts of a group (`dataflow.kernels.statistics.GROUPS`) are made in one pass, and are there for further
    operators until one of them changes the text.
    """

    def __init__(self, column: str) -> None:
        self.column = pl.col(column)
        self.name = column
        self.groups: dict[str, None] = {}
        """The groups that were asked for."""

    def __getattr__(self, count: str) -> pl.Expr:
        group = _group_of(count)
        self.groups[group] = None
        return pl.col(noted(self.name, group)).struct.field(count)


NOT_BLANK = r"[^\s\x1c-\x1f]"
"""A character that is not white space, as `str.isspace` has it."""


class TextFilter(Filter):
    """Keeps a text whose measure is as wanted; a row that is dropped is told with its measure.

    The kernel is `measure`, of a text column to an expression of one value a text: a number, a truth value, what was
    found, or a struct of several numbers. Together with `keeps`, of that value to a Boolean expression, it decides.
    Null is dropped, and so is a text that is blank: it is empty, or all white space.
    """

    kernel: ClassVar[str] = "measure"
    measured: ClassVar[str] = ""
    """What is measured, as the reason of a dropped row names it."""
    labels: ClassVar[str] = "label"
    """What the label column of a kept row holds: 1 (`label`) or the measure itself (`measure`)."""
    judges_blank: ClassVar[bool] = False
    """Whether a blank text is measured like any other."""

    output_key = Out(doc="1 on every kept row; written where it is named", type="int", optional=True)

    def measure(self, text: TextStats) -> pl.Expr:
        raise NotImplementedError

    def keeps(self, measure: pl.Expr) -> pl.Expr:
        """Which measures are kept; by default those that are true."""
        return measure

    def transform(self, frame: pl.DataFrame, binding: Binding) -> Outcome:
        if not self.may_misfit(frame, binding):
            return self._kept(frame, binding)
        faults = self.misfits(frame, binding)
        return outcome(frame, faults, lambda kept, _: self._kept(kept, binding))

    def _kept(self, frame: pl.DataFrame, binding: Binding) -> Outcome:
        text = TextStats(str(binding.first_read))
        typed = self.typed(frame, binding)
        measure = self.measure(text)
        notes = [note(typed, text.name, group) for group in text.groups]
        made = (
            typed.with_columns(notes)
            .select(measure=measure, null=text.column.is_null(), blank=self.blank(text))
            .with_columns(keep=self.keeps(pl.col("measure")).fill_null(value=False))
        )
        keep = made["keep"] & ~made["null"] & ~made["blank"]
        label = made["measure"].cast(pl.Int64) if self.labels == "measure" else pl.lit(1, pl.Int64)
        written: list[Any] = [label.alias(c) for c in binding.writes.values()]
        judged = made.filter(~pl.col("null") & ~pl.col("blank")).select("measure", kept="keep")
        measured = judged if self.measured else None
        done = Outcome(frame.with_columns(*notes, *written).filter(keep), measured=measured)
        lost = (~keep).arg_true()
        if len(lost):
            done.dropped = dropped(frame, lost.to_list(), self._reasons(made[lost]), binding.first_read)
        return done

    def blank(self, text: TextStats) -> pl.Expr:
        """Whether a text is dropped for being blank."""
        if self.judges_blank:
            return pl.lit(value=False)
        return ~text.column.str.contains(NOT_BLANK).fill_null(value=True)

    def _reasons(self, lost: pl.DataFrame) -> list[str]:
        rule = self.reason()
        told = f"{self.measured}: " if rule == "not kept" else f"{rule}: {self.measured} ".rstrip() + " "
        return [
            "null" if null else "blank" if blank else f"{told}{shown_measure(value)}"
            for value, null, blank in lost.select("measure", "null", "blank").iter_rows()
        ]


def note(frame: pl.DataFrame, column: str, group: str) -> pl.Series:
    """The counts of a group for a column: those noted already, or made now."""
    name = noted(column, group)
    return frame[name] if name in frame.columns else _statistics(frame[column], group).alias(name)


def _statistics(column: pl.Series, group: str) -> pl.Series:
    counted: pl.Series = _kernels().statistics(column, group)
    return counted


def _kernels() -> Any:
    """The module of the statistics; it is compiled, and loads numba."""
    try:
        from dataflow.kernels import statistics
    except ModuleNotFoundError as error:
        raise MissingDependency(str(error.name), "text", "Counting in texts") from None
    return statistics


def _group_of(count: str) -> str:
    groups: Mapping[str, Any] = _kernels().GROUPS
    found = next((group for group, (_, counts) in groups.items() if count in counts), None)
    if found is None:
        raise AttributeError(count)
    return found


def shown_measure(value: Any) -> str:
    """A measure as the reason of a dropped row shows it."""
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {shown_measure(v)}" for name, v in value.items())
    return f"{value:.6g}" if isinstance(value, float) else repr(value)
