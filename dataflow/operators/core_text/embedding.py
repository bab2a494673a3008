"""Texts as vectors."""

from __future__ import annotations

from typing import Any

import polars as pl

from dataflow.core.frames import as_text
from dataflow.core.generate import Embed
from dataflow.core.ports import Binding, In, Out


class EmbeddingGenerator(Embed):
    """Turn each text into a vector by an embedding model; null or blank gives null without a call."""

    input_key = In("text", "the text to embed")
    output_key = Out("embeddings", "the vector, `(dim,) float32`", type="embedding")

    def cells(self, frame: pl.DataFrame, binding: Binding) -> list[tuple[Any, ...]]:
        return [
            (v,) if v is not None and as_text(v).strip() else (None,)
            for (v,) in super().cells(frame, binding)
        ]
