"""How much of a text repeats: its different n-grams over all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numba import njit
from numpy.typing import NDArray

from dataflow.kernels.characters import SPACE, WORD, classes, length_of, lowered, point_at
from dataflow.kernels.sets import distinct, fold
from dataflow.kernels.texts import Texts, run


@njit(nogil=True, cache=True)
def _ratios(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    first: int,
    last: int,
    out: NDArray[np.float64],
    table: NDArray[np.uint8],
    lower: NDArray[np.int32],
    n: int,
    by_character: bool,
) -> None:
    tokens = np.empty(1024, np.uint64)
    slots = np.zeros(4096, np.uint64)
    for row in range(first, last):
        at, end = offsets[row], offsets[row + 1]
        found, size = 0, 0  # tokens; characters of the one under way
        value: Any = np.uint64(0)
        while True:
            closes = at >= end
            if not closes:
                point = point_at(data, at)
                at += length_of(data[at])
                flags = table[point]
                closes = (flags & SPACE) != 0
                if flags & WORD:
                    value = fold(value if size else np.uint64(0), lower[point])
                    size += 1
                    closes = by_character
            if closes and size:
                if found == len(tokens):
                    grown = np.empty(2 * found, np.uint64)
                    grown[:found] = tokens
                    tokens = grown
                tokens[found] = value
                found += 1
                size = 0
            if at >= end and not size:
                break
        width = min(n, found)
        grams = found - width + 1
        if found == 0:
            out[row] = 0.0
            continue
        for i in range(grams):  # in place: token i is not read again
            value = np.uint64(0)
            for k in range(width):
                value = fold(value, tokens[i + k])
            tokens[i] = value
        room = 16
        while room < 2 * grams:
            room *= 2
        if room > len(slots):
            slots = np.zeros(room, np.uint64)
        out[row] = distinct(tokens[:grams], slots[:room]) / grams


def ngram_ratios(column: pl.Series, n: int, *, by_character: bool) -> pl.Series:
    """Different n-grams over all n-grams of each text, 0 to 1; null for null.

    Tokens are words in lower case without what is neither letter, digit nor underscore, or single such characters.
    Of a text with fewer than `n` tokens all of them are its one n-gram; without any it has 0.
    """
    out = np.zeros(len(column), np.float64)
    run(_ratios, Texts.of(column), out, classes(), lowered(), n, by_character)
    ratios = pl.DataFrame({"ratio": out, "text": column})
    return ratios.select(pl.when(pl.col("text").is_not_null()).then("ratio").alias(column.name)).to_series()
