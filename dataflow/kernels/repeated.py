"""The n-grams of a text that occur in it more than once.

An n-gram is looked for only where both the (n-1)-grams in it occur more than once. That leaves little to do beyond
pairs in texts that do not repeat themselves, and it makes n-grams exact: one is named by the first place where it
occurs, and known by the names of the two (n-1)-grams in it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from dataflow.kernels.texts import Counts, Hashes, Places


@njit(nogil=True, cache=True, inline="always")
def place_of(slots: Hashes, places: Places, shift: Any, key: Any, own: Any) -> Any:
    """Where a key was first seen; it is `own` where that is now."""
    mask = np.uint64(len(slots) - 1)
    place = (key * np.uint64(0x9E3779B97F4A7C15)) >> shift
    while slots[place] != 0 and slots[place] != key:
        place = (place + np.uint64(1)) & mask
    if slots[place] == 0:
        slots[place] = key
        places[place] = own
    return places[place]


@njit(nogil=True, cache=True, inline="always")
def bits_for(number: int) -> int:
    """Of a table in which so many keys have room."""
    bits = 3
    while (1 << bits) < 2 * number:
        bits += 1
    return bits


@njit(nogil=True, cache=True)
def _covered(found: Places, count: int, names: Places, ends: Counts, n: int, only: int) -> int:
    """Characters in the n-grams at the places found: of one name only, or of all that occurred before."""
    chars = 0
    upto: Any = 0
    for k in range(count):
        at = found[k]
        if names[at] == only or (only < 0 and names[at] != at):
            chars += ends[at + n] - ends[max(at, upto)]
            upto = at + n
    return chars


@njit(nogil=True, cache=True)
def repeated_words(
    values: Hashes, words: int, names: Places, counts: Places, found: Places, slots: Hashes, places: Places
) -> int:
    """Name each word by its first place; how many occur more than once, which are `found`."""
    bits = bits_for(words)
    table, shift = slots[: 1 << bits], np.uint64(64 - bits)
    table[:] = 0
    for at in range(words):
        name = place_of(table, places, shift, values[at] if values[at] else np.uint64(1), at)
        names[at] = name
        counts[at] = 0
        counts[name] += 1
    kept = 0
    for at in range(words):
        found[kept] = at
        kept += counts[names[at]] > 1
    return kept


@njit(nogil=True, cache=True)
def repeated_longer(
    count: int, names: Places, counts: Places, found: Places, slots: Hashes, places: Places
) -> int:
    """From the n-grams that occur more than once, `count` of them `found`, to those of one word more; how many these are.

    An n-gram is counted each time that it occurs.
    """
    kept = 0
    for k in range(count - 1):  # those of which both parts occur more than once
        at: Any = found[k]
        found[kept] = at
        kept += found[k + 1] == at + 1
    count = kept
    if count < 2:
        return 0
    bits = bits_for(count)
    table, shift = slots[: 1 << bits], np.uint64(64 - bits)
    table[:] = 0
    for k in range(count):
        at = np.int64(found[k])
        key = (np.uint64(names[at] + 1) << np.uint64(32)) | np.uint64(names[at + 1])
        name = place_of(table, places, shift, key, at)
        names[at] = name
        counts[at] = 0
        counts[name] += 1
    kept = 0
    for k in range(count):
        at = found[k]
        found[kept] = at
        kept += counts[names[at]] > 1
    return kept


@njit(nogil=True, cache=True)
def ngrams(
    values: Hashes,
    ends: Counts,
    words: int,
    names: Places,
    counts: Places,
    found: Places,
    slots: Hashes,
    places: Places,
    out: Counts,
) -> None:
    """Fill `out` with the characters in the most frequent n-gram of 2, 3, 4 words, and in repeated ones of 5 to 10.

    Args:
        values: a hash of each word.
        ends: where each word begins among the characters of all, and last of all where the last ends.
        names, counts, found, slots, places: room to work in; `slots` and `places` for twice as many as words.
    """
    count = repeated_words(values, words, names, counts, found, slots, places)
    for n in range(2, 11):
        count = repeated_longer(count, names, counts, found, slots, places)
        if count < 2:
            return
        if n <= 4:
            best: Any = -1
            for k in range(count):
                at = np.int64(found[k])
                if names[at] == at and (
                    best < 0
                    or counts[at] > counts[best]
                    or (counts[at] == counts[best] and ends[at + n] - ends[at] > ends[best + n] - ends[best])
                ):
                    best = at
            if best >= 0:
                out[n - 2] = _covered(found, count, names, ends, n, best)
        else:
            out[n - 2] = _covered(found, count, names, ends, n, -1)
