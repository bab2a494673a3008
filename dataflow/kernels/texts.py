"""A column of texts as the kernels take it: one array of UTF-8 bytes, and where each text begins in it."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Counts = NDArray[np.int64]
Places = NDArray[np.int32]
Hashes = NDArray[np.uint64]

PARALLEL_BYTES = 1 << 20
"""Texts of fewer bytes are worked on by the caller's thread alone."""


class Texts(NamedTuple):
    """Texts end to end."""

    data: NDArray[np.uint8]
    """Their UTF-8 bytes."""
    offsets: NDArray[np.int64]
    """Where each begins, and last of all where the last ends: `(n + 1,)`."""

    @classmethod
    def of(cls, column: pl.Series) -> Texts:
        """The cells of a String column; null is the empty text."""
        lengths = column.str.len_bytes().fill_null(0).to_numpy()
        offsets = np.zeros(len(column) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        each = column.cast(pl.Binary).cast(
            pl.List(pl.UInt8)
        )  # of all ways to one array that which copies least
        data = each.explode(empty_as_null=False, keep_nulls=False).to_numpy()
        data.setflags(write=False)  # always, for a kernel is compiled for arrays of one kind
        return cls(data, offsets)

    def __len__(self) -> int:  # not the number of fields
        return len(self.offsets) - 1


def patched(column: pl.Series, marked: NDArray[np.bool_], made: pl.Series) -> pl.Series:
    """A column of texts with others in the places that are marked; the texts that stay are not copied."""
    if made.is_empty():
        return column
    places = np.arange(len(column))
    places[marked] = np.arange(len(column), len(column) + len(made))
    return column.rename("").append(made.rename("")).gather(places).rename(column.name)


Kernel = Callable[..., None]
"""Fills `out[first:last]` from `(data, offsets, first, last, out, …)`."""


def run(kernel: Kernel, texts: Texts, out: NDArray[np.generic], *more: object) -> None:
    """Let a kernel fill a row of `out` for each text, on as many threads as there are cores.

    Args:
        kernel: compiled with `nogil=True`.
        texts: `n` texts.
        out: of first dimension `n`.
        more: given to the kernel after `out`.
    """
    if len(texts.data) < PARALLEL_BYTES:
        kernel(texts.data, texts.offsets, 0, len(texts), out, *more)
        return
    shares = 4 * (os.cpu_count() or 1)
    cuts = np.searchsorted(texts.offsets, np.linspace(0, len(texts.data), shares + 1)[1:-1])
    bounds = [0, *cuts.tolist(), len(texts)]
    jobs = [
        _pool().submit(kernel, texts.data, texts.offsets, first, last, out, *more)
        for first, last in pairwise(bounds)
        if first < last
    ]
    for job in jobs:
        job.result()


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count(), "dataflow-kernel")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # threads do not live on in a child
