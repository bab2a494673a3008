"""Which rows belong together: rows of equal keys, and clusters of rows that are linked by pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from dataflow.kernels.minhash import Signatures, band_keys
from dataflow.kernels.texts import Hashes

Rows = NDArray[np.int64]


@njit(nogil=True, cache=True)
def root(parents: Rows, row: Any) -> Any:
    """The first row of a row's cluster."""
    while parents[row] != row:
        parents[row] = parents[parents[row]]
        row = parents[row]
    return row


@njit(nogil=True, cache=True)
def join(parents: Rows, one: Any, other: Any) -> None:
    """Make one cluster of those of two rows; its root is its first row."""
    one, other = root(parents, one), root(parents, other)
    parents[max(one, other)] = min(one, other)


@njit(nogil=True, cache=True)
def _agree(one: Signatures, other: Signatures, least: int) -> bool:
    """Whether two signatures have at least that many numbers in common."""
    left, spare = len(one), len(one) - least
    for begin in range(0, left, 16):
        for k in range(begin, min(left, begin + 16)):
            spare -= one[k] != other[k]
        if spare < 0:
            return False
    return True


@njit(nogil=True, cache=True)
def _join_alike(parents: Rows, keys: Hashes, order: Rows, rows: Rows, signed: Signatures, least: int) -> None:
    """Join the rows of equal keys whose signatures agree; `order` sorts the keys, `rows` tells whose they are."""
    begin = 0
    for end in range(1, len(order) + 1):
        if end < len(order) and keys[order[end]] == keys[order[begin]]:
            continue
        for i in range(begin + 1, end):
            mine = rows[order[i]]
            for j in range(begin, i):
                other = rows[order[j]]
                if root(parents, mine) != root(parents, other) and _agree(signed[mine], signed[other], least):
                    join(parents, mine, other)
        begin = end


@njit(nogil=True, cache=True)
def _join_equal(parents: Rows, keys: Hashes, order: Rows) -> None:
    """Join the rows of equal keys."""
    for i in range(1, len(order)):
        if keys[order[i]] == keys[order[i - 1]]:
            join(parents, order[i], order[i - 1])


@njit(nogil=True, cache=True)
def _join_copies(parents: Rows, keys: Hashes, order: Rows, signed: Signatures) -> None:
    """Join the rows whose whole signatures are equal; of a run of equal keys each is compared with the first."""
    begin = 0
    for i in range(1, len(order)):
        if keys[order[i]] != keys[order[begin]]:
            begin = i
        elif _agree(signed[order[i]], signed[order[begin]], signed.shape[1]):
            join(parents, order[i], order[begin])


@njit(nogil=True, cache=True)
def _flatten(parents: Rows) -> None:
    for row in range(len(parents)):
        parents[row] = root(parents, row)


def band_clusters(bands: Hashes) -> Rows:
    """The first row of each row's cluster, where rows that share a key of a band are linked; `bands` is `(n, b)`."""
    parents = np.arange(len(bands))
    for band in range(bands.shape[1]):
        keys = np.ascontiguousarray(bands[:, band])
        _join_equal(parents, keys, np.argsort(keys))
    _flatten(parents)
    return parents


def alike_clusters(signed: Signatures, bands: int, width: int, least: int) -> Rows:
    """The first row of each row's cluster, where rows are linked that share a band of `width` numbers and have at least
    `least` numbers in common.
    """
    parents = np.arange(len(signed))
    keys = band_keys(signed, 0, signed.shape[1])
    _join_copies(parents, keys, np.argsort(keys), signed)
    _flatten(parents)
    rows = np.flatnonzero(parents == np.arange(len(parents)))
    for band in range(bands):
        keys = band_keys(signed, band * width, (band + 1) * width)[rows]
        _join_alike(parents, keys, np.argsort(keys), rows, signed, least)
    _flatten(parents)
    return parents


@njit(nogil=True, cache=True)
def _distinct(keys: Rows, out: Rows) -> int:
    """Put the different ones of a few keys in `out`; returns how many there are."""
    count = 0
    for key in keys:
        if not (out[:count] == key).any():
            out[count] = key
            count += 1
    return count


@njit(nogil=True, cache=True)
def _first_sharing(keys: Rows, distinct: int, least: int, originals: Rows) -> None:
    width = keys.shape[1]
    heads = np.full(distinct, -1, np.int64)
    following = np.empty(keys.size, np.int64)
    sizes = np.empty(len(keys), np.int64)
    shared = np.zeros(len(keys), np.int64)
    met, mine = np.empty(len(keys), np.int64), np.empty(width, np.int64)
    for row in range(len(keys)):
        size = sizes[row] = _distinct(keys[row], mine)
        meetings, original = 0, row
        for key in mine[:size]:
            entry = heads[key]
            while entry >= 0:
                other = entry // width
                if shared[other] == 0:
                    met[meetings] = other
                    meetings += 1
                shared[other] += 1
                if shared[other] >= least or (shared[other] == size and sizes[other] == size):
                    original = min(original, other)
                entry = following[entry]
        for other in met[:meetings]:
            shared[other] = 0
        originals[row] = original
        if original == row:
            for k in range(size):
                following[row * width + k] = heads[mine[k]]
                heads[mine[k]] = row * width + k


def first_sharing(hashes: Hashes, least: int) -> Rows:
    """For each row the first kept row that has at least `least` of its hashes, or itself, which is then kept.

    Rows that have all their hashes in common count as sharing enough. A hash that a row has twice counts once.
    """
    distinct, keys = np.unique(hashes, return_inverse=True)
    originals = np.empty(len(hashes), np.int64)
    _first_sharing(keys.reshape(hashes.shape), len(distinct), least, originals)
    return originals
