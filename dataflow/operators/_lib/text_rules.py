"""Filters by several measures of a text at once: a dropped row is told which of them failed first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import polars as pl

from dataflow.core.outcome import Outcome, dropped
from dataflow.core.ports import Binding
from dataflow.operators._lib.text_filter import TextFilter, TextStats, note, shown_measure


class Rule(NamedTuple):
    """A measure of a text, and the bound that it must keep; bounds are inclusive."""

    what: str
    """What is measured, as the reason of a dropped row names it."""
    measure: pl.Expr
    low: float | None = None
    high: float | None = None

    def kept(self, value: pl.Expr) -> pl.Expr:
        keep = pl.lit(value=True)
        if self.low is not None:
            keep = keep & (value >= self.low)
        if self.high is not None:
            keep = keep & (value <= self.high)
        return keep.fill_null(value=False)

    def reason(self, value: float) -> str:
        """Why a text with this measure was dropped."""
        if self.low is not None and not value >= self.low:
            return f"{self.what} < {self.low:g}: {shown_measure(value)}"
        return f"{self.what} > {self.high:g}: {shown_measure(value)}"


def share(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """A part of a whole, from 0 to 1; 0 of nothing."""
    return pl.when(whole > 0).then(part / whole).otherwise(0.0)


class TextRulesFilter(TextFilter):
    """Keeps a text that keeps all rules; a row that is dropped is told the first it breaks, with the measure.

    The kernel is `rules`, of a text column to `Rule`s in the order in which they are told.
    """

    kernel: ClassVar[str] = "rules"

    def rules(self, text: TextStats) -> Sequence[Rule]:
        raise NotImplementedError

    def _kept(self, frame: pl.DataFrame, binding: Binding) -> Outcome:
        text = TextStats(str(binding.first_read))
        typed = self.typed(frame, binding)
        rules = self.rules(text)
        notes = [note(typed, text.name, group) for group in text.groups]
        noted = typed.with_columns(notes)
        measures = noted.select(rule.measure.alias(str(i)) for i, rule in enumerate(rules))
        kept = measures.select(rule.kept(pl.col(str(i))).alias(str(i)) for i, rule in enumerate(rules))
        null, blank = noted.select(null=text.column.is_null(), blank=self.blank(text))
        keep = kept.select(pl.all_horizontal(pl.all()).alias("keep"))["keep"] & ~null & ~blank
        labels = [pl.lit(1, pl.Int64).alias(c) for c in binding.writes.values()]
        done = Outcome(frame.with_columns(*notes, *labels).filter(keep))
        lost = (~keep).arg_true().to_list()
        if lost:
            first = kept[lost].to_numpy().argmin(axis=1).tolist()
            reasons = [
                "null" if null[i] else "blank" if blank[i] else rules[r].reason(measures[i, r])
                for i, r in zip(lost, first, strict=True)
            ]
            done.dropped = dropped(frame, lost, reasons, binding.first_read)
        return done
