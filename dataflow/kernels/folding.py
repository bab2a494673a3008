"""Texts as CCNet compares them: lower case, each digit as 0, no punctuation, no control characters."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numba import njit
from numpy.typing import NDArray

from dataflow.kernels.characters import DIGIT, PUNCTUATION, SPACE, classes, length_of, lowered, point_at
from dataflow.kernels.sets import fold
from dataflow.kernels.shingles import Classes, mixed
from dataflow.kernels.texts import Bytes, Counts, Texts, run

LINE_END = 10


@njit(nogil=True, cache=True, inline="always")
def _put(point: Any, room: Bytes, at: Any) -> Any:
    """Write a character as UTF-8; returns where the next one goes."""
    if point < 0x80:
        room[at] = point
        return at + 1
    if point < 0x800:
        room[at] = 0xC0 | point >> 6
        room[at + 1] = 0x80 | point & 0x3F
        return at + 2
    if point < 0x10000:
        room[at] = 0xE0 | point >> 12
        room[at + 1] = 0x80 | point >> 6 & 0x3F
        room[at + 2] = 0x80 | point & 0x3F
        return at + 3
    room[at] = 0xF0 | point >> 18
    room[at + 1] = 0x80 | point >> 12 & 0x3F
    room[at + 2] = 0x80 | point >> 6 & 0x3F
    room[at + 3] = 0x80 | point & 0x3F
    return at + 4


@njit(nogil=True, cache=True)
def _folded(
    data: Bytes,
    offsets: Counts,
    first: int,
    last: int,
    out: NDArray[np.uint64],
    room: Bytes,
    table: Classes,
    lower: NDArray[np.int32],
) -> None:
    writes = len(room) > 0
    for row in range(first, last):
        at, end = offsets[row], offsets[row + 1]
        begin = to = offsets[row] + offsets[row] // 2 + row
        gap = chars = 0
        value: Any = np.uint64(0)
        while at < end:
            point: Any = np.int64(point_at(data, at))
            at += length_of(data[at])
            flags = table[point]
            if flags & SPACE:
                gap = LINE_END if point == LINE_END or gap == LINE_END else 32
                continue
            if flags & PUNCTUATION or point < 0x20 or 0x7F <= point < 0xA0:
                continue
            point = 0x30 if flags & DIGIT else np.int64(lower[point])
            if gap and chars:
                value = fold(value, gap)
                chars += 1
                to = _put(gap, room, to) if writes else to
            gap = 0
            value = fold(value, point)
            chars += 1
            to = _put(point, room, to) if writes else to
        out[row] = mixed(value), np.uint64(chars), np.uint64(begin), np.uint64(to)


def folded_hashes(column: pl.Series) -> NDArray[np.uint64]:
    """A hash of each text as it is compared, and the characters that it then has, `(n, 2)`; 0 characters for null."""
    out = np.empty((len(column), 4), np.uint64)
    run(_folded, Texts.of(column), out, np.empty(0, np.uint8), classes(), lowered())
    return out[:, :2]


def folded_bytes(column: pl.Series) -> list[memoryview]:
    """Each text as it is compared, in UTF-8: letters in lower case, digits as 0, without punctuation and control characters.

    White space is one line feed where it has one, else one space, and none at the ends.
    """
    texts, out = Texts.of(column), np.empty((len(column), 4), np.uint64)
    room = np.empty(
        len(texts.data) // 2 * 3 + len(column) + 8, np.uint8
    )  # a few letters grow from 2 bytes to 3
    run(_folded, texts, out, room, classes(), lowered())
    whole = memoryview(room.data)
    return [whole[begin:to] for begin, to in out[:, 2:].tolist()]
