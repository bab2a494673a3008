"""Counts of the words of texts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from dataflow.kernels.characters import (
    LETTER,
    LOWER,
    SPACE,
    UPPER,
    Classes,
    classes,
    length_of,
    lowered,
    point_at,
)
from dataflow.kernels.sets import distinct, fold
from dataflow.kernels.texts import Bytes, Counts, Texts, run

COUNTS = {
    "words": "runs without white space, as `str.split`; a text without spaces is one word",
    "word_chars": "code points in words",
    "longest_word": "code points of the longest",
    "capital_words": "words with an upper-case letter and without a lower-case one",
    "latin_words": "words with a letter of A-Z, a-z",
    "lettered_words": "words with a letter of any alphabet",
}
"""What is counted, in the order of the columns."""
VOCABULARY_COUNTS = {"unique_words": "different words, case aside"}
"""What is counted by the hashes of words, which take longer to make than all other counts."""
_LATIN = 1 << 16


def count_words(texts: Texts, out: Counts) -> None:
    """Fill `out`, of a row a text, with `COUNTS`."""
    run(_count, texts, out, classes())


def count_vocabulary(texts: Texts, out: Counts) -> None:
    """Fill `out`, of a row a text, with `VOCABULARY_COUNTS`."""
    run(_count_unique, texts, out, classes(), lowered())


@njit(nogil=True, cache=True)
def _count(data: Bytes, offsets: Counts, first: int, last: int, out: Counts, table: Classes) -> None:
    ascii_flags = table[:0x80].astype(np.int64)
    for point in range(0x80):
        ascii_flags[point] |= _LATIN if ascii_flags[point] & LETTER else 0
    for row in range(first, last):
        at, end = offsets[row], offsets[row + 1]
        words = word_chars = longest = capital = latin = lettered = 0
        size = seen = 0  # of the word under way
        while True:
            flags: Any = SPACE
            if at < end:
                lead = data[at]
                if lead < 0x80:
                    flags = ascii_flags[lead]
                    at += 1
                else:
                    flags = np.int64(table[point_at(data, at)])
                    at += length_of(lead)
                if not flags & SPACE:
                    size += 1
                    seen |= flags
                    continue
            elif not size:
                break
            if size:
                words += 1
                word_chars += size
                longest = max(longest, size)
                capital += (seen & UPPER) != 0 and (seen & LOWER) == 0
                latin += (seen & _LATIN) != 0
                lettered += (seen & LETTER) != 0
                size = seen = 0
        out[row] = (words, word_chars, longest, capital, latin, lettered)


@njit(nogil=True, cache=True)
def _count_unique(
    data: Bytes,
    offsets: Counts,
    first: int,
    last: int,
    out: Counts,
    table: Classes,
    lower: NDArray[np.int32],
) -> None:
    hashes = np.empty(1024, np.uint64)
    slots = np.zeros(4096, np.uint64)
    for row in range(first, last):
        at, end = offsets[row], offsets[row + 1]
        if (end - at) // 2 + 1 > len(hashes):  # room made in the loop over characters would slow all of it
            hashes = np.empty(end - at + 1, np.uint64)
        words = 0
        while True:
            while at < end and table[point_at(data, at)] & SPACE:
                at += length_of(data[at])
            if at == end:
                break
            value: Any = np.uint64(0)
            while at < end:
                point = point_at(data, at)
                if table[point] & SPACE:
                    break
                value = fold(value, lower[point])
                at += length_of(data[at])
            hashes[words] = value
            words += 1
        while len(slots) < 2 * words + 2:
            slots = np.zeros(2 * len(slots), np.uint64)
        out[row, 0] = distinct(hashes[:words], slots)
