"""Counts over texts, in groups that are each computed in one pass: `characters`, `words`, `lines`, `repetition`, `head`, `source`, `terms`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dataflow.kernels import (
    character_counts,
    line_counts,
    repetition,
    source_counts,
    term_counts,
    word_counts,
)
from dataflow.kernels.texts import Texts

Counts = NDArray[np.int64]

GROUPS: Mapping[str, tuple[Callable[[Texts, Counts], None], Mapping[str, str]]] = {
    "characters": (character_counts.count_characters, character_counts.COUNTS),
    "words": (word_counts.count_words, word_counts.COUNTS),
    "lines": (line_counts.count_lines, line_counts.COUNTS),
    "repetition": (repetition.count_repetition, repetition.COUNTS),
    "head": (source_counts.count_heads, source_counts.HEAD_COUNTS),
    "source": (source_counts.count_source, source_counts.COUNTS),
    "terms": (term_counts.count_terms, term_counts.COUNTS),
}
"""The groups: what computes each, and what its counts are, in their order."""


def statistics(column: pl.Series, group: str) -> pl.Series:
    """The counts of a group for each text, as a column of structs of Int64; of an empty text for null."""
    compute, names = GROUPS[group]
    return counted(column, compute, tuple(names))


def counted(column: pl.Series, compute: Callable[[Texts, Counts], None], names: tuple[str, ...]) -> pl.Series:
    """What `compute` finds in each text, as a column of structs of Int64."""
    out = np.zeros((len(column), len(names)), np.int64)
    compute(Texts.of(column), out)
    return pl.DataFrame(out, schema=dict.fromkeys(names, pl.Int64)).to_struct(column.name)
