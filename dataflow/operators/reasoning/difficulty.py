"""How difficult questions are."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from dataflow.core.errors import ReplyError
from dataflow.core.generate import Judge
from dataflow.core.ports import In, Out
from dataflow.core.prompt import DIYPromptABC, Prompt, prompt_restrict
from dataflow.core.replies import clip, parse_score, without_thinking
from dataflow.operators.reasoning._questions import AboutQuestion
from dataflow.prompts.reasoning.general import GeneralQuestionDifficultyPrompt
from dataflow.prompts.reasoning.math import MathQuestionDifficultyPrompt

_RATING = re.compile(r"\brating\b", re.IGNORECASE)


@prompt_restrict(MathQuestionDifficultyPrompt, GeneralQuestionDifficultyPrompt)
class ReasoningQuestionDifficultySampleEvaluator(AboutQuestion, Judge):
    """Rate how difficult each question is, from 1 to 10: one model call a row.

    The rating is the number after the last word `Rating`, in bold type or not; a reply without one from 1 to 10 fails the
    row. A null or blank question gives null.
    """

    fallback: ClassVar[Prompt] = MathQuestionDifficultyPrompt()
    measured: ClassVar[str] = "difficulty"
    scale: ClassVar[tuple[float, float]] = (1, 10)

    prompt_template: MathQuestionDifficultyPrompt | GeneralQuestionDifficultyPrompt | DIYPromptABC | None = (
        None
    )
    """The scale, and how it is asked; that of problems of mathematics where left out."""

    input_key = In(doc="the question")
    output_key = Out("difficulty_score", "the rating, 1 to 10", type="float")

    def parse(self, reply: str) -> Any:
        said = without_thinking(reply)
        found = list(_RATING.finditer(said))
        if not found:
            raise ReplyError(f"no rating in the reply {clip(reply)}")
        return float(parse_score(said[found[-1].start() :], *self.scale, whole=False))
