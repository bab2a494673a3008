"""Dropping rows that say what an earlier row says in other words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from dataflow.core.errors import ConfigError
from dataflow.core.generate import check_serving
from dataflow.core.ports import Binding
from dataflow.core.protocols import EmbeddingServing
from dataflow.operators._lib.duplicates import Digest, DuplicateFilter, Rows, first_near_vector


class SemDeduplicateFilter(DuplicateFilter):
    """Keep texts whose embedding is far enough from that of every kept text, after SemDeDup.

    See Abbas et al. 2023. A text is dropped where its cosine similarity with a kept text before it is at least
    `1 - eps`; texts are not dropped for the sake of dropped ones. Every pair of a text and a kept one is compared, a block of them at a time, so the time grows
    with the square of the texts kept. Rows without text (null or blank), and those for which the model gave no
    vector, are kept: nothing is known of them. Memory: 4 bytes a row for each dimension, twice while they are compared; a
    million rows of 384 dimensions take 3 GB.
    """

    calls_models: ClassVar[bool] = True
    called: ClassVar[str] = "near duplicate"

    eps: float = Field(0.05, ge=0, lt=1)
    """How far from 1 the cosine similarity of texts may be that are taken to say the same."""
    model_name: str = "sentence-transformers/all-MiniLM-L6-v2"
    """Of no effect: `embedding_serving` decides which model embeds."""
    model_cache_dir: str = "./dataflow_cache"
    """Of no effect: a serving keeps its model where it is set to."""
    device: str = "cuda"
    """Of no effect: a serving runs its model where it is set to."""
    embedding_serving: EmbeddingServing | None = None
    """The model that embeds; `LocalEmbeddingServing()` needs no key and no GPU."""

    def check(self, binding: Binding) -> Iterator[tuple[str, str]]:
        yield from super().check(binding)
        if self.embedding_serving is None:
            yield "embedding_serving", " is needed; LocalEmbeddingServing() embeds on this machine"
        yield from check_serving(self.embedding_serving, "embedding_serving")

    def digest(self, texts: pl.Series, scores: pl.Series | None = None) -> Digest:
        if self.embedding_serving is None:
            raise ConfigError(
                f"SemDeduplicateFilter needs embedding_serving: it loads no {self.model_name} itself. "
                "LocalEmbeddingServing() embeds on this machine, APILLMServing(...) at an endpoint"
            )
        known = np.flatnonzero(self.has_text(texts).to_numpy())
        asked = texts.gather(known).to_list()
        vectors = self.embedding_serving.generate_embedding_from_input(asked) if asked else []
        found = [i for i, vector in enumerate(vectors) if vector is not None]
        mask = np.zeros(len(texts), bool)
        mask[known[found]] = True
        return Digest(mask, np.array([vectors[i] for i in found], np.float32))

    def originals(self, signatures: NDArray[Any]) -> Rows:
        return first_near_vector(signatures, 1 - self.eps)

    def similarity(self, one: NDArray[Any], other: NDArray[Any]) -> float | None:
        norms = float(np.linalg.norm(one) * np.linalg.norm(other))
        return float(one @ other) / norms if norms else None
