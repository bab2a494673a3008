"""Questions that are worth answering."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from dataflow.core.errors import ReplyError
from dataflow.core.outcome import Outcome
from dataflow.core.ports import Binding, In, NoPort
from dataflow.core.prompt import DIYPromptABC, Prompt, prompt_restrict
from dataflow.core.replies import parse_verdict, without_thinking
from dataflow.operators._lib.replies import read_object
from dataflow.operators.reasoning._questions import AboutQuestion, Verdict, divided
from dataflow.prompts.reasoning._question import QuestionVerdict
from dataflow.prompts.reasoning.diy import DiyQuestionFilterPrompt
from dataflow.prompts.reasoning.general import GeneralQuestionFilterPrompt
from dataflow.prompts.reasoning.math import MathQuestionFilterPrompt

_VERDICT = re.compile(r"\{[^{}]*judgement_test[^{}]*\}", re.IGNORECASE)
_KEY = "judgement_test"


@prompt_restrict(MathQuestionFilterPrompt, GeneralQuestionFilterPrompt, DiyQuestionFilterPrompt)
class ReasoningQuestionFilter(AboutQuestion):
    """Keep the questions that a model finds sound in five respects: one call a row.

    The last JSON object with `judgement_test` decides, since a chain of thought may quote the form; without any, the only
    verdict word of the reply. The reason of a dropped row is the `error_type`. A null or blank question is dropped without
    a call; a failed call and a reply without a clear verdict fail the row instead of dropping it.
    """

    fallback: ClassVar[Prompt] = MathQuestionFilterPrompt()
    leading: ClassVar[tuple[str, ...]] = ("system_prompt", "llm_serving", "prompt_template")

    system_prompt: str = "You are a helpful assistant."
    """What the model is told it is, where the prompt does not say."""
    prompt_template: (
        MathQuestionFilterPrompt | GeneralQuestionFilterPrompt | DiyQuestionFilterPrompt | DIYPromptABC | None
    ) = None
    """What is examined, and how it is asked; problems of mathematics where left out."""

    input_key = In("math_problem", "the question")
    output_key = NoPort()  # type: ignore[assignment]

    def parse(self, reply: str) -> Verdict:
        found = _VERDICT.findall(without_thinking(reply))
        try:
            told = read_object(found[-1] if found else reply, QuestionVerdict)
        except ReplyError:
            return parse_verdict(found[-1] if found else reply, _KEY), "not sound"
        return told.judgement_test, f"not sound: {told.error_type}" if told.error_type else "not sound"

    def finish(self, frame: Any, binding: Binding, results: list[Any]) -> Outcome:
        return divided(frame, binding, results)
