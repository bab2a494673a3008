"""Random numbers that hang on a seed and the number of a row alone, and columns as sampling needs them."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dataflow.core.frames import dumps, is_json, values
from dataflow.operators._lib.duplicates import spelt

Numbers = NDArray[np.float64]
NO_LABEL = np.uint64(0)
"""Stands for null in `labels`."""


def uniforms(count: int, seed: int) -> Numbers:
    """A number above 0 and below 1 for each row from 0 on; that of a row hangs on no other row (SplitMix64)."""
    step = np.uint64(0x9E3779B97F4A7C15)
    begin = np.uint64((seed * 0xD1342543DE82EF95 + 1) % 2**64)
    with np.errstate(over="ignore"):
        bits = begin * step + np.arange(1, count + 1, dtype=np.uint64) * step
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        bits ^= bits >> np.uint64(31)
    return (np.asarray(bits >> np.uint64(12), np.float64) + 0.5) / 2.0**52


def gumbels(count: int, seed: int) -> Numbers:
    """For each row a draw of the standard Gumbel distribution."""
    noise: Numbers = -np.log(-np.log(uniforms(count, seed)))
    return noise


def numbers(column: pl.Series) -> Numbers:
    """The numbers of a column; NaN for null and what is no number."""
    if column.dtype.is_numeric():
        return column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    cells = values(column)
    fits = [isinstance(v, (int, float)) and not isinstance(v, bool) for v in cells]
    return np.array([float(v) if fit else np.nan for v, fit in zip(cells, fits, strict=True)], np.float64)


def labels(column: pl.Series) -> NDArray[np.uint64]:
    """64 bits for each cell, equal where the values are; `NO_LABEL` for null. For this process only."""
    if is_json(column.dtype) or column.dtype.is_nested():
        cells = values(column)
        told = [v if v is None or isinstance(v, str) else dumps(v) for v in cells]
        texts = pl.Series([None if t is None else spelt(t) for t in told], dtype=pl.String)
    else:
        texts = column.cast(pl.String)
    hashed = texts.hash(7).to_numpy() | np.uint64(1)
    return np.where(texts.is_null().to_numpy(), NO_LABEL, hashed)


def label_of(value: Any) -> np.uint64:
    """That of one value."""
    made: np.uint64 = labels(pl.Series([value]))[0]
    return made


def whole_shares(shares: Numbers, total: int) -> NDArray[np.int64]:
    """Whole numbers in proportion to shares, whose sum is a total: the largest remainders are rounded up, first ones first."""
    exact = shares / shares.sum() * total if shares.sum() else np.zeros(len(shares))
    whole = np.floor(exact + 1e-9).astype(np.int64)
    order = np.argsort(-(exact - whole), kind="stable")
    whole[order[: total - int(whole.sum())]] += 1
    return whole


def joined_arrays(parts: list[Any], dtype: Any) -> NDArray[Any]:
    return np.concatenate([np.zeros(0, dtype), *parts])
