"""Answers that agree with their references, as a model judges."""

from __future__ import annotations

from typing import Any, ClassVar

import polars as pl

from dataflow.core.asking import Ask
from dataflow.core.frames import as_text
from dataflow.core.generate import Generate, build
from dataflow.core.outcome import Outcome
from dataflow.core.ports import Binding, In, Out
from dataflow.core.prompt import DIYPromptABC, Prompt, PromptABC, prompt_restrict
from dataflow.core.protocols import Request
from dataflow.core.replies import parse_verdict
from dataflow.operators.reasoning._questions import divided
from dataflow.prompts.model_evaluation.general import AnswerJudgePrompt, AnswerJudgePromptQuestion

_DEFAULT: Prompt = AnswerJudgePromptQuestion()
_VERDICTS: dict[bool | None, tuple[bool, str]] = {False: (False, "another answer"), True: (True, "")}


@prompt_restrict(AnswerJudgePrompt, AnswerJudgePromptQuestion)
class ReasoningAnswerModelJudgeFilter(Generate):
    """Keep the answers that a model finds to agree with the reference answer: one call a row.

    A blank answer does not agree, without a call. Of a row without a reference nothing can be told: its verdict is null,
    and it is dropped, unless it shall stay. With `keep_all_samples` every row stays, with its verdict. A failed call and a reply
    without a clear verdict fail the row.
    """

    leading: ClassVar[tuple[str, ...]] = (
        "system_prompt",
        "llm_serving",
        "prompt_template",
        "keep_all_samples",
    )
    accepts_none: ClassVar[bool] = True
    measured: ClassVar[str] = "agrees"

    system_prompt: str = "You compare answers with reference answers, strictly and without favour."
    """What the judge is told it is, where the prompt does not say."""
    prompt_template: AnswerJudgePrompt | AnswerJudgePromptQuestion | DIYPromptABC | None = None
    """What is asked, with `question`, `answer` and `reference_answer`; all three where left out."""
    keep_all_samples: bool = False
    """Whether rows stay whose answers do not agree."""
    keep_without_reference: bool = False
    """Whether rows stay that have no reference answer, such as synthesised questions."""

    input_question_key = In("question", "the question", type="any")
    input_answer_key = In("answer", "the answer", type="any")
    input_reference_key = In("reference_answer", "the right answer", type="any")
    output_key = Out("answer_match_result", "whether they agree; null without a reference", type="bool")

    @property
    def prompt(self) -> PromptABC:
        return self.prompt_template or _DEFAULT

    def slot_names(self, binding: Binding) -> set[str]:
        return {"question", "answer", "reference_answer"}

    def request(self, question: Any, answer: Any, reference: Any) -> Request:
        slots = {
            "question": "" if question is None else as_text(question),
            "answer": as_text(answer),
            "reference_answer": as_text(reference),
        }
        return build(self.prompt, slots, self.system_prompt)

    async def answer(self, ask: Ask, question: Any, answer: Any, reference: Any) -> bool | None:
        if reference is None or not as_text(reference).strip():
            return None
        if answer is None or not as_text(answer).strip():
            return False
        return await ask.read(self.request(question, answer, reference), parse_verdict)

    def finish(self, frame: pl.DataFrame, binding: Binding, results: list[Any]) -> Outcome:
        judged = self.written(frame, binding, results)
        done = Outcome(judged)
        if not self.keep_all_samples:
            verdicts = {**_VERDICTS, None: (self.keep_without_reference, "no reference")}
            done = divided(judged, binding, [verdicts[r] for r in results])
        told = [r for r in results if r is not None]
        done.measured = pl.DataFrame({"measure": told, "kept": told}, {"measure": pl.Boolean, "kept": pl.Boolean})  # fmt: skip
        return done
