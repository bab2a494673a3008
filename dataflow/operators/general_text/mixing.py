"""Mixing sources to given shares."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field, field_validator

from dataflow.core.frames import as_text, values
from dataflow.core.ports import In
from dataflow.core.tables import Dataset, Selection
from dataflow.operators._lib.draws import Numbers, joined_arrays, label_of, labels, numbers, uniforms

Sizes = tuple[NDArray[np.uint64], Numbers]


class MixtureSampleFilter(Dataset):
    """Keep rows so that sources have given shares of the whole, in rows, characters or tokens.

    Sizes are counted in rows; in characters where `input_text_key` is named; and in whatever a column holds where
    `input_size_key` is, such as the tokens that `TokenCountSampleEvaluator` counted. Of each source rows are taken in
    random order until the next would exceed its share of `total`, so that it has its share to within a row. Where
    a source is too small, or `total` is left out, the whole is as large as the shares allow.

    No row is kept twice: to repeat a small source, repeat it in the table. Rows of a source without a share, or of
    none, are dropped, and so are rows without a size. Which rows are drawn hangs on `seed` and their numbers in the table; they
    keep their order. How shares are found is not decided here; see DoReMi (Xie et al. 2023, arXiv 2305.10429). Memory: 32
    bytes a row.
    """

    kernel: ClassVar[str] = "digest"

    shares: dict[str, float] = Field(min_length=1)
    """The share of each source; they need not add up to 1."""
    total: float | None = Field(None, ge=0)
    """How much is kept of all sources together, at most."""
    fill: bool = False
    """Whether a source that is too small does not make the whole smaller: the others keep their shares of `total`, and it has less."""
    seed: int = 0
    """Draws the rows."""

    input_key = In("source", "where a row comes from", type="any")
    input_text_key = In(None, "a text whose characters are counted", type="any", optional=True)
    input_size_key = In(None, "how large a row is, such as its tokens", type="number", optional=True)

    @field_validator("shares")
    @classmethod
    def _are_shares(cls, shares: dict[str, float]) -> dict[str, float]:
        if min(shares.values()) < 0 or not 0 < sum(shares.values()) < float("inf"):
            raise ValueError("shares are numbers from 0 on, of which some are above it")
        return shares

    def digest(self, sources: pl.Series, texts: pl.Series | None, sizes: pl.Series | None) -> Sizes:
        if sizes is not None:
            return labels(sources), numbers(sizes)
        if texts is None:
            return labels(sources), np.ones(len(sources))
        if texts.dtype != pl.String:
            cells = [None if v is None else as_text(v) for v in values(texts)]
            texts = pl.Series(cells, dtype=pl.String)
        return labels(sources), numbers(texts.str.len_chars())

    def choose(self, digests: list[Any]) -> Selection:
        marks: NDArray[np.uint64] = joined_arrays([d[0] for d in digests], np.uint64)
        sizes: Numbers = joined_arrays([d[1] for d in digests], np.float64)
        sized = sizes >= 0
        noise = uniforms(len(marks), self.seed)
        members = {s: np.flatnonzero(sized & (marks == label_of(s))) for s in self.shares}
        have = {s: float(sizes[rows].sum()) for s, rows in members.items()}
        quotas = self._quotas(have)
        chosen, metrics = [np.zeros(0, np.int64)], dict[str, float]()
        for source, rows in members.items():
            drawn = rows[np.argsort(noise[rows], kind="stable")]
            fits = np.cumsum(sizes[drawn]) <= quotas[source] * (1 + 1e-12)
            chosen.append(drawn[fits])
            metrics[source] = float(sizes[drawn[fits]].sum())
        whole = sum(metrics.values())
        told = {s: round(m / whole, 4) if whole else 0.0 for s, m in metrics.items()}
        mixed = np.isin(marks, [label_of(s) for s in self.shares])

        def reason(row: int) -> str:
            return "not drawn" if mixed[row] and sized[row] else "no size" if mixed[row] else "no share"

        return Selection(np.sort(np.concatenate(chosen)), reason=reason, metrics={"shares": told})

    def _quotas(self, have: dict[str, float]) -> dict[str, float]:
        """How much of each source is kept at most."""
        whole = sum(self.shares.values())
        shares = {s: share / whole for s, share in self.shares.items()}
        allowed = min(have[s] / share for s, share in shares.items() if share)
        most = allowed if self.total is None else self.total
        total = most if self.fill else min(most, allowed)
        return {s: share * total for s, share in shares.items()}
