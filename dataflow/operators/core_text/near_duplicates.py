"""Dropping rows that say what an earlier row says in other words."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from dataflow.core.ports import In
from dataflow.core.protocols import EmbeddingServing
from dataflow.core.tables import Dataset, Selection
from dataflow.operators._lib.duplicates import first_near_vector


class EmbeddingDeduplicateFilter(Dataset):
    """Keep the first of each set of texts whose embeddings are alike.

    Texts are compared by cosine similarity with every text kept so far, in order. Null and blank texts, and texts
    for which the model gave no vector, are kept: nothing is known to be like them. Memory: one vector a kept text.
    """

    calls_models: ClassVar[bool] = True

    embedding_serving: EmbeddingServing
    """The model that embeds."""
    threshold: float = Field(0.9, gt=0, le=1)
    """Least cosine similarity at which two texts are taken to say the same."""

    input_key = In("raw_content", "the text compared")

    def select(self, texts: list[str | None]) -> Selection:
        asked = [i for i, text in enumerate(texts) if text and text.strip()]
        vectors = self.embedding_serving.generate_embedding_from_input([texts[i] or "" for i in asked])
        known = [(i, v) for i, v in zip(asked, vectors, strict=True) if v is not None]
        duplicates = set(
            np.array([i for i, _ in known], dtype=int)[self._repeated([v for _, v in known])].tolist()
        )
        rows = [i for i in range(len(texts)) if i not in duplicates]
        return Selection(rows, reason="near duplicate", metrics={"near_duplicates": len(duplicates)})

    def _repeated(self, vectors: list[Any]) -> np.ndarray:
        """Which vectors are like one kept before them, `(n,) bool`."""
        if not vectors:
            return np.zeros(0, bool)
        originals = first_near_vector(np.asarray(vectors, np.float32), self.threshold)
        return np.asarray(originals != np.arange(len(originals)))
