"""SimHash: fingerprints of texts that differ in few bits where the texts differ in few shingles (Charikar 2002)."""

from __future__ import annotations

from itertools import combinations, pairwise
from math import comb
from typing import Any

import numpy as np
import polars as pl
from numba import njit
from numpy.typing import NDArray

from dataflow.kernels.characters import classes, lowered
from dataflow.kernels.clusters import Rows
from dataflow.kernels.sets import fold
from dataflow.kernels.shingles import Classes, mixed, shingles, units
from dataflow.kernels.texts import Bytes, Hashes, Texts, run

MOST_TABLES = 84


@njit(nogil=True, cache=True)
def _fingerprints(
    data: Bytes,
    offsets: Rows,
    first: int,
    last: int,
    out: Hashes,
    table: Classes,
    lower: NDArray[np.int32],
    by_words: bool,
    n: int,
    bits: int,
) -> None:
    found, shingled = np.empty(4096, np.uint64), np.empty(4096, np.uint64)
    votes = np.empty(64, np.int32)
    for row in range(first, last):
        at, end = offsets[row], offsets[row + 1]
        if len(found) < end - at:
            found, shingled = np.empty(2 * (end - at), np.uint64), np.empty(2 * (end - at), np.uint64)
        count = units(data, at, end, table, lower, by_words, True, True, found)
        if not count:
            count = units(data, at, end, table, lower, by_words, True, False, found)
        count = shingles(found, count, n, shingled)
        for word in range(out.shape[1]):
            votes[:] = 0
            for i in range(count):
                if word:
                    shingled[i] = mixed(shingled[i] + np.uint64(word))
                value = shingled[i]
                for bit in range(64):
                    votes[bit] += np.int32((value >> np.uint64(bit)) & np.uint64(1))
            made = np.uint64(0)
            for bit in range(min(64, bits - 64 * word)):
                made |= np.uint64(2 * votes[bit] > count) << np.uint64(bit)
            out[row, word] = made


def fingerprints(column: pl.Series, bits: int, *, by_words: bool = False, n: int = 4) -> Hashes:
    """The fingerprint of each text, `(n_texts, ceil(bits / 64)) uint64`.

    A bit is that of more than half of the shingles: runs of `n` word characters (`\\w`) or words in lower case, counted as
    often as they occur. A text without word characters is taken by its other characters, white space as one space.
    """
    out = np.zeros((len(column), -(-bits // 64)), np.uint64)
    run(_fingerprints, Texts.of(column), out, classes(), lowered(), by_words, n, bits)
    return out


@njit(nogil=True, cache=True, inline="always")
def _ones(value: Any) -> Any:
    value = value - ((value >> np.uint64(1)) & np.uint64(0x5555555555555555))
    value = (value & np.uint64(0x3333333333333333)) + (
        (value >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    value = (value + (value >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (value * np.uint64(0x0101010101010101)) >> np.uint64(56)


@njit(nogil=True, cache=True)
def _first_near(prints: Hashes, most: int, masks: Hashes, heads: NDArray[np.int32], originals: Rows) -> None:
    following = np.empty((len(masks), len(prints)), np.int32)
    places = np.empty(len(masks), np.int64)
    slots = np.uint64(heads.shape[1] - 1)
    for row in range(len(prints)):
        original = row
        for t in range(len(masks)):
            key = np.uint64(0)
            for word in range(prints.shape[1]):
                key = fold(key, prints[row, word] & masks[t, word])
            places[t] = np.int64((key >> np.uint64(20)) & slots)
            other = heads[t, places[t]]
            while other >= 0:
                if other < original:
                    apart = np.uint64(0)
                    for word in range(prints.shape[1]):
                        apart += _ones(prints[row, word] ^ prints[other, word])
                    if apart <= np.uint64(most):
                        original = other
                other = following[t, other]
        originals[row] = original
        if original == row:
            for t in range(len(masks)):
                following[t, row] = heads[t, places[t]]
                heads[t, places[t]] = row


def tables(bits: int, most: int, rows: int) -> Hashes:
    """Masks of bits, `(n_tables, n_words) uint64`, such that fingerprints at most `most` bits apart agree under one.

    The bits are cut into `m` blocks, of which at least `m - most` are equal in such a pair; there is a mask for each
    choice of so many. `m` is such that few comparisons are expected among that many random fingerprints.
    """

    def cost(blocks: int) -> float:
        return comb(blocks, most) * (8 + rows / 2.0 ** (bits // blocks * (blocks - most)))

    fit = [m for m in range(most + 1, bits + 1) if comb(m, most) <= MOST_TABLES] or [most + 1]
    cuts = np.linspace(0, bits, min(fit, key=cost) + 1).astype(int)
    blocks = [set(range(a, b)) for a, b in pairwise(cuts)]
    made = []
    for chosen in combinations(blocks, len(blocks) - most):
        ones = sum(1 << bit for block in chosen for bit in block)
        made.append([ones >> 64 * word & 0xFFFFFFFFFFFFFFFF for word in range(-(-bits // 64))])
    return np.array(made, np.uint64)


def first_near(prints: Hashes, bits: int, most: int) -> Rows:
    """For each row the first kept row whose fingerprint is at most `most` bits apart, or itself, which is then kept."""
    originals = np.zeros(len(prints), np.int64)
    if most < bits:
        masks = tables(bits, most, len(prints))
        heads = np.full((len(masks), 1 << max(4, len(prints).bit_length() - 1)), -1, np.int32)
        _first_near(prints, most, masks, heads, originals)
    return originals
