"""Packing things of different sizes into bins of one capacity."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def best_fit_decreasing(sizes: NDArray[np.int64], capacity: int) -> NDArray[np.int64]:
    """For each thing its bin: the largest first, each into the fullest bin that it fits, or a new one.

    No more than 11/9 of the fewest bins possible are used, and 4 more (Johnson 1974). Of bins that are as full the one opened
    first is taken, and of things as large the first. Sizes are from 0 to the capacity.
    """
    bins = np.zeros(len(sizes), np.int64)
    free: dict[int, deque[int]] = {}
    open_rooms = opened = 0  # bit r is set where some bin has room for r
    for at in np.argsort(-sizes, kind="stable").tolist():
        size = int(sizes[at])
        fitting = open_rooms >> size
        if fitting:
            room = size + (fitting & -fitting).bit_length() - 1
            bin_ = free[room].popleft()
            if not free[room]:
                open_rooms &= ~(1 << room)
        else:
            room, bin_, opened = capacity, opened, opened + 1
        bins[at] = bin_
        free.setdefault(room - size, deque()).append(bin_)
        open_rooms |= 1 << (room - size)
    return bins


def next_fit(sizes: Sequence[int], capacity: int) -> NDArray[np.int64]:
    """For each thing its bin: that of the one before it, where it fits, or a new one."""
    bins, filled, bin_ = np.zeros(len(sizes), np.int64), 0, 0
    for at, size in enumerate(sizes):
        if filled + size > capacity:
            bin_, filled = bin_ + 1, 0
        filled += size
        bins[at] = bin_
    return bins
