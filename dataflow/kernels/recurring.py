"""The n-grams of a text that occur in it more than once, counted each time they do.

An n-gram is looked for only where both the (n-1)-grams in it occur more than once, and is known by their names; it is named by
the first place where it occurs. What recurs mostly recurs for long: so each n-gram is first compared with the one after that
which the n-gram before it recurred, and only then looked up.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from dataflow.kernels.repeated import bits_for
from dataflow.kernels.texts import Counts, Hashes, Places

LONGEST = 10
"""Words of the longest n-grams."""


@njit(nogil=True, cache=True)
def recurring_words(
    values: Hashes, words: int, names: Places, counts: Places, found: Places, slots: Hashes
) -> int:
    """Name each word by its first place, or -1 if it occurs once; how many occur more often, which are `found`.

    Args:
        values: a hash of each word.
        names, counts, found: room for as many.
        slots: room for `1 << bits_for(words)`; one holds 32 bits of a hash, and a place.
    """
    bits = bits_for(words)
    mask, shift, low = np.uint64((1 << bits) - 1), np.uint64(64 - bits), np.uint64(0xFFFFFFFF)
    half = np.uint64(32)
    slots[: 1 << bits] = 0
    after = 0
    for at in range(words):
        value = values[at]
        name: Any = at
        if after < at and values[after] == value:
            name = names[after]
        else:
            mixed = value * np.uint64(0x9E3779B97F4A7C15)
            slot, tag = mixed >> shift, mixed << half
            while slots[slot] != 0:
                entry = slots[slot]
                if (entry ^ tag) >> half == 0 and values[np.int64(entry & low) - 1] == value:
                    name = np.int64(entry & low) - 1
                    break
                slot = (slot + np.uint64(1)) & mask
            if name == at:
                slots[slot] = tag | np.uint64(at + 1)
        names[at] = name
        counts[at] = 0
        counts[name] += 1
        after = name + 1
    kept = 0
    for at in range(words):
        found[kept] = at
        recurs = counts[names[at]] > 1
        names[at] = names[at] if recurs else -1
        kept += recurs
    return kept


@njit(nogil=True, cache=True)
def _longer(
    count: int, words: int, n: int, names: Places, longer: Places, seen: Places, found: Places, slots: Hashes
) -> int:
    """From the (n-1)-grams that recur, `count` of them `found`, to the n-grams; how many these are."""
    kept = 0
    for k in range(count - 1):  # those of which both parts recur
        at: Any = found[k]
        found[kept] = at
        kept += found[k + 1] == at + 1
    count = kept
    if count < 2:
        return 0
    bits = bits_for(count)
    mask, shift, low = np.uint64((1 << bits) - 1), np.uint64(64 - bits), np.uint64(0xFFFFFFFF)
    half = np.uint64(32)
    slots[: 1 << bits] = 0
    longer[:words] = -1
    after = 0
    for k in range(count):
        at = np.int64(found[k])
        first, second = names[at], names[at + 1]
        name: Any = at
        if after < at and names[after] == first and names[after + 1] == second:
            name = longer[after]
        else:
            mixed = (np.uint64(first) << half | np.uint64(second)) * np.uint64(0x9E3779B97F4A7C15)
            mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
            slot, tag = mixed >> shift, mixed << half
            while slots[slot] != 0:
                entry = slots[slot]
                if (entry ^ tag) >> half == 0:
                    place = np.int64(entry & low) - 1
                    if names[place] == first and names[place + 1] == second:
                        name = place
                        break
                slot = (slot + np.uint64(1)) & mask
            if name == at:
                slots[slot] = tag | np.uint64(at + 1)
        longer[at] = name
        if name != at:
            seen[name] = n
        after = name + 1
    kept = 0
    for k in range(count):
        at = np.int64(found[k])
        found[kept] = at
        recurs = longer[at] != at or seen[at] == n
        longer[at] = longer[at] if recurs else -1
        kept += recurs
    return kept


@njit(nogil=True, cache=True)
def recurring_ngrams(
    count: int,
    words: int,
    names: Places,
    longer: Places,
    seen: Places,
    found: Places,
    slots: Hashes,
    out: Counts,
) -> None:
    """Fill `out` with how many n-grams of 2 to `LONGEST` words recur, from what `recurring_words` left.

    Args:
        count, words: of the words that recur, and of all.
        names, longer, seen: room for all; the first as it was left.
        found, slots: as they were left.
        out: nothing but zeros.
    """
    seen[:words] = 0
    for n in range(2, LONGEST + 1):
        if n % 2 == 0:
            count = _longer(count, words, n, names, longer, seen, found, slots)
        else:
            count = _longer(count, words, n, longer, names, seen, found, slots)
        out[n - 2] = count
        if count < 2:
            return
