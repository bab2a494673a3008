"""How many intentions instructions have, by InsTagger."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from dataflow.core.errors import ReplyError
from dataflow.core.outcome import Failure
from dataflow.core.ports import In, Out
from dataflow.core.replies import parse_json
from dataflow.core.rows import attempt
from dataflow.operators._lib.score_range import ScoreRange
from dataflow.operators._lib.scoring.batching import Tokens, padded, scored
from dataflow.operators._lib.scoring.grades import asked
from dataflow.operators._lib.scoring.held import Loaded
from dataflow.operators._lib.scoring.operator import ModelScore

_ORDER = (
    "model_cache_dir", "device", "max_new_tokens", "temperature", "do_sample", "num_return_sequences", "return_dict_in_generate",
)  # fmt: skip


class InstagSampleEvaluator(ModelScore):
    """Count the intentions of each instruction, as tags that InsTagger gives it.

    The model writes a JSON list of tags; a single one counts 1. A reply that cannot be read fails the row. An instruction that is
    too long is cut at its end. Lu et al. 2023, arXiv 2308.07074.
    """

    architecture: ClassVar[str] = "causal"
    leading: ClassVar[tuple[str, ...]] = _ORDER

    max_new_tokens: int = Field(1024, ge=1)
    """The longest reply, in tokens."""
    temperature: float = Field(0, ge=0)
    """How freely tags are drawn, with `do_sample`; 0 takes the likeliest."""
    do_sample: bool = False
    """Whether replies are drawn, one row at a time, rather than the likeliest taken."""
    num_return_sequences: int = Field(1, ge=1, le=1)
    """Replies a row: the score is that of one."""
    return_dict_in_generate: bool = True
    """Has no effect."""
    model_name: str = "OFA-Sys/InsTagger"
    seed: int = 0
    """Draws the replies, with `do_sample`."""
    input_format: str = (
        "Name the intentions of the user's request as short tags, and explain each. Reply with a JSON list of objects "
        'with "tag" and "explanation".\n<request>\n{instruction}\n</request>\nTags: '
    )
    """What the model is shown. A tagger works best in the form that it was trained on, which its model card tells."""

    input_instruction_key = In("instruction", "the instruction")
    output_key = Out("InstagScore", "the number of tags", type="float")

    def scores(self, loaded: Loaded, rows: list[tuple[Any, ...]]) -> Sequence[Any]:
        room = max(loaded.limit - self.max_new_tokens, loaded.limit // 2)
        reader = Loaded(loaded.tokenizer, loaded.network, loaded.device, room, loaded.pad)
        found = [
            attempt(lambda text: asked(reader, self.input_format, {"instruction": text}), row) for row in rows
        ]
        budget = 1 if self._draws else self.batch_tokens
        replies = scored(loaded, found, budget, lambda batch: self._replies(loaded, batch))
        return [r if isinstance(r, Failure) else attempt(number_of_tags, (r,)) for r in replies]

    @property
    def _draws(self) -> bool:
        return self.do_sample and self.temperature > 0

    def _replies(self, loaded: Loaded, batch: list[Tokens]) -> list[str]:
        import torch

        inputs = padded(loaded, batch, left=True)
        width = inputs["input_ids"].shape[1]
        room = max(min(self.max_new_tokens, loaded.limit - width), 1)
        how: dict[str, Any] = {"do_sample": self._draws, "max_new_tokens": room, "pad_token_id": loaded.pad}
        if self._draws:
            how["temperature"] = self.temperature
        with torch.random.fork_rng(devices=_cuda(loaded)):
            if self._draws:
                torch.manual_seed(_seed_of(self.seed, batch[0].ids))
            made = loaded.network.generate(**inputs, **how)
        return list(loaded.tokenizer.batch_decode(made[:, width:], skip_special_tokens=True))


def _cuda(loaded: Loaded) -> list[Any]:
    """The accelerator whose random state must be as it was afterwards."""
    return [loaded.device] if loaded.device.startswith("cuda") else []


def _seed_of(seed: int, ids: list[int]) -> int:
    """A seed that hangs on the text alone, so that the batch does not matter."""
    return int.from_bytes(hashlib.blake2b(repr((seed, ids)).encode(), digest_size=7).digest(), "big")


def number_of_tags(reply: str) -> float:
    """How many tags a reply lists.

    Raises:
        ReplyError: It lists none.
    """
    found = parse_json(reply)
    if isinstance(found, dict):
        return 1.0
    tags = [t for t in found if t]
    if len(tags) != len(found):
        raise ReplyError(f"an empty tag in the reply {reply[:80]!r}")
    return float(len(tags))


class InstagFilter(ScoreRange, InstagSampleEvaluator):
    """Keep instructions with several intentions, counted as tags that InsTagger gives them.

    Both bounds are inclusive. A reply that cannot be read fails the row.
    """

    leading: ClassVar[tuple[str, ...]] = (
        "min_score",
        "max_score",
        "model_cache_dir",
        "device",
        "max_new_tokens",
    )

    min_score: float = 2.0
    max_score: float = 10_000.0
