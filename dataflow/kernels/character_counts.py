"""Counts of the characters of texts, and of runs of them."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from dataflow.kernels.characters import (
    BREAK,
    BREAKS,
    END,
    ENDS,
    IDEOGRAPH,
    SPACE,
    WORD,
    Classes,
    kinds,
    length_of,
    point_at,
)
from dataflow.kernels.texts import Bytes, Counts, Texts, run

COUNTS = {
    "chars": "code points",
    "spaces": "white space, as `str.isspace`",
    "letters": "of a category L*",
    "digits": "as `str.isdigit`",
    "uppers": "of the categories Lu and Lt",
    "punctuation": "of a category P*",
    "symbols": "of a category S*",
    "braces": "`{` and `}`",
    "hashes": "`#`",
    "ellipses": "`...`, not overlapping, and `…`",
    "tokens": "Chinese and Japanese characters, runs of other word characters, and runs of what is neither these nor white space",
    "sentences": f"runs without {ENDS.replace(chr(10), '')} and line feed, that have a word character",
    "longest_unpunctuated": "the most words, where each Chinese or Japanese character is one, in a run without "
    f"{BREAKS.replace(chr(10), '')} and line feed",
}
"""What is counted, in the order of the columns."""


def count_characters(texts: Texts, out: Counts) -> None:
    """Fill `out`, of a row a text, with `COUNTS`."""
    run(_count, texts, out, *kinds())


@njit(nogil=True, cache=True)
def _count(
    data: Bytes,
    offsets: Counts,
    first: int,
    last: int,
    out: Counts,
    kind_of: Bytes,
    classes: Classes,
    ones: NDArray[np.uint64],
) -> None:
    sums = np.zeros(8, np.int64)
    for row in range(first, last):
        at, end = offsets[row], offsets[row + 1]
        sums[:] = 0
        chars = ellipses = tokens = sentences = run = longest = dots = 0
        spoken = in_word = False  # a word character since the last end of a sentence; within a word
        token = 0  # under way: 1 of word characters, 2 of others, 0 none
        while at < end:
            stop = min(end, at + 255)
            packed = np.uint64(0)
            while at < stop:
                lead = data[at]
                if lead < 0x80:
                    kind = kind_of[lead]
                    at += 1
                else:
                    kind = kind_of[point_at(data, at)]
                    at += length_of(lead)
                chars += 1
                packed += ones[kind]
                flags = classes[kind]
                plain = (flags & (WORD | IDEOGRAPH)) == WORD
                if plain and token == 1:
                    continue  # within a run of word characters nothing else changes
                if plain:
                    tokens += 1
                    run += not in_word
                    token, dots, spoken, in_word = 1, 0, True, True
                    continue
                space = (flags & SPACE) != 0
                if flags & IDEOGRAPH:
                    tokens += 1
                    run += 1
                    token, dots, spoken, in_word = 0, 0, True, False
                    continue
                tokens += not space and token != 2
                token = 0 if space else 2
                dots = dots + 1 if lead == 0x2E else 0
                if dots == 3 or (lead == 0xE2 and data[at - 2] == 0x80 and data[at - 1] == 0xA6):
                    ellipses += 1
                    dots = 0
                if flags & END:
                    sentences += spoken
                    spoken = False
                if flags & BREAK:
                    longest = max(longest, run)
                    run, in_word = 0, False
                else:
                    run += not space and not in_word
                    in_word = not space
            for i in range(8):
                sums[i] += np.int64((packed >> np.uint64(8 * i)) & np.uint64(0xFF))
        out[row, 0] = chars
        for i in range(8):
            out[row, 1 + i] = sums[i]
        out[row, 9], out[row, 10], out[row, 11] = ellipses, tokens, sentences + spoken
        out[row, 12] = max(longest, run)
