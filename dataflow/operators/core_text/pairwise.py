"""Two answers to one question, compared by a model in both orders: preference data."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from dataflow.core.asking import Ask, together
from dataflow.core.errors import ReplyError
from dataflow.core.generate import Generate
from dataflow.core.ports import In, Out
from dataflow.core.prompt import Prompt
from dataflow.core.replies import clip, without_thinking
from dataflow.prompts.pairwise import PairwisePreferencePrompt

_VERDICT = re.compile(r"\b(?:answer[\s_]*)?(A|B|tie)\b", re.IGNORECASE)


class PairwisePreferenceGenerator(Generate):
    """Choose the better of two answers: two model calls a row, one for each order.

    An answer is preferred only if it is in both orders: models favour the one that they read first (Zheng et al.,
    arXiv 2306.05685). Else it is a tie, and nothing is chosen. Two equal answers are a tie without a call.
    """

    default_prompt: ClassVar[Prompt] = PairwisePreferencePrompt()
    input_question_key = In("question", "what both answer")
    input_first_key = In("first", "one answer")
    input_second_key = In("second", "the other answer")
    output_preference_key = Out("preference", "`first`, `second` or `tie`")
    output_chosen_key = Out("chosen", "the better answer; null for a tie")
    output_rejected_key = Out("rejected", "the other one; null for a tie")

    async def answer(self, ask: Ask, question: str, first: str, second: str) -> Any:
        if first.strip() == second.strip():
            return "tie", None, None
        straight, turned = await together(
            ask.read(self.request(question, first, second), self.parse),
            ask.read(self.request(question, second, first), self.parse),
        )
        if {straight, turned} != {"A", "B"}:
            return "tie", None, None
        return ("first", first, second) if straight == "A" else ("second", second, first)

    def parse(self, reply: str) -> str:
        """`A`, `B` or `TIE`: the first that is named."""
        found = _VERDICT.search(without_thinking(reply))
        if found is None:
            raise ReplyError(f"neither A nor B nor tie in the reply {clip(reply)}")
        return found.group(1).upper()
