"""Refiners: they write a text anew, over the column that it came from."""

from __future__ import annotations

from functools import cache
from importlib import resources

import polars as pl

from dataflow.core.frames import ROW, is_json
from dataflow.core.outcome import Outcome
from dataflow.core.ports import Binding, Out
from dataflow.core.rows import Map
from dataflow.kernels.texts import patched


class TextRefiner(Map):
    """Writes a text anew, in its own column where the run names no other; null stays null.

    Beside the kernel there may be `may_change`, of a text to whether the kernel could change it. It must be quick to
    tell and may err on the side of true; the kernel is spared the other texts, which stay as they are.
    """

    output_key = Out(doc="the refined text; the column read, where none is named", like="input_key")

    def may_change(self, text: pl.Expr) -> pl.Expr:
        return pl.lit(value=True)

    def transform(self, frame: pl.DataFrame, binding: Binding) -> Outcome:
        read, (written,) = str(binding.first_read), binding.writes.values()
        column = frame[read]
        if (
            type(self).may_change is TextRefiner.may_change
            or is_json(column.dtype)
            or column.dtype == pl.Null
        ):
            return super().transform(frame, binding)
        may_change = self.may_change(pl.col("text")).fill_null(value=False)
        marked = column.alias("text").to_frame().select(may_change).to_series()
        if marked.all():
            return super().transform(frame, binding)
        done = super().transform(frame.filter(marked), binding)
        if done.failed.height:
            stays = ~frame[ROW].is_in(done.failed["row"].to_list())
            frame, marked = frame.filter(stays), marked.filter(stays)
        made = patched(frame[read], marked.to_numpy(), done.frame[written])
        return Outcome(frame.with_columns(made.alias(written)), failed=done.failed)


@cache
def word_list(name: str) -> tuple[str, ...]:
    """The lines of a data file of this package, without blank ones and those that begin with `# `."""
    text = resources.files(__package__).joinpath(name).read_text("utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("# "))
