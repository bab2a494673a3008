"""New problems out of two."""

from __future__ import annotations

import re
from random import Random
from typing import Any, ClassVar

import polars as pl
from pydantic import Field

from dataflow.core.asking import Ask, together
from dataflow.core.errors import ReplyError
from dataflow.core.frames import as_text, series
from dataflow.core.generate import Generate, build
from dataflow.core.outcome import Outcome
from dataflow.core.ports import Binding, In, Out
from dataflow.core.prompt import DIYPromptABC, Prompt, PromptABC, prompt_restrict
from dataflow.core.protocols import Request
from dataflow.core.replies import clip, without_thinking
from dataflow.prompts.reasoning.math import (
    MathQuestionConditionFusionGeneratorPrompt,
    MathQuestionParallelFusionGeneratorPrompt,
    MathQuestionSequentialFusionGeneratorPrompt,
)

_HEADING = re.compile(
    r"^[ \t*#]*new problem[ \t*#]*(?:[:：][ \t*#]*|(?<=[*#])[ \t]*$)", re.IGNORECASE | re.MULTILINE
)
"""The heading with a colon, or marked as one and alone on its line."""
_SETTINGS = (
    "money and trade",
    "travel and motion",
    "building and gardening",
    "sports and games",
    "cooking and food",
    "measurements in a laboratory",
    "work and machines",
    "a school or a library",
)


@prompt_restrict(
    MathQuestionParallelFusionGeneratorPrompt,
    MathQuestionSequentialFusionGeneratorPrompt,
    MathQuestionConditionFusionGeneratorPrompt,
)
class ReasoningQuestionFusionGenerator(Generate):
    """Make new problems out of two in each row: `num_prompts` model calls a row, made at once.

    The prompt says how they are put together (MathFusion, arXiv 2503.16212): one after the other, blended, or compared.
    The columns written are `<output_key>_question_0` and so on, with the text after the heading `#New Problem#`; a reply without
    it, or with one of the two problems again, fails the row. From the second on each is asked for in another setting, drawn by `seed` and the row's id. Where one
    of the two problems is null, null is written.
    """

    leading: ClassVar[tuple[str, ...]] = ("num_prompts", "llm_serving", "prompt_template")

    num_prompts: int = Field(1, ge=1, le=1 + len(_SETTINGS))
    """How many problems are made of each two."""
    prompt_template: (
        MathQuestionParallelFusionGeneratorPrompt
        | MathQuestionSequentialFusionGeneratorPrompt
        | MathQuestionConditionFusionGeneratorPrompt
        | DIYPromptABC
        | None
    ) = None
    """How the two are put together, with `input_question_1` and `input_question_2`; blended where left out."""
    seed: int = 0
    """Changes which settings are drawn."""

    input_problem_1 = In(doc="a problem")
    input_problem_2 = In(doc="another problem")
    output_key = Out(doc="how the names of the columns with the new problems begin")

    @property
    def prompt(self) -> PromptABC:
        return self.prompt_template or _DEFAULT

    def slot_names(self, binding: Binding) -> set[str]:
        return {"input_question_1", "input_question_2"}

    def bind(self, **keys: Any) -> Binding:
        binding = super().bind(**keys)
        prefix = binding.writes["output_key"]
        named = {f"output_question_{i}": f"{prefix}_question_{i}" for i in range(self.num_prompts)}
        return Binding(binding.reads, named, binding.args)

    def request(self, first: Any, second: Any) -> Request:
        return build(self.prompt, {"input_question_1": as_text(first), "input_question_2": as_text(second)})

    async def answer(self, ask: Ask, first: Any, second: Any) -> list[str]:
        plain = self.request(first, second)
        drawn = Random(f"{self.seed}/{ask.row}").sample(_SETTINGS, self.num_prompts - 1)
        further = [_elsewhere(plain, setting) for setting in drawn]
        given = [_words(as_text(first)), _words(as_text(second))]

        def read(reply: str) -> str:
            made = self.parse(reply)
            if _words(made) in given:
                raise ReplyError(f"no new problem, but one of the two again: {clip(made)}")
            return made

        return await together(*(ask.read(request, read) for request in [plain, *further]))

    def parse(self, reply: str) -> str:
        parts = _HEADING.split(without_thinking(reply))
        problem = parts[-1].strip()
        if len(parts) < 2 or not problem:
            raise ReplyError(f"no `#New Problem#` in the reply {clip(reply)}")
        return problem

    def finish(self, frame: pl.DataFrame, binding: Binding, results: list[Any]) -> Outcome:
        columns = [
            series(name, [None if r is None else r[i] for r in results], pl.String())
            for i, name in enumerate(binding.writes.values())
        ]
        return Outcome(frame.with_columns(columns))


_DEFAULT: Prompt = MathQuestionParallelFusionGeneratorPrompt()


def _words(text: str) -> str:
    """A text as it is compared: without case and spaces."""
    return " ".join(text.casefold().split())


def _elsewhere(request: Request, setting: str) -> Request:
    """The same request, for a problem that plays in a given setting."""
    *before, last = request.messages
    told = f"{last['content']}\nThe new problem is about {setting}."
    return Request((*before, {**last, "content": told}), request.schema)
