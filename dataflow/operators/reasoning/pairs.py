"""Problems side by side, so that new ones can be made of two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, ClassVar, Literal

import numpy as np

from dataflow.core.errors import BindError
from dataflow.core.frames import as_text
from dataflow.core.generate import check_serving
from dataflow.core.ports import Binding, In, Out
from dataflow.core.protocols import EmbeddingServing
from dataflow.core.tables import Dataset, Selection

_BLOCK = 1024


class ReasoningQuestionPairGenerator(Dataset):
    """Put another problem beside each: by lot, of the same category, or the nearest by embedding.

    By lot each problem is the partner of exactly one other; so it is within a category, where a problem that is alone in
    its category gets one of all. By embedding the partner is the problem with the highest cosine similarity whose text
    differs. The same text is never a partner; where there is no other, or the problem is null or blank, or has no
    vector, null is written.
    """

    by: Literal["lot", "category", "embedding"] = "lot"
    """How partners are found."""
    embedding_serving: EmbeddingServing | None = None
    """The model that embeds; needed by embedding."""
    seed: int = 0
    """Changes the lot."""

    calls_models: ClassVar[bool] = True
    input_key = In("instruction", "the problem")
    input_category_key = In(None, "its category; needed by category", type="any", optional=True)
    output_key = Out("paired_problem", "the other problem")

    def bind(self, **keys: Any) -> Binding:
        binding = super().bind(**keys)
        if self.by == "category" and not binding.reads["input_category_key"]:
            raise BindError(f"{type(self).__name__}.run needs input_category_key with by='category'")
        return binding

    def check(self, binding: Binding) -> Iterator[tuple[str, str]]:
        yield from super().check(binding)
        if self.by == "embedding" and self.embedding_serving is None:
            yield "embedding_serving", " is needed with by='embedding'"
        yield from check_serving(self.embedding_serving, "embedding_serving")

    def select(self, problems: list[Any], categories: list[Any] | None) -> Selection:
        texts = {i: as_text(p) for i, p in enumerate(problems) if p is not None and as_text(p).strip()}
        if self.by == "embedding" and self.embedding_serving is not None:
            found = nearest(texts, self.embedding_serving)
        elif self.by == "category" and categories is not None:
            found = self._within(texts, categories)
        else:
            found = self._ring(texts, list(texts))
        partners = [texts[found[i]] if i in found else None for i in range(len(problems))]
        return Selection(columns={"output_key": partners}, metrics={"without_partner": partners.count(None)})

    def _within(self, texts: dict[int, str], categories: Sequence[Any]) -> dict[int, int]:
        groups: dict[str, list[int]] = {}
        for i in texts:
            groups.setdefault(as_text(categories[i]) if categories[i] is not None else "", []).append(i)
        found: dict[int, int] = {}
        for members in groups.values():
            found |= self._ring(texts, members)
        everywhere = self._ring(texts, list(texts))
        return everywhere | found

    def _ring(self, texts: dict[int, str], members: list[int]) -> dict[int, int]:
        """To each member the next in a drawn order whose text is another."""
        order = Random(self.seed).sample(members, len(members))
        found = {}
        for at, i in enumerate(order):
            others = order[at + 1 :] + order[:at]
            partner = next((j for j in others if texts[j] != texts[i]), None)
            if partner is not None:
                found[i] = partner
        return found


def nearest(texts: dict[int, str], serving: EmbeddingServing) -> dict[int, int]:
    """To each text the most similar other one, the earlier where two are equal; O(n² · dim), in blocks."""
    made = serving.generate_embedding_from_input(list(texts.values())) if texts else []
    known = [(i, v) for i, v in zip(texts, made, strict=True) if v is not None]
    if len(known) < 2:
        return {}
    rows = [i for i, _ in known]
    points = np.asarray([v for _, v in known], np.float32)
    points /= np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-12)
    number: dict[str, int] = {}
    same = np.array([number.setdefault(texts[i], len(number)) for i in rows])
    found = {}
    for start in range(0, len(rows), _BLOCK):
        alike = points[start : start + _BLOCK] @ points.T
        alike[same[start : start + _BLOCK, None] == same[None, :]] = -np.inf
        best = alike.argmax(axis=1)
        for at, partner in enumerate(best.tolist()):
            if np.isfinite(alike[at, partner]):
                found[rows[start + at]] = rows[partner]
    return found
