"""Texts written anew, one pass over their UTF-8 bytes: `collapsed_spaces`, `collapsed_repeats`."""

from __future__ import annotations

import numpy as np
import polars as pl
from numba import njit
from numpy.typing import NDArray

from dataflow.kernels.characters import PUNCTUATION, SPACE, SYMBOL, classes, length_of, point_at
from dataflow.kernels.texts import Bytes, Counts, Kernel, Texts, patched, run


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
        while True:
            spaces = breaks = 0
            while at < end:
                point = point_at(data, at)
                if not table[point] & SPACE:
                    break
                spaces += 1
                if point in (0x0A, 0x85, 0x2028, 0x2029) or (
                    point == 0x0D and (at + 1 == end or data[at + 1] != 0x0A)
                ):
                    breaks += 1
                at += length_of(data[at])
            if at == end:
                break
            if spaces and to > offsets[row]:
                made[to] = 0x0A if keep_newlines and breaks else 0x20
                to += 1
                if keep_newlines and breaks > 1:
                    made[to] = 0x0A
                    to += 1
            while at < end:  # up to the next white space; of ASCII none is above the space
                if 0x20 < data[at] < 0x80:
                    made[to] = data[at]
                    to += 1
                    at += 1
                elif table[point_at(data, at)] & SPACE:
                    break
                else:
                    for _ in range(length_of(data[at])):
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
    lengths, made, changed = (
        np.zeros(len(texts), np.int64),
        np.empty_like(texts.data),
        np.zeros(len(texts), np.bool_),
    )
    run(kernel, texts, lengths, made, *more)
    run(_differ, texts, changed, made, lengths)
    begins, written = texts.offsets[:-1][changed].tolist(), made.data
    cells = [bytes(written[b : b + n]) for b, n in zip(begins, lengths[changed].tolist(), strict=True)]
    return patched(column, changed, pl.Series(cells, dtype=pl.Binary).cast(pl.String))


@njit(nogil=True, cache=True)
def _differ(
    data: Bytes, offsets: Counts, first: int, last: int, out: NDArray[np.bool_], made: Bytes, lengths: Counts
) -> None:
    for row in range(first, last):
        begin, end = offsets[row], offsets[row + 1]
        other = lengths[row] != end - begin
        for at in range(begin, begin + lengths[row]):
            other |= made[at] != data[at]
        out[row] = other
