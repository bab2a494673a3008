"""Counts of the terms of texts, such as the names in source files, and of what recurs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from dataflow.kernels.characters import LOWER, SPACE, UPPER, WORD, Classes, classes, length_of, point_at
from dataflow.kernels.recurring import LONGEST, recurring_ngrams, recurring_words
from dataflow.kernels.repeated import bits_for
from dataflow.kernels.sets import fold
from dataflow.kernels.texts import Bytes, Counts, Texts, run

SIZES = range(2, LONGEST + 1)
"""Terms of the n-grams that are counted."""

COUNTS = {
    "terms": "runs of word characters, as `\\w+`",
    "capital_terms": "terms of more than one character with an upper-case letter and without a lower-case one",
    "term_nanobits": "Shannon's entropy of the terms as they are written, in billionths of a bit",
    "stripped_lines": "lines that are not blank, parted by line feeds",
    "recurring_lines": "those that occur more than once, white space around them aside, each time they do",
    **{
        f"recurring_{n}grams": f"runs of {n} terms that occur more than once, each time they do"
        for n in SIZES
    },
}
"""What is counted, in the order of the columns."""


def count_terms(texts: Texts, out: Counts) -> None:
    """Fill `out`, of a row a text, with `COUNTS`."""
    run(_count, texts, out, classes())


@njit(nogil=True, cache=True)
def _nanobits(terms: int, names: NDArray[np.int32], counts: NDArray[np.int32]) -> int:
    if not terms:
        return 0
    total = 0.0
    for at in range(terms):
        if names[at] == at and counts[at] > 1:
            total += counts[at] * np.log2(counts[at])
    nanobits: int = round((np.log2(terms) - total / terms) * 1e9)
    return nanobits


@njit(nogil=True, cache=True)
def _count(data: Bytes, offsets: Counts, first: int, last: int, out: Counts, table: Classes) -> None:
    room = 0
    for row in range(first, last):
        room = max(room, (offsets[row + 1] - offsets[row]) // 2 + 1)
    values, lines = np.empty(room, np.uint64), np.empty(room, np.uint64)
    names, counts, found = np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room, np.int32)
    longer, slots = np.empty(room, np.int32), np.empty(1 << bits_for(room), np.uint64)
    for row in range(first, last):
        at, end = offsets[row], offsets[row + 1]
        terms = capitals = stripped = 0
        size = seen = 0  # characters of the term under way; the classes in it
        value: Any = np.uint64(0)
        line: Any = np.uint64(
            0
        )  # of the terms and other characters of the line, and of those before its last spaces
        core: Any = np.uint64(0)
        filled = False
        while True:
            at_end = at >= end
            flags: Any = SPACE
            point: Any = 10
            if not at_end:
                point = np.int64(data[at])
                if point < 0x80:
                    at += 1
                else:
                    point = point_at(data, at)
                    at += length_of(data[at])
                flags = table[point]
            if flags & WORD:
                value = fold(value, point)
                size += 1
                seen |= flags
                continue
            if size:
                values[terms] = value
                terms += 1
                capitals += size > 1 and (seen & UPPER) != 0 and (seen & LOWER) == 0
                line = core = fold(line, value)
                filled = True
                size = seen = 0
                value = np.uint64(0)
            if flags & SPACE == 0:
                line = core = fold(line, point)
                filled = True
            elif point == 10:
                if filled:
                    lines[stripped] = core
                    stripped += 1
                line = np.uint64(0)
                filled = False
            elif filled:
                line = fold(line, point)
            if at_end:
                break
        made = out[row]
        made[:] = 0
        made[0], made[1], made[3] = terms, capitals, stripped
        made[4] = recurring_words(lines, stripped, names, counts, found, slots)
        count = recurring_words(values, terms, names, counts, found, slots)
        made[2] = _nanobits(terms, names, counts)
        recurring_ngrams(count, terms, names, longer, counts, found, slots, made[5:])
