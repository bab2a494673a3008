"""How hard answers are to follow from their instruction: IFD scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

from pydantic import Field

from dataflow.core.outcome import Failure
from dataflow.core.ports import In, Out
from dataflow.operators._lib.score_range import ScoreRange
from dataflow.operators._lib.scoring.asking import token_losses
from dataflow.operators._lib.scoring.batching import whole
from dataflow.operators._lib.scoring.held import Loaded
from dataflow.operators._lib.scoring.operator import ModelScore

_ORDER = ("device", "model_cache_dir", "max_length")


class _Pair(NamedTuple):
    """An instruction and its answer as tokens that fit together."""

    asked: list[int]
    answer: list[int]


class SuperfilteringSampleEvaluator(ModelScore):
    """Score each answer by its instruction-following difficulty (IFD) under a small language model.

    Perplexity of the answer after its instruction (and input), divided by that of the answer alone, over the same tokens:
    all of the answer but the first. Below 1 the instruction helps; near 1 it hardly does. An answer of fewer than two
    tokens gives null. Of what is too long for `max_length` the answer loses its end and the instruction its beginning,
    which keeps at least half of the room. Two passes a row. Li et al. 2024, arXiv 2402.00530.
    """

    architecture: ClassVar[str] = "causal"
    leading: ClassVar[tuple[str, ...]] = _ORDER

    max_length: int | None = Field(512, ge=4)
    """Tokens of instruction and answer together."""
    model_name: str = "gpt2"
    batch_tokens: int = Field(4096, ge=1)

    input_instruction_key = In("instruction", "the instruction")
    input_input_key = In(None, "what the instruction is about", optional=True)
    input_output_key = In("output", "the answer")
    output_key = Out("SuperfilteringScore", "the IFD score", type="float")

    def scores(self, loaded: Loaded, rows: list[tuple[Any, ...]]) -> Sequence[Any]:
        pairs = [self._pair(loaded, *row) for row in rows]
        good = [p for p in pairs if isinstance(p, _Pair) and len(p.answer) > 1]
        alone = token_losses(loaded, [p.answer for p in good], self.batch_tokens)
        after = token_losses(loaded, [p.asked + p.answer for p in good], self.batch_tokens)
        told = iter([_ratio(a, b) for a, b in zip(after, alone, strict=True)])
        return [p if isinstance(p, Failure) else next(told) if len(p.answer) > 1 else None for p in pairs]

    def _pair(self, loaded: Loaded, instruction: str, about: str | None, output: str) -> _Pair | Failure:
        shown = f"{instruction}\n{about}\n" if about else f"{instruction}\n"
        try:
            return fitted(whole(loaded, shown), whole(loaded, output), loaded.limit)
        except (TypeError, ValueError) as error:
            return Failure.of(error)


def fitted(asked: list[int], answer: list[int], limit: int) -> _Pair:
    """Both within `limit` tokens together: the end of the one, the beginning of the other."""
    answer = answer[: limit - min(len(asked), limit // 2)]
    return _Pair(asked[max(len(asked) - (limit - len(answer)), 0) :], answer)


def _ratio(after: list[float] | None, alone: list[float] | None) -> float | None:
    if not after or not alone:
        return None
    n = len(alone)
    difference = (math.fsum(after[-n:]) - math.fsum(alone)) / n
    return math.exp(max(min(difference, 700), -700))


class SuperfilteringFilter(ScoreRange, SuperfilteringSampleEvaluator):
    """Keep answers whose instruction-following difficulty (IFD) lies within a range.

    Both bounds are inclusive. An answer of fewer than two tokens has no score and is dropped.
    """

    leading: ClassVar[tuple[str, ...]] = ("min_score", "max_score", *_ORDER)

    min_score: float = 0.0
    max_score: float = 1.0
