"""What the process does with memory that it has freed.

A stream of batches asks for the same few megabytes again and again. An allocator that gives them back to the system in
between has them cleared anew each time: that was a third of the CPU of a chain of refiners, and more where a virtual
machine must first get the pages from its host.
"""

from __future__ import annotations

import ctypes
import os
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST = 32 << 20
"""Larger blocks glibc always gives back at once."""


def keep_freed_memory() -> None:
    """Have polars' allocator and that of C keep some of it; what the environment says of either goes first."""
    os.environ.setdefault(
        "_RJEM_MALLOC_CONF",
        f"narenas:{os.cpu_count() or 1},dirty_decay_ms:5000,muzzy_decay_ms:-1,oversize_threshold:0",
    )
    if sys.platform == "linux" and not any(
        k in os.environ for k in ("GLIBC_TUNABLES", "MALLOC_TRIM_THRESHOLD_")
    ):
        mallopt = getattr(
            ctypes.CDLL(None), "mallopt", None
        )  # other C libraries have none, or take no notice
        if mallopt is not None:
            mallopt(_MMAP_THRESHOLD, _LARGEST)
            mallopt(_TRIM_THRESHOLD, 2 * _LARGEST)
