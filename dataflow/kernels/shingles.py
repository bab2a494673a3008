"""The shingles of a text as hashes: runs of `n` characters or of `n` words."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from dataflow.kernels.characters import SPACE, WORD, length_of, point_at
from dataflow.kernels.sets import fold
from dataflow.kernels.texts import Bytes, Hashes

Classes = NDArray[Any]
BASE = 0xD1342543DE82EF95
"""What the hash of a shingle is a polynomial in, of the hashes of its units, modulo 2^64."""
MIX = 0x9FB21C651E98DF25


@njit(nogil=True, cache=True, inline="always")
def mixed(value: Any) -> Any:
    """A hash whose bits all depend on all bits of the value."""
    value = (value ^ (value >> np.uint64(32))) * np.uint64(MIX)
    value = (value ^ (value >> np.uint64(29))) * np.uint64(MIX)
    return value ^ (value >> np.uint64(32))


@njit(nogil=True, cache=True)
def units(
    data: Bytes,
    at: int,
    end: int,
    table: Classes,
    lower: NDArray[np.int32],
    by_words: bool,
    folded: bool,
    lettered: bool,
    found: Hashes,
) -> int:
    """Put the hashes of the units of a text in `found`, which has room for one a byte; returns how many there are.

    A unit is a character, or a word: a run without white space, or of word characters (`\\w`) alone where
    `lettered`. Where `folded`, letters are lower case, and what parts words is one space, or nothing where `lettered`.
    """
    count = size = 0
    gap = False
    value: Any = np.uint64(0)
    while at < end:
        point = np.int64(data[at])
        if point < 0x80:
            at += 1
        else:
            point, at = point_at(data, at), at + length_of(data[at])
        flags = table[point]
        inside = (flags & WORD) != 0 if lettered else (flags & SPACE) == 0
        if folded:
            point = np.int64(lower[point])
        if by_words:
            if inside:
                value = fold(value if size else np.uint64(0), point)
                size += 1
            elif size:
                found[count] = value
                count += 1
                size = 0
        elif not folded:
            found[count] = fold(np.uint64(0), point)
            count += 1
        elif inside:
            if gap and count:
                found[count] = fold(np.uint64(0), 32)
                count += 1
            found[count] = fold(np.uint64(0), point)
            count += 1
            gap = False
        else:
            gap = not lettered
    if size:
        found[count] = value
        count += 1
    return count


@njit(nogil=True, cache=True)
def shingles(found: Hashes, count: int, n: int, out: Hashes) -> int:
    """Put the hashes of runs of `n` units in `out`; fewer units than `n` are one shingle. Returns how many there are."""
    base, leaving, value = np.uint64(BASE), np.uint64(1), np.uint64(0)
    for _ in range(n):
        leaving *= base
    for i in range(count):
        value = value * base + found[i]
        if i >= n:
            value -= found[i - n] * leaving
        if i >= n - 1:
            out[i - n + 1] = mixed(value)
    if 0 < count < n:
        out[0] = mixed(value)
        return 1
    return max(0, count - n + 1)
