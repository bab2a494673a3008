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
    "unique_words": "different words, case aside",
}
"""What is counted, in the order of the columns."""


def count_words(texts: Texts, out: Counts) -> None:
    """Fill `out`, of a row a text, with `COUNTS`."""
    run(_count, texts, out, classes(), lowered())


@njit(nogil=True, cache=True)
def _count(
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
        words = word_chars = longest = capital = latin = lettered = 0
        size = 0  # of the word under way
        value: Any = np.uint64(0)
        seen, ascii_letter = 0, False
        while True:
            inside = False
            if at < end:
                point = point_at(data, at)
                at += length_of(data[at])
                flags = table[point]
                inside = (flags & SPACE) == 0
                if inside:
                    value = fold(value if size else np.uint64(0), lower[point])
                    size += 1
                    seen |= flags
                    ascii_letter = ascii_letter or (65 <= point <= 90) or (97 <= point <= 122)
            if not inside and size:
                hashes[words] = value
                words += 1
                word_chars += size
                longest = max(longest, size)
                capital += (seen & UPPER) != 0 and (seen & LOWER) == 0
                latin += ascii_letter
                lettered += (seen & LETTER) != 0
                size, seen, ascii_letter = 0, 0, False
            if not inside and at >= end:
                break
        while len(slots) < 2 * words + 2:
            slots = np.zeros(2 * len(slots), np.uint64)
        out[row] = (words, word_chars, longest, capital, latin, lettered, distinct(hashes[:words], slots))
