"""The quality of texts, by a scorer that was trained on pairs of them."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from dataflow.core.ports import Out
from dataflow.operators._lib.score_range import ScoreRange
from dataflow.operators._lib.scoring.classified import ClassifierScore


class PairQualSampleEvaluator(ClassifierScore):
    """Score the quality of each text by a BERT that learned which of two texts is the better one.

    The raw regression output; it has no fixed scale, and higher is better. Two linear layers on BERT's pooled vector,
    built from the weights alone: no code of the model's repository is run.
    """

    architecture: ClassVar[str] = "bert_head"
    leading: ClassVar[tuple[str, ...]] = ("model_cache_dir", "device", "lang", "max_length")

    lang: Literal["en", "zh"] = "en"
    """The language of the texts, which decides the model."""
    max_length: int | None = Field(512, ge=1)
    model_name: str = ""
    """The model: its name on the Hugging Face Hub, or the path of a folder; that of `lang` where left empty."""

    output_key = Out("PairQualScore", "the quality", type="float")

    def named(self) -> str:
        return self.model_name or f"zks2856/PairQual-Scorer-{self.lang}"


class PairQualFilter(ScoreRange, PairQualSampleEvaluator):
    """Keep texts of good quality, by a BERT that learned which of two texts is the better one.

    Both bounds are inclusive.
    """

    leading: ClassVar[tuple[str, ...]] = ("min_score", "max_score", "model_cache_dir", "lang")

    min_score: float = 0.0
    max_score: float = 10_000.0
