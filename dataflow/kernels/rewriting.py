"""Texts written anew, one pass over their UTF-8 bytes: `collapsed_spaces`, `collapsed_repeats`.

Most texts need no change. Which may is told first, by loops over bytes that the compiler makes into vector instructions:
no branch, nothing but bytes, and slices whose indices cannot be negative. That takes a hundredth of what writing a text anew does.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numba import njit
from numpy.typing import NDArray

from dataflow.kernels.characters import PUNCTUATION, SPACE, SYMBOL, classes, length_of, point_at
from dataflow.kernels.texts import Bytes, Counts, Kernel, Texts, patched, run


@njit(nogil=True, cache=True)
def _untidy(
    data: Bytes, offsets: Counts, first: int, last: int, out: NDArray[np.bool_], keep_newlines: bool
) -> None:
    """Which texts have white space that is not one space, or of kept line breaks one or two, or have it at an end."""
    newline = np.uint8(0x0A if keep_newlines else 0xFF)
    for row in range(first, last):
        text = data[offsets[row] : offsets[row + 1]]
        size = len(text)
        odd = high = np.uint8(0)
        for at in range(size - 2):
            a, b, c = text[at], text[at + 1], text[at + 2]
            other = (a < 0x20) & (a != newline)
            run_on = (a <= 0x20) & (b <= 0x20) & ((a != newline) | (b != newline) | (c == newline))
            odd = np.uint8(odd | np.uint8(other | run_on))
            high = np.uint8(high | a)
        for at in range(max(0, size - 2), size):
            odd |= text[at] <= 0x20
            high |= text[at]
        if size:
            odd |= text[0] <= 0x20
        if high >= 0x80 and not odd:
            for at in range(size - 2):
                odd = np.uint8(odd | np.uint8(_is_wide_space(text[at], text[at + 1], text[at + 2])))
            odd |= size > 1 and _is_wide_space(text[size - 2], text[size - 1], 0)
        out[row] = odd != 0


@njit(nogil=True, inline="always")
def _is_wide_space(a: int, b: int, c: int) -> bool:
    """Whether these bytes begin white space beyond ASCII, which is of two or three bytes."""
    return (
        ((a == 0xC2) & ((b == 0x85) | (b == 0xA0)))
        | ((a == 0xE1) & (b == 0x9A) & (c == 0x80))
        | ((a == 0xE2) & (b == 0x80) & ((c <= 0x8A) | (c == 0xA8) | (c == 0xA9) | (c == 0xAF)))
        | ((a == 0xE2) & (b == 0x81) & (c == 0x9F))
        | ((a == 0xE3) & (b == 0x80) & (c == 0x80))
    )


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
def _stuttering(data: Bytes, offsets: Counts, first: int, last: int, out: NDArray[np.bool_]) -> None:
    """Which texts have an ASCII mark, or any two bytes of a character beyond ASCII, again next to it."""
    for row in range(first, last):
        text = data[offsets[row] : offsets[row + 1]]
        size = len(text)
        odd = np.uint8(0)
        for at in range(size - 1):
            a, b = text[at], text[at + 1]
            letter = ((a | 0x20) >= 0x61) & ((a | 0x20) <= 0x7A)
            digit = (a >= 0x30) & (a <= 0x39)
            odd = np.uint8(odd | np.uint8((a == b) & (a > 0x20) & ~letter & ~digit))
        for at in range(size - 3):
            a, b = text[at], text[at + 1]
            odd = np.uint8(odd | np.uint8((a >= 0xC2) & (a == text[at + 2]) & (b == text[at + 3])))
        for at in range(size - 5):
            a, b = text[at], text[at + 1]
            three = (a == text[at + 3]) & (b == text[at + 4])
            four = (a == text[at + 4]) & (b == text[at + 5])
            odd = np.uint8(odd | np.uint8((a >= 0xE0) & (three | four)))
        out[row] = odd != 0


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
    marked = _marked(_untidy, column, keep_newlines)
    return _rewritten(_spaces, column, marked, classes(), keep_newlines)


def collapsed_repeats(column: pl.Series) -> pl.Series:
    """Each run of one punctuation mark or symbol (categories P*, S*) as that one; regional indicators stay.

    Two equal indicators are a flag, such as that of Barbados.
    """
    return _rewritten(_repeats, column, _marked(_stuttering, column), classes())


def _marked(kernel: Kernel, column: pl.Series, *more: object) -> NDArray[np.bool_]:
    texts = Texts.of(column)
    run(kernel, texts, marked := np.zeros(len(texts), np.bool_), *more)
    return marked


def _rewritten(kernel: Kernel, column: pl.Series, marked: NDArray[np.bool_], *more: object) -> pl.Series:
    """What a kernel makes of the texts that are marked, none longer than its original; null of null."""
    texts = Texts.of(column.filter(pl.Series(marked)))
    lengths, made, changed = (
        np.zeros(len(texts), np.int64),
        np.empty_like(texts.data),
        np.zeros(len(texts), np.bool_),
    )
    run(kernel, texts, lengths, made, *more)
    run(_differ, texts, changed, made, lengths)
    begins, written = texts.offsets[:-1][changed].tolist(), made.data
    cells = [bytes(written[b : b + n]) for b, n in zip(begins, lengths[changed].tolist(), strict=True)]
    marked[marked] = changed
    return patched(column, marked, pl.Series(cells, dtype=pl.Binary).cast(pl.String))


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
