"""The quality class of texts, by NVIDIA's DeBERTa v3 classifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import polars as pl

from dataflow.core.outcome import Failure, Outcome
from dataflow.core.ports import Binding, In, Out
from dataflow.operators._lib.score_range import divided
from dataflow.operators._lib.scoring.asking import label_scores
from dataflow.operators._lib.scoring.held import Loaded
from dataflow.operators._lib.scoring.operator import ModelScore


class DebertaV3SampleEvaluator(ModelScore):
    """Put each text into a class of quality: `High`, `Medium` or `Low`.

    DeBERTa v3 with one linear layer on the first token's vector; the likeliest class is given by its name.
    """

    architecture: ClassVar[str] = "deberta_head"
    leading: ClassVar[tuple[str, ...]] = ("model_name", "model_cache_dir", "device")

    model_name: str = "nvidia/quality-classifier-deberta"

    input_key = In("raw_content", "the text")
    output_key = Out("Debertav3Score", "the name of the class")

    def scores(self, loaded: Loaded, rows: list[tuple[Any, ...]]) -> Sequence[Any]:
        outputs = label_scores(loaded, self.tokens(loaded, [text for (text,) in rows]), self.batch_tokens)
        names = loaded.labels
        return [
            o if o is None or isinstance(o, Failure) else names.get(best := o.index(max(o)), str(best))
            for o in outputs
        ]


class DebertaV3Filter(DebertaV3SampleEvaluator):
    """Keep texts of the classes of quality that are named.

    The classes are those of the model, by default `High`, `Medium` and `Low`.
    """

    kind: ClassVar[str] = "Filter"
    leading: ClassVar[tuple[str, ...]] = (
        "allowed_scores",
        "model_name",
        "model_cache_dir",
        "device",
        "batch_size",
    )

    allowed_scores: list[str] = ["Medium", "High"]
    """The classes kept."""
    batch_size: int = 16
    """Has no effect: `batch_tokens` says how much is scored at once."""

    def finish(self, frame: pl.DataFrame, binding: Binding, results: list[Any]) -> Outcome:
        lost = [i for i, found in enumerate(results) if found not in self.allowed_scores]
        reasons = {i: "null" if results[i] is None else f"class: {results[i]}" for i in lost}
        return divided(super().finish(frame, binding, results), reasons, binding)
