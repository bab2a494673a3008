"""Refiners: they write a text anew, over the column that it came from."""

from __future__ import annotations

from functools import cache
from importlib import resources

from dataflow.core.ports import Out
from dataflow.core.rows import Map


class TextRefiner(Map):
    """Writes a text anew, in its own column where the run names no other; null stays null."""

    output_key = Out(doc="the refined text; the column read, where none is named", like="input_key")


@cache
def word_list(name: str) -> tuple[str, ...]:
    """The lines of a data file of this package, without blank ones and those that begin with `# `."""
    text = resources.files(__package__).joinpath(name).read_text("utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("# "))
