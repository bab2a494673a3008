"""Counts of the words of texts that stand in a list, whose entries may have several words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numba import njit
from numpy.typing import NDArray

from dataflow.kernels.characters import (
    IDEOGRAPH,
    IDEOGRAPHS,
    WORD,
    Classes,
    classes,
    length_of,
    lower,
    lowered,
    point_at,
)
from dataflow.kernels.sets import contains, fold, hash_of, hash_set
from dataflow.kernels.statistics import counted
from dataflow.kernels.texts import Bytes, Counts, Hashes, Texts, run

COUNTS = {
    "parts": "Chinese and Japanese characters, and runs of other word characters with single apostrophes in them",
    "entries": "entries of the list, case aside; the longest that begins at a part counts, and none that overlaps it",
    "listed": "parts in those",
}
"""What is counted, in the order of the columns."""

_SIGN = "".join(f"{chr(low)}-{chr(high)}" for low, high in IDEOGRAPHS)
_PART = re.compile(f"(?=\\w)[{_SIGN}]|[^\\W{_SIGN}]+(?:['’][^\\W{_SIGN}]+)*")


def parts(text: str) -> list[str]:
    """The parts of a text, in lower case."""
    return [lower(part).replace("’", "'") for part in _PART.findall(text)]


class WordList(NamedTuple):
    """Words to look for."""

    entries: Hashes
    """The set of entries."""
    firsts: Hashes
    """The set of their first parts."""
    longest: int
    """The most parts of an entry."""

    @classmethod
    def of(cls, entries: Iterable[str]) -> WordList:
        """A list from entries as people write them."""
        split = [found for entry in entries if (found := [hash_of(part) for part in parts(entry)])]
        return cls(
            hash_set(hash_of(found) for found in split),
            hash_set(found[0] for found in split),
            max(map(len, split), default=0),
        )


def listed_words(column: pl.Series, words: WordList) -> pl.Series:
    """`COUNTS` for each text, as a column of structs of Int64; those of an empty text for null."""

    def count(texts: Texts, out: Counts) -> None:
        run(_count, texts, out, classes(), lowered(), words.entries, words.firsts, words.longest)

    return counted(column, count, tuple(COUNTS))


@njit(nogil=True, cache=True)
def _count(
    data: Bytes,
    offsets: Counts,
    first: int,
    last: int,
    out: Counts,
    table: Classes,
    lower_of: NDArray[np.int32],
    entries: Hashes,
    firsts: Hashes,
    longest: int,
) -> None:
    hashes = np.empty(1024, np.uint64)
    for row in range(first, last):
        at, end = offsets[row], offsets[row + 1]
        if (end - at) // 2 + 1 > len(hashes):  # room made in the loop over characters would slow all of it
            hashes = np.empty(end - at + 1, np.uint64)
        count = 0
        inside = held = False  # within a part; behind an apostrophe that may belong to it
        value: Any = np.uint64(0)
        while at < end or inside:
            point: Any = 0
            flags: Any = 0
            if at < end:
                point = point_at(data, at)
                at += length_of(data[at])
                flags = table[point]
            sign = (flags & IDEOGRAPH) != 0
            if flags & WORD and not sign:
                if held:
                    value = fold(value, 0x27)
                value = fold(value, lower_of[point])
                inside, held = True, False
                continue
            if inside and not held and (point == 0x27 or point == 0x2019):
                held = True
                continue
            if inside:
                hashes[count] = value
                count += 1
            if sign:
                hashes[count] = fold(np.uint64(0), point)
                count += 1
            inside, held, value = False, False, np.uint64(0)
        found = covered = i = 0
        while i < count:
            best = 0
            if contains(firsts, hashes[i]):
                value = np.uint64(0)
                for n in range(min(longest, count - i)):
                    value = fold(value, hashes[i + n])
                    if contains(entries, value):
                        best = n + 1
            found += best > 0
            covered += best
            i += max(best, 1)
        out[row] = (count, found, covered)
