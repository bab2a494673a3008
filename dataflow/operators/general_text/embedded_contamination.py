"""Keeping the questions of benchmarks out of training data, said in other words too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from dataflow.core.errors import ServingError
from dataflow.core.frames import as_text
from dataflow.core.generate import check_serving
from dataflow.core.ports import Binding, In
from dataflow.core.protocols import EmbeddingServing
from dataflow.core.tables import Dataset, Selection
from dataflow.operators.general_text.decontamination import items_of

_SHOWN = 160
_BLOCK = 1024


class EmbeddingDecontaminationFilter(Dataset):
    """Keep texts that say nothing which an item of given evaluation files says, by their embeddings.

    A text goes whose cosine similarity with an item is at least the threshold; the reason names the file, the similarity and the
    item. Files are read as by DecontaminationFilter, which finds common words; this finds paraphrases and translations, as far as
    the model does. Null is dropped, and so is a text for which the model gave no vector, for nothing is known of it; a blank text is
    kept. Memory: one vector an item and a text.

    Raises:
        ConfigError: a file cannot be read, or has no such field.
        ServingError: the model gave no vector for an item.
    """

    calls_models: ClassVar[bool] = True

    embedding_serving: EmbeddingServing
    """The model that embeds."""
    eval_files: str | tuple[str, ...]
    """The files of evaluations, or one of them."""
    threshold: float = Field(0.9, gt=0, le=1)
    """Least cosine similarity at which a text is taken for an item."""
    eval_fields: tuple[str, ...] = ()
    """The fields of the files that are read; all where left empty."""

    input_key = In("raw_content", "the text", type="any")

    @property
    def files(self) -> tuple[str, ...]:
        return (self.eval_files,) if isinstance(self.eval_files, str) else self.eval_files

    def check(self, binding: Binding) -> Iterator[tuple[str, str]]:
        yield from super().check(binding)
        yield from check_serving(self.embedding_serving, "embedding_serving")
        for file in self.files:
            if not Path(file).is_file():
                yield "eval_files", f": there is no file {file!r}"

    def select(self, texts: list[Any]) -> Selection:
        items = [(file, i) for file in self.files for i in items_of(file, self.eval_fields) if i.strip()]
        known = [i for i, text in enumerate(texts) if text is not None and as_text(text).strip()]
        reasons = {i: "null" for i, text in enumerate(texts) if text is None}
        if items and known:
            benchmark = self._vectors([item for _, item in items])
            if None in benchmark:
                raise ServingError(f"no vector for the item {items[benchmark.index(None)][1][:_SHOWN]!r}")
            vectors = self._vectors([as_text(texts[i]) for i in known])
            reasons |= {i: "no vector" for i, v in zip(known, vectors, strict=True) if v is None}
            placed = [(i, v) for i, v in zip(known, vectors, strict=True) if v is not None]
            for i, item, alike in self._found(placed, benchmark):
                file, text = items[item]
                reasons[i] = f"in {file}: {alike:.2f} like {' '.join(text.split())[:_SHOWN]}"
        rows = [i for i in range(len(texts)) if i not in reasons]
        return Selection(rows, reason=lambda i: reasons[i], metrics={"benchmark_items": len(items)})

    def _vectors(self, texts: list[str]) -> list[Any]:
        return list(self.embedding_serving.generate_embedding_from_input(texts))

    def _found(self, placed: list[tuple[int, Any]], benchmark: list[Any]) -> Iterator[tuple[int, int, float]]:
        """The row, the nearest item and their similarity, of each row that is as like as that."""
        items = _unit(benchmark)
        for start in range(0, len(placed), _BLOCK):
            block = placed[start : start + _BLOCK]
            alike = _unit([v for _, v in block]) @ items.T
            best = alike.argmax(axis=1)
            for at, (row, _) in enumerate(block):
                similarity = float(alike[at, best[at]])
                if similarity >= self.threshold - 1e-6:
                    yield row, int(best[at]), similarity


def _unit(vectors: list[Any]) -> np.ndarray:
    points = np.asarray(vectors, np.float32)
    return np.asarray(points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-12))
