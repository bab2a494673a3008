"""The educational value of texts, by the FineWeb-Edu classifier."""

from __future__ import annotations

from typing import ClassVar

from dataflow.core.ports import Out
from dataflow.operators._lib.score_range import ScoreRange
from dataflow.operators._lib.scoring.classified import ClassifierScore


class FineWebEduSampleEvaluator(ClassifierScore):
    """Score the educational value of each text, about 0 to 5, by the FineWeb-Edu classifier.

    The raw regression output, which may lie a little outside of the scale. The first 512 tokens of a text are read.
    Penedo et al. 2024, arXiv 2406.17557.
    """

    leading: ClassVar[tuple[str, ...]] = ("model_cache_dir", "device")

    model_name: str = "HuggingFaceTB/fineweb-edu-classifier"

    output_key = Out("FinewebEduScore", "the educational value", type="float")


class FineWebEduFilter(ScoreRange, FineWebEduSampleEvaluator):
    """Keep texts of educational value, by the FineWeb-Edu classifier.

    Both bounds are inclusive; the scale is about 0 to 5.
    """

    leading: ClassVar[tuple[str, ...]] = ("min_score", "max_score", "model_cache_dir", "device")

    min_score: float = 2.5
    max_score: float = 10_000.0
