"""How good answers are, by models of what people prefer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from dataflow.core.errors import ConfigError
from dataflow.core.outcome import Failure
from dataflow.core.ports import In, Out
from dataflow.operators._lib.score_range import ScoreRange
from dataflow.operators._lib.scoring.asking import label_scores
from dataflow.operators._lib.scoring.held import Loaded
from dataflow.operators._lib.scoring.operator import ModelScore

_ORDER = ("device", "model_cache_dir")


class RewardSampleEvaluator(ModelScore):
    """Score how good each answer is for its instruction, by any reward model with a single output.

    Instruction and answer are put to the model as a pair, or with its chat template as two turns. The raw output is
    given: it has no fixed scale, and higher is better. Of a pair that is too long the longer text is cut.
    """

    leading: ClassVar[tuple[str, ...]] = ("model_name", *_ORDER)

    chat: bool = False
    """Whether the model reads turns in its chat template, rather than a pair of texts."""

    input_instruction_key = In("instruction", "the instruction")
    input_output_key = In("output", "the answer")
    output_key = Out("RewardScore", "the reward", type="float")

    def scores(self, loaded: Loaded, rows: list[tuple[Any, ...]]) -> Sequence[Any]:
        shown = [self._turns(loaded, *row) for row in rows] if self.chat else rows
        outputs = label_scores(loaded, self.tokens(loaded, shown), self.batch_tokens)
        return [o if o is None or isinstance(o, Failure) else self._single(o) for o in outputs]

    def _turns(self, loaded: Loaded, instruction: str, output: str) -> str:
        turns = [{"role": "user", "content": instruction}, {"role": "assistant", "content": output}]
        text = str(loaded.tokenizer.apply_chat_template(turns, tokenize=False))
        return text.removeprefix(loaded.tokenizer.bos_token or "")  # the tokenizer puts it there again

    def _single(self, outputs: list[float]) -> float:
        if len(outputs) != 1:
            raise ConfigError(f"{self.named()!r} has {len(outputs)} outputs, where a reward model has one")
        return outputs[0]


class RMSampleEvaluator(RewardSampleEvaluator):
    """Score how good each answer is for its instruction, by OpenAssistant's reward model.

    The raw output of DeBERTa v3: it has no fixed scale, and higher is better.
    """

    leading: ClassVar[tuple[str, ...]] = _ORDER

    model_name: str = "OpenAssistant/reward-model-deberta-v3-large-v2"

    output_key = Out("RMScore", "the reward", type="float")


class RMFilter(ScoreRange, RMSampleEvaluator):
    """Keep good answers to their instruction, by OpenAssistant's reward model.

    Both bounds are inclusive. Rewards have no fixed scale; look at some before choosing bounds.
    """

    leading: ClassVar[tuple[str, ...]] = ("min_score", "max_score", *_ORDER)

    min_score: float = 0.0
    max_score: float = 10_000.0
