"""Solutions of questions."""

from __future__ import annotations

from typing import ClassVar

from dataflow.core.errors import ReplyError
from dataflow.core.ports import In, Out
from dataflow.core.prompt import DIYPromptABC, Prompt, prompt_restrict
from dataflow.operators.reasoning._questions import AboutQuestion
from dataflow.prompts.reasoning.diy import DiyAnswerGeneratorPrompt
from dataflow.prompts.reasoning.general import GeneralAnswerGeneratorPrompt
from dataflow.prompts.reasoning.math import MathAnswerGeneratorPrompt


@prompt_restrict(MathAnswerGeneratorPrompt, GeneralAnswerGeneratorPrompt, DiyAnswerGeneratorPrompt)
class ReasoningAnswerGenerator(AboutQuestion):
    """Solve each question step by step, with the answer in a box: one model call a row.

    The reply is kept as it came, with a thinking model's thoughts; an empty one fails its row. A null or blank question
    gives null without a call.
    """

    fallback: ClassVar[Prompt] = MathAnswerGeneratorPrompt()

    prompt_template: (
        MathAnswerGeneratorPrompt
        | GeneralAnswerGeneratorPrompt
        | DiyAnswerGeneratorPrompt
        | DIYPromptABC
        | None
    ) = None
    """How it is asked; for problems of mathematics where left out."""

    input_key = In("instruction", "the question")
    output_key = Out("generated_cot", "the solution")

    def parse(self, reply: str) -> str:
        if not reply.strip():
            raise ReplyError("the reply is empty")
        return reply
