"""How much like a textbook texts are, by a fastText classifier."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from dataflow.core.errors import ConfigError
from dataflow.core.outcome import Failure
from dataflow.core.ports import In, Out
from dataflow.core.rows import attempt
from dataflow.operators._lib.score_range import ScoreRange
from dataflow.operators._lib.scoring.held import Loaded
from dataflow.operators._lib.scoring.operator import ModelScore

VALUES = {"Low": 1.0, "Mid": 3.0, "High": 5.0}


class TextbookSampleEvaluator(ModelScore):
    """Score how much each text is like a textbook, from 1 to 5, by a fastText classifier.

    The mean of 1 (low), 3 (middle) and 5 (high) weighted by the probabilities of these classes. White space counts only
    as what parts words. It runs on the CPU. A blank text gives null.
    """

    architecture: ClassVar[str] = "fast_text"
    extras: ClassVar[tuple[str, ...]] = ("text",)
    leading: ClassVar[tuple[str, ...]] = ("model_cache_dir",)

    model_name: str = "kenhktsui/llm-data-textbook-quality-fasttext-classifer-v2"
    """The model: its name on the Hugging Face Hub, a fastText file, or a folder with a `model.bin`."""

    input_key = In("raw_content", "the text")
    output_key = Out("TextbookScore", "how much like a textbook", type="float")

    def scores(self, loaded: Loaded, rows: list[tuple[Any, ...]]) -> Sequence[Any]:
        return [attempt(lambda t: self._score(loaded, t), row) if row[0].strip() else None for row in rows]

    def _score(self, loaded: Loaded, text: str) -> float | Failure:
        shares = loaded.network.probabilities(text)
        if unknown := sorted(shares.keys() - VALUES.keys()):
            raise ConfigError(
                f"{self.named()!r} has the labels {', '.join(unknown)}, where {', '.join(VALUES)} are read"
            )
        return min(
            max(math.fsum(VALUES[n] * p for n, p in shares.items()) / math.fsum(shares.values()), 1.0), 5.0
        )


class TextbookFilter(ScoreRange, TextbookSampleEvaluator):
    """Keep texts that are like a textbook, by a fastText classifier.

    Both bounds are inclusive; the scale is 1 to 5.
    """

    leading: ClassVar[tuple[str, ...]] = ("min_score", "max_score", "model_cache_dir")

    min_score: float = 3.0
    max_score: float = 5.0
