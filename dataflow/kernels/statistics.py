"""Counts over texts, in groups that are each computed in one pass: `characters`, `words`, `vocabulary`, `lines`, `repetition`, `head`, `source`, `terms`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

from dataflow.kernels import (
    character_counts,
    line_counts,
    repetition,
    source_counts,
    term_counts,
    word_counts,
)
from dataflow.kernels.texts import Counts, Texts

HEAD_CHARS = 512
"""Characters of a text in which its first lines are looked for, before all of it is."""

GROUPS: Mapping[str, tuple[Callable[[Texts, Counts], None], Mapping[str, str]]] = {
    "characters": (character_counts.count_characters, character_counts.COUNTS),
    "words": (word_counts.count_words, word_counts.COUNTS),
    "vocabulary": (word_counts.count_vocabulary, word_counts.VOCABULARY_COUNTS),
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
    return _of_heads(column) if group == "head" else counted(column, compute, tuple(names))


def _of_heads(column: pl.Series) -> pl.Series:
    """The group `head`: the whole of a text is read only where its first characters are too few."""
    compute, names = GROUPS["head"]
    part = column.str.slice(0, HEAD_CHARS)
    made = counted(part, compute, tuple(names))
    read = part.str.len_bytes()
    sizes = made.struct.field("head_bytes")
    longer = ((sizes == read) & (read < column.str.len_bytes())).fill_null(value=False)
    if not longer.any():
        return made
    whole = counted(column.filter(longer), compute, tuple(names)).struct.field("head_bytes")
    return pl.DataFrame({"head_bytes": sizes.scatter(longer.arg_true(), whole)}).to_struct(column.name)


def counted(column: pl.Series, compute: Callable[[Texts, Counts], None], names: tuple[str, ...]) -> pl.Series:
    """What `compute` finds in each text, as a column of structs of Int64."""
    out = np.zeros((len(column), len(names)), np.int64)
    compute(Texts.of(column), out)
    return pl.DataFrame(out, schema=dict.fromkeys(names, pl.Int64)).to_struct(column.name)
