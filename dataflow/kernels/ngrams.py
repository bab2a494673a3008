"""Runs of words that texts have in common with others: hashes of them, a set of those, and the first that is in it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numba import njit

from dataflow.kernels.characters import (
    PUNCTUATION,
    SPACE,
    SYMBOL,
    Classes,
    classes,
    length_of,
    lowered,
    point_at,
)
from dataflow.kernels.sets import fold, place_of
from dataflow.kernels.texts import Bytes, Counts, Hashes, Places, Texts, run

_BASE = 0x9E3779B97F4A7C15 | 1


@njit(nogil=True, cache=True, inline="always")
def _mixed(value: Any) -> Any:
    """A hash of a run of words as sets hold it: never 0, and its low bits hang on all others."""
    mixed = (value ^ (value >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(29)
    return mixed if mixed else np.uint64(1)


@njit(nogil=True, cache=True)
def _words(
    data: Bytes,
    at: int,
    end: int,
    table: Classes,
    lower: Places,
    values: Hashes,
    begins: Counts,
    ends: Counts,
) -> int:
    """The hash and the place of each word between two bytes; how many there are."""
    words = begun = finish = 0
    size = 0
    value: Any = np.uint64(0)
    while True:
        flags: Any = SPACE
        before = at
        if at < end:
            point = point_at(data, at)
            at += length_of(data[at])
            flags = table[point]
            if flags & (SPACE | PUNCTUATION | SYMBOL) == 0:
                begun = begun if size else before
                value = fold(value, lower[point])
                size += 1
                finish = at
        if flags & SPACE:
            if size:
                values[words], begins[words], ends[words] = value, begun, finish
                words += 1
            value, size = np.uint64(0), 0
            if before >= end:
                return words


@njit(nogil=True, cache=True)
def _grams(
    data: Bytes, offsets: Counts, n: int, table: Classes, lower: Places, hashes: Hashes, rows: Places
) -> int:
    room = 2
    for row in range(len(offsets) - 1):
        room = max(room, (offsets[row + 1] - offsets[row]) // 2 + 2)
    values, begins, ends = np.empty(room, np.uint64), np.empty(room, np.int64), np.empty(room, np.int64)
    base, top, made = np.uint64(_BASE), np.uint64(1), 0
    for _ in range(n):
        top *= base
    for row in range(len(offsets) - 1):
        words = _words(data, offsets[row], offsets[row + 1], table, lower, values, begins, ends)
        value: Any = np.uint64(0)
        for i in range(words):
            value = value * base + values[i]
            if i >= n:
                value -= values[i - n] * top
            if i >= n - 1:
                hashes[made], rows[made] = _mixed(value), row
                made += 1
    return made


@njit(nogil=True, cache=True)
def _fill(hashes: Hashes, rows: Places, slots: Hashes, owners: Places) -> None:
    for i in range(len(hashes)):
        place = place_of(slots, hashes[i])
        if slots[place] == 0:
            slots[place], owners[place] = hashes[i], rows[i]


@njit(nogil=True, cache=True)
def _first(
    data: Bytes,
    offsets: Counts,
    first: int,
    last: int,
    out: Counts,
    n: int,
    table: Classes,
    lower: Places,
    slots: Hashes,
    owners: Places,
) -> None:
    room = 2
    for row in range(first, last):
        room = max(room, (offsets[row + 1] - offsets[row]) // 2 + 2)
    values, begins, ends = np.empty(room, np.uint64), np.empty(room, np.int64), np.empty(room, np.int64)
    base, top = np.uint64(_BASE), np.uint64(1)
    for _ in range(n):
        top *= base
    for row in range(first, last):
        begin = offsets[row]
        words = _words(data, begin, offsets[row + 1], table, lower, values, begins, ends)
        value: Any = np.uint64(0)
        out[row, 0] = -1
        for i in range(words):
            value = value * base + values[i]
            if i >= n:
                value -= values[i - n] * top
            if i < n - 1:
                continue
            key = _mixed(value)
            place = place_of(slots, key)
            if slots[place] == key:
                out[row, 0], out[row, 1], out[row, 2] = (
                    owners[place],
                    begins[i - n + 1] - begin,
                    ends[i] - begin,
                )
                break


class Grams(NamedTuple):
    """The runs of `n` words of some texts: case and punctuation make no difference, white space parts words."""

    n: int
    slots: Hashes
    owners: Places
    """The number of the first text that has the run of a slot."""

    @classmethod
    def of(cls, column: pl.Series, n: int) -> Grams:
        texts = Texts.of(column)
        hashes = np.empty(len(texts.data) // 2 + len(texts) + 1, np.uint64)
        rows = np.empty(len(hashes), np.int32)
        made = _grams(texts.data, texts.offsets, n, classes(), lowered(), hashes, rows)
        size = 1 << max(4, (2 * made).bit_length())
        slots, owners = np.zeros(size, np.uint64), np.full(size, -1, np.int32)
        _fill(hashes[:made], rows[:made], slots, owners)
        return cls(n, slots, owners)

    def first_in(self, column: pl.Series) -> Counts:
        """Of each text the first run that is among these, `(n_texts, 3)`: the owner or -1, and its bytes from and to."""
        out = np.zeros((len(column), 3), np.int64)
        run(_first, Texts.of(column), out, self.n, classes(), lowered(), self.slots, self.owners)
        return out
