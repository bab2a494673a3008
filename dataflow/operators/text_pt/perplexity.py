"""How well a language model foretells a text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from dataflow.core.outcome import Failure
from dataflow.core.ports import In, Out
from dataflow.operators._lib.score_range import ScoreRange
from dataflow.operators._lib.scoring.asking import token_losses
from dataflow.operators._lib.scoring.held import Loaded
from dataflow.operators._lib.scoring.operator import ModelScore


class PerplexitySampleEvaluator(ModelScore):
    """Score each text by its perplexity under a causal language model; lower is likelier.

    e to the mean loss of all tokens but the first. Any causal model of the Hub will do. A text of fewer than two tokens
    gives null, and a text that is longer than the model can read is scored by its beginning.
    """

    architecture: ClassVar[str] = "causal"
    leading: ClassVar[tuple[str, ...]] = ("model_name", "device")

    model_name: str = "gpt2"
    """The language model: its name on the Hugging Face Hub, or the path of a folder."""
    batch_tokens: int = Field(4096, ge=1)

    input_key = In("raw_content", "the text")
    output_key = Out("PerplexityScore", "the perplexity, 1 at the least", type="float")

    def scores(self, loaded: Loaded, rows: list[tuple[Any, ...]]) -> Sequence[Any]:
        found = self.tokens(loaded, [text for (text,) in rows])
        ids = [[] if isinstance(t, Failure) else t.ids for t in found]
        losses = token_losses(loaded, ids, self.batch_tokens)
        return [
            t if isinstance(t, Failure) else perplexity(told) for t, told in zip(found, losses, strict=True)
        ]


def perplexity(losses: list[float] | None) -> float | None:
    """e to the mean; at most e to the 700, which a float still holds."""
    return math.exp(min(math.fsum(losses) / len(losses), 700)) if losses else None


class PerplexityFilter(ScoreRange, PerplexitySampleEvaluator):
    """Keep texts whose perplexity under a causal language model lies within a range.

    Both bounds are inclusive. A text of fewer than two tokens has no perplexity and is dropped.
    """

    leading: ClassVar[tuple[str, ...]] = ("min_score", "max_score", "model_name", "device")

    min_score: float = 10.0
    max_score: float = 500.0
