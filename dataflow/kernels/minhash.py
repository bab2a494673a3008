"""MinHash: signatures of texts whose share of equal numbers estimates the Jaccard similarity of their shingles.

Broder 1997, "On the resemblance and containment of documents". A shingle is a number of 32 bits; the k-th number of
a signature is the least `a[k] * shingle + b[k]` modulo 2^32, with odd `a[k]`, so that each is a permutation.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
from numba import njit
from numpy.typing import NDArray

from dataflow.kernels.characters import classes, lowered
from dataflow.kernels.sets import fold
from dataflow.kernels.shingles import Classes, shingles, units
from dataflow.kernels.texts import Bytes, Counts, Hashes, Texts, run

Signatures = NDArray[np.uint32]


@njit(nogil=True, cache=True)
def _minima(shingled: Hashes, count: int, a: Signatures, b: Signatures, least: Signatures) -> None:
    """The least of each permutation; four shingles at a time, so that less is loaded and stored."""
    least[:] = np.uint32(0xFFFFFFFF)
    fours = count // 4 * 4
    for i in range(0, fours, 4):
        w = np.uint32(shingled[i] >> np.uint64(32))
        x = np.uint32(shingled[i + 1] >> np.uint64(32))
        y = np.uint32(shingled[i + 2] >> np.uint64(32))
        z = np.uint32(shingled[i + 3] >> np.uint64(32))
        for k in range(len(least)):
            one = min(np.uint32(a[k] * w + b[k]), np.uint32(a[k] * x + b[k]))
            two = min(np.uint32(a[k] * y + b[k]), np.uint32(a[k] * z + b[k]))
            least[k] = min(least[k], min(one, two))
    for i in range(fours, count):
        w = np.uint32(shingled[i] >> np.uint64(32))
        for k in range(len(least)):
            least[k] = min(least[k], np.uint32(a[k] * w + b[k]))


@njit(nogil=True, cache=True)
def _signatures(
    data: Bytes,
    offsets: Counts,
    first: int,
    last: int,
    out: Signatures,
    table: Classes,
    lower: NDArray[np.int32],
    by_words: bool,
    folded: bool,
    n: int,
    a: Signatures,
    b: Signatures,
) -> None:
    found, shingled = np.empty(4096, np.uint64), np.empty(4096, np.uint64)
    for row in range(first, last):
        at, end = offsets[row], offsets[row + 1]
        if len(found) < end - at:
            found, shingled = np.empty(2 * (end - at), np.uint64), np.empty(2 * (end - at), np.uint64)
        count = units(data, at, end, table, lower, by_words, folded, False, found)
        _minima(shingled, shingles(found, count, n, shingled), a, b, out[row])


@cache
def permutations(count: int, seed: int) -> tuple[Signatures, Signatures]:
    """The numbers `a` and `b` of each permutation."""
    draw = np.random.default_rng(seed)
    a = draw.integers(0, 1 << 31, count, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return a, draw.integers(0, 1 << 32, count, dtype=np.uint32)


def signatures(
    column: pl.Series, count: int, n: int, *, by_words: bool = False, folded: bool = False, seed: int = 1
) -> Signatures:
    """The signature of each text, `(n_texts, count) uint32`, over runs of `n` characters or words.

    `folded` takes letters as lower case and white space as one space. All numbers of a text without any unit are 2^32 - 1.
    """
    out = np.empty((len(column), count), np.uint32)
    run(
        _signatures, Texts.of(column), out, classes(), lowered(), by_words, folded, n, *permutations(count, seed)
    )  # fmt: skip
    return out


@njit(nogil=True, cache=True)
def band_keys(signed: Signatures, first: int, last: int) -> Hashes:
    """A hash of the columns from `first` to before `last` of each signature."""
    keys = np.empty(len(signed), np.uint64)
    for row in range(len(signed)):
        value = np.uint64(first)
        for k in range(first, last):
            value = fold(value, signed[row, k])
        keys[row] = value
    return keys
