"""Texts scored by any classifier."""

from __future__ import annotations

from typing import ClassVar

from dataflow.core.ports import Out
from dataflow.operators._lib.scoring.classified import ClassifierScore


class ClassifierSampleEvaluator(ClassifierScore):
    """Score each text by any sequence classifier of the Hugging Face Hub.

    A model with a single output gives it as it is; of one with several labels the probability of `label` is the score. A
    text that is longer than the model can read is scored by its beginning.
    """

    leading: ClassVar[tuple[str, ...]] = ("model_name", "label", "model_cache_dir", "device")

    output_key = Out("ClassifierScore", "the score", type="float")
