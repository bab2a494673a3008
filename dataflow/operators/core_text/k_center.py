"""A small set of texts that lies close to all others."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import polars as pl
from pydantic import Field

from dataflow.core.errors import ConfigError
from dataflow.core.frames import as_text, values
from dataflow.core.generate import check_serving
from dataflow.core.ports import Binding, In
from dataflow.core.protocols import EmbeddingServing
from dataflow.core.tables import Dataset, Selection

Placed = tuple[int, list[int], np.ndarray]
"""Of a batch: its rows, which of them have a vector, and those."""


class KCenterGreedyFilter(Dataset):
    """Keep the texts that best cover all others: greedy k-centre in an embedding space.

    The first text is drawn by `seed`; each further one is that with the largest Euclidean distance to its
    nearest kept text, the earlier row where two are equal (Gonzalez 1985; Sener and Savarese 2018, arXiv 1708.00489). Exactly
    `num_samples` rows are kept, in their order, or all that can be where there are fewer. Null and blank texts, and those
    without a vector, are never kept. Where `input_embedding_key` is named the vectors are taken from that column, no
    model is asked, and texts may be null or blank. Memory: 4 bytes a row for each dimension.

    Raises:
        ConfigError: vectors of a column differ in length.
    """

    calls_models: ClassVar[bool] = True
    kernel: ClassVar[str] = "digest"

    num_samples: int = Field(ge=1)
    """How many rows are kept."""
    embedding_serving: EmbeddingServing | None = None
    """The model that embeds; not needed where a column holds the vectors."""
    seed: int = 0
    """Draws the first text."""

    input_key = In("content", "the text", type="any")
    input_embedding_key = In(None, "the vectors of the texts", type="embedding", optional=True)

    def check(self, binding: Binding) -> Any:
        if binding.reads.get("input_embedding_key"):
            return
        if self.embedding_serving is None:
            yield "embedding_serving", " is needed, or a column of vectors as input_embedding_key"
        yield from check_serving(self.embedding_serving, "embedding_serving")

    def digest(self, texts: pl.Series, vectors: pl.Series | None) -> Placed:
        if vectors is None:
            told = [None if t is None else as_text(t) for t in values(texts)]
            known = [i for i, text in enumerate(told) if text and text.strip()]
            made = dict(zip(known, self._embed([told[i] or "" for i in known]), strict=True))
        else:
            made = dict(enumerate(values(vectors)))
        placed = {i: v for i, v in made.items() if v is not None}
        return len(texts), list(placed), np.asarray(_even(list(placed.values())), np.float32)

    def choose(self, digests: list[Any]) -> Selection:
        firsts = np.cumsum([0, *(size for size, _, _ in digests)]).tolist()
        rows = [first + i for first, (_, placed, _) in zip(firsts, digests, strict=False) for i in placed]
        points = [points for _, placed, points in digests if placed]
        if len({p.shape[1] for p in points}) > 1:
            raise ConfigError("KCenterGreedyFilter: vectors differ in length from one batch to another")
        chosen = centres(np.concatenate(points), self.num_samples, self.seed) if points else []
        return Selection(sorted(rows[c] for c in chosen), reason="not a centre")

    def _embed(self, texts: list[str]) -> list[Any]:
        if self.embedding_serving is None:
            raise ConfigError("KCenterGreedyFilter needs embedding_serving, or input_embedding_key")
        return self.embedding_serving.generate_embedding_from_input(texts) if texts else []


def _even(vectors: list[Any]) -> list[Any]:
    lengths = sorted({len(v) for v in vectors})
    if len(lengths) > 1:
        raise ConfigError(f"KCenterGreedyFilter: vectors differ in length: {lengths[:5]}")
    return vectors


def centres(points: np.ndarray, count: int, seed: int) -> list[int]:
    """Which of `(n, dim) float32` points are greedy k-centres, in the order chosen; O(n · count · dim)."""
    squares = np.einsum("ij,ij->i", points, points)
    nearest = np.full(len(points), np.inf, dtype=np.float32)
    chosen: list[int] = []
    following = int(np.random.default_rng(seed).permutation(len(points))[0])
    for _ in range(min(count, len(points))):
        chosen.append(following)
        distances = squares + squares[following] - 2 * (points @ points[following])
        nearest = np.minimum(nearest, np.maximum(distances, 0))
        nearest[chosen] = -1
        following = int(nearest.argmax())
    return chosen
