"""What the process does with memory that it has freed.

A stream of batches asks for the same few megabytes again and again. An allocator that gives them back to the system in
between has them cleared anew each time: that was a third of the CPU of a chain of refiners, and more where a virtual
machine must first get the pages from its host.
"""

from __future__ import annotations

import ctypes
import os
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_LARGEST = 32 << 20
"""Larger blocks glibc always gives back at once."""


def keep_freed_memory() -> None:
    """Have polars' allocator and that of C keep some of it; what the environment says of either goes first."""
    heaps = os.cpu_count() or 1
    os.environ.setdefault(
        "_RJEM_MALLOC_CONF",
        f"narenas:{heaps},dirty_decay_ms:5000,muzzy_decay_ms:-1,oversize_threshold:0",
    )
    told = any(name in os.environ for name in ("GLIBC_TUNABLES", "MALLOC_TRIM_THRESHOLD_"))
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None and not told:  # C libraries other than glibc have none, or take no notice
        mallopt(_MMAP_THRESHOLD, _LARGEST)
        mallopt(_TRIM_THRESHOLD, 2 * _LARGEST)
        # with a heap a thread, what is kept long lies scattered in many: a fifth more memory for a corpus of 2.5 GB
        mallopt(_ARENA_MAX, heaps)
