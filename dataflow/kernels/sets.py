"""Hashes of words, and sets of them, inside of kernels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numba import njit

from dataflow.kernels.texts import Hashes


@njit(nogil=True, cache=True, inline="always")
def fold(value: Any, point: Any) -> Any:
    """The hash of a text from that of all but its last character, which is given: `(value + point + 1) * odd`, mixed."""
    mixed = (np.uint64(value) + np.uint64(point) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    return mixed ^ (mixed >> np.uint64(29))


@njit(nogil=True, cache=True, inline="always")
def place_of(slots: Hashes, key: Any) -> Any:
    """The slot that holds a hash other than 0, or the empty one where it belongs; `slots` are a power of two, one is empty."""
    mask = np.uint64(len(slots) - 1)
    place = key & mask
    while slots[place] != 0 and slots[place] != key:
        place = (place + np.uint64(1)) & mask
    return place


@njit(nogil=True, cache=True)
def distinct(hashes: Hashes, slots: Hashes) -> int:
    """How many different hashes there are; `slots` is room for twice as many, a power of two, and is overwritten."""
    slots[:] = 0
    found = 0
    for i in range(len(hashes)):
        key = hashes[i] if hashes[i] else np.uint64(1)
        place = place_of(slots, key)
        if slots[place] == 0:
            slots[place] = key
            found += 1
    return found


@njit(nogil=True, cache=True)
def contains(slots: Hashes, value: Any) -> bool:
    """Whether a set made by `hash_set` holds a hash."""
    key = np.uint64(value) if value else np.uint64(1)
    return bool(slots[place_of(slots, key)] == key)


def hash_of(parts: str | Iterable[int]) -> int:
    """The hash that kernels find for a word as it is given, or for a row of hashes."""
    value = 0
    for part in parts:
        point = ord(part) if isinstance(part, str) else part
        mixed = (value + point + 1) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
        value = mixed ^ (mixed >> 29)
    return value


def hash_set(hashes: Iterable[int]) -> Hashes:
    """Hashes to look up with `contains`: open addressing, at most half full."""
    keys = {h or 1 for h in hashes}
    slots = np.zeros(1 << max(4, (2 * len(keys)).bit_length()), np.uint64)
    for key in keys:
        place = key & (len(slots) - 1)
        while slots[place]:
            place = (place + 1) & (len(slots) - 1)
        slots[place] = key
    return slots
