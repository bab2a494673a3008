"""Whether questions can be answered at all."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from dataflow.core.errors import ReplyError
from dataflow.core.outcome import Outcome
from dataflow.core.ports import Binding, In, Out
from dataflow.core.prompt import DIYPromptABC, Prompt, prompt_restrict
from dataflow.core.replies import clip, parse_verdict, without_thinking
from dataflow.operators.reasoning._questions import AboutQuestion, divided
from dataflow.prompts.reasoning.math import MathQuestionEvaluatorPrompt

_JUDGEMENT = re.compile(r"judge?ment[\s#*]*[:：][\s#*\"'`]*(true|false)\b", re.IGNORECASE)
_EXPLANATION = re.compile(
    r"explanation[\s#*]*[:：][ \t#*]*(.+?)(?=\n[\s#*]*judge?ment\b|\Z)", re.IGNORECASE | re.DOTALL
)


@prompt_restrict(MathQuestionEvaluatorPrompt)
class ReasoningQuestionSolvableSampleEvaluator(AboutQuestion):
    """Judge whether each question is complete and can be answered: one model call a row.

    The verdict is what stands after the last `Judgement`, else the only verdict word of the reply; one without a clear
    verdict fails the row. A null or blank question gives null.
    """

    fallback: ClassVar[Prompt] = MathQuestionEvaluatorPrompt()
    slot: ClassVar[str] = "input_question"

    prompt_template: MathQuestionEvaluatorPrompt | DIYPromptABC | None = None
    """How it is asked, with `input_question`."""

    input_key = In(doc="the question")
    output_key = Out(doc="whether it can be answered", type="bool")
    output_reason_key = Out(doc="why; written where it is named", optional=True)

    def parse(self, reply: str) -> tuple[bool, str | None]:
        said = without_thinking(reply)
        if not said:
            raise ReplyError(f"no verdict in the reply {clip(reply)}")
        found = _JUDGEMENT.findall(said)
        told = list(_EXPLANATION.finditer(said))
        verdict = found[-1].lower() == "true" if found else parse_verdict(said)
        return verdict, told[-1].group(1).strip() if told else None


class ReasoningQuestionSolvableFilter(ReasoningQuestionSolvableSampleEvaluator):
    """Keep the questions that are complete and can be answered, as a model judges: one call a row.

    The reason of a dropped row tells what the model found. A null or blank question is dropped; a reply without a clear
    verdict fails its row instead of dropping it.
    """

    input_key = In(doc="the question")
    output_key = Out(doc="the verdict, true on every kept row; written where it is named", type="bool", optional=True)  # fmt: skip
    output_reason_key = Out(doc="why; written where it is named", optional=True)

    def finish(self, frame: Any, binding: Binding, results: list[Any]) -> Outcome:
        verdicts = [
            None if r is None else (r[0], f"not solvable: {r[1]}" if r[1] else "not solvable")
            for r in results
        ]
        return divided(self.written(frame, binding, results), binding, verdicts)
