"""Texts written anew, one pass over their UTF-8 bytes: `collapsed_spaces`, `collapsed_repeats`."""

from __future__ import annotations

import numpy as np
import polars as pl
from numba import njit

from dataflow.kernels.characters import PUNCTUATION, SPACE, SYMBOL, classes, length_of, point_at
from dataflow.kernels.texts import Bytes, Counts, Kernel, Texts, run


@njit(nogil=True, cache=True)
def _spaces(
    data: Bytes,
    offsets: Counts,
    first: int,
    last: int,
    out: Counts,
    made: Bytes,
    table: Bytes,
    keep_newlines: bool,
) -> None:
    for row in range(first, last):
        at, end, to = offsets[row], offsets[row + 1], offsets[row]
        spaces = breaks = 0  # of the run of white space under way
        while at < end:
            point = point_at(data, at)
            size = length_of(data[at])
            if table[point] & SPACE:
                spaces += 1
                if point in (0x0A, 0x85, 0x2028, 0x2029) or (
                    point == 0x0D and (at + 1 == end or data[at + 1] != 0x0A)
                ):
                    breaks += 1
                at += size
                continue
            if spaces and to > offsets[row]:
                if keep_newlines and breaks:
                    made[to] = 0x0A
                    to += 1
                    if breaks > 1:
                        made[to] = 0x0A
                        to += 1
                else:
                    made[to] = 0x20
                    to += 1
            spaces = breaks = 0
            for _ in range(size):
                made[to] = data[at]
                to += 1
                at += 1
        out[row] = to - offsets[row]


@njit(nogil=True, cache=True)
def _repeats(
    data: Bytes, offsets: Counts, first: int, last: int, out: Counts, made: Bytes, table: Bytes
) -> None:
    for row in range(first, last):
        at, end, to = offsets[row], offsets[row + 1], offsets[row]
        before = -1
        while at < end:
            point = point_at(data, at)
            size = length_of(data[at])
            mark = (table[point] & (PUNCTUATION | SYMBOL)) != 0 and not 0x1F1E6 <= point <= 0x1F1FF
            if mark and point == before:
                at += size
                continue
            before = point
            for _ in range(size):
                made[to] = data[at]
                to += 1
                at += 1
        out[row] = to - offsets[row]


def collapsed_spaces(column: pl.Series, *, keep_newlines: bool = False) -> pl.Series:
    """Each run of white space as one space, none at the ends.

    With `keep_newlines` a run with one line break is that break, and a run with more is an empty line. Line breaks
    are LF, CR LF, CR, NEL, LS and PS.
    """
    return _rewritten(_spaces, column, classes(), keep_newlines)


def collapsed_repeats(column: pl.Series) -> pl.Series:
    """Each run of one punctuation mark or symbol (categories P*, S*) as that one; regional indicators stay.

    Two equal indicators are a flag, such as that of Barbados.
    """
    return _rewritten(_repeats, column, classes())


def _rewritten(kernel: Kernel, column: pl.Series, *more: object) -> pl.Series:
    """The texts that a kernel makes, none longer than its original; null of null."""
    texts = Texts.of(column)
    lengths, made = np.zeros(len(texts), np.int64), np.empty_like(texts.data)
    run(kernel, texts, lengths, made, *more)
    if np.array_equal(made[: lengths.sum()], texts.data):
        return column
    cells, begins = made.tobytes(), texts.offsets[:-1]
    cut = [cells[b : b + n] for b, n in zip(begins.tolist(), lengths.tolist(), strict=True)]
    del made, cells
    written = pl.Series(column.name, cut, dtype=pl.Binary).cast(pl.String)
    return written.set(column.is_null(), None) if column.null_count() else written
