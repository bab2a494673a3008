"""Texts scored by any fastText classifier: quality, toxicity, topic, language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import field_validator

from dataflow.core.errors import ConfigError, did_you_mean
from dataflow.core.outcome import Failure
from dataflow.core.ports import In, Out
from dataflow.core.rows import attempt
from dataflow.operators._lib.score_range import ScoreRange
from dataflow.operators._lib.scoring.held import Loaded
from dataflow.operators._lib.scoring.operator import ModelScore


class FastTextSampleEvaluator(ModelScore):
    """Score each text by the probability that a fastText classifier gives one label, 0 to 1.

    For classifiers of quality, such as those of DCLM (Li et al. 2024, arXiv 2406.11794) and LLaMA, of toxicity, such as those
    of Dolma (Soldaini et al. 2024, arXiv 2402.00159), or of your own (Joulin et al. 2017, arXiv 1607.01759). White space counts only as what
    parts words. It runs on the CPU, some megabytes a second. A blank text gives null.

    Raises:
        ConfigError: the model has no such label.
        MissingDependency: fasttext-predict is not installed.
    """

    architecture: ClassVar[str] = "fast_text"
    extras: ClassVar[tuple[str, ...]] = ("text",)
    leading: ClassVar[tuple[str, ...]] = ("model_name", "label", "model_cache_dir")

    model_name: str
    """A fastText file (`.bin` or `.ftz`), a folder with a `model.bin`, or the name of such a repository of the Hugging Face Hub."""
    label: str
    """The label whose probability is the score; it may be written with `__label__` before it."""

    input_key = In("raw_content", "the text")
    output_key = Out("FastTextScore", "the probability of the label, 0 to 1", type="float")

    @field_validator("label")
    @classmethod
    def _plain(cls, label: str) -> str:
        return label.removeprefix("__label__")

    def scores(self, loaded: Loaded, rows: list[tuple[Any, ...]]) -> Sequence[Any]:
        return [attempt(lambda t: self._score(loaded, t), row) if row[0].strip() else None for row in rows]

    def _score(self, loaded: Loaded, text: str) -> float | Failure:
        shares = loaded.network.probabilities(text)
        if self.label not in shares:
            known = sorted(shares)
            told = (
                f"{', '.join(known[:10])}{' …' if len(known) > 10 else ''}.{did_you_mean(self.label, known)}"
            )
            raise ConfigError(f"{self.named()!r} has no label {self.label!r}; there are {told}")
        return min(float(shares[self.label]), 1.0)


class FastTextFilter(ScoreRange, FastTextSampleEvaluator):
    """Keep texts to which a fastText classifier gives one label with a probability within a range.

    Both bounds are inclusive: `min_score` keeps what has the label, as with quality; `max_score` what has it not, as with
    toxicity. The score is written for the rows that stay; null and blank texts are dropped.
    """

    leading: ClassVar[tuple[str, ...]] = ("model_name", "label", "min_score", "max_score", "model_cache_dir")

    min_score: float = 0.5
    max_score: float = 1.0
