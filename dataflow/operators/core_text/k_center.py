"""A small set of texts that lies close to all others."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from dataflow.core.errors import ConfigError
from dataflow.core.frames import as_text
from dataflow.core.generate import check_serving
from dataflow.core.ports import Binding, In
from dataflow.core.protocols import EmbeddingServing
from dataflow.core.tables import Dataset, Selection


class KCenterGreedyFilter(Dataset):
    """Keep the texts that best cover all others: greedy k-centre in an embedding space.

    The first text is drawn by `seed`; each further one is that with the largest Euclidean distance to its
    nearest kept text, the earlier row where two are equal. Exactly `num_samples` rows are kept, in their order,
    or all that can be where there are fewer. Null and blank texts, and those without a vector, are never kept.
    """

    calls_models: ClassVar[bool] = True

    num_samples: int = Field(ge=1)
    """How many rows are kept."""
    embedding_serving: EmbeddingServing | None = None
    """The model that embeds."""
    seed: int = 0
    """Draws the first text."""

    input_key = In("content", "the text", type="any")

    def check(self, binding: Binding) -> Any:
        if self.embedding_serving is None:
            yield "embedding_serving", " is needed"
        yield from check_serving(self.embedding_serving, "embedding_serving")

    def select(self, texts: list[Any]) -> Selection:
        known = [i for i, text in enumerate(texts) if text is not None and as_text(text).strip()]
        vectors = self._embed([as_text(texts[i]) for i in known])
        placed = [(i, v) for i, v in zip(known, vectors, strict=True) if v is not None]
        points = np.asarray([v for _, v in placed], dtype=np.float32)
        chosen = centres(points, self.num_samples, self.seed) if placed else []
        return Selection(sorted(placed[c][0] for c in chosen), reason="not a centre")

    def _embed(self, texts: list[str]) -> list[Any]:
        if self.embedding_serving is None:
            raise ConfigError("KCenterGreedyFilter needs embedding_serving")
        return self.embedding_serving.generate_embedding_from_input(texts) if texts else []


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
