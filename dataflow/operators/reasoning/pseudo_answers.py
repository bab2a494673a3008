"""Answers on which several solutions agree, for questions without a known one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import Field

from dataflow.core.asking import Ask, attempted
from dataflow.core.errors import CallError, ReplyError
from dataflow.core.frames import as_text
from dataflow.core.generate import Generate, build
from dataflow.core.outcome import Failure
from dataflow.core.ports import Binding, In, NoPort, Out
from dataflow.core.prompt import DIYPromptABC, PromptABC, prompt_restrict
from dataflow.core.protocols import Request
from dataflow.operators._lib.answers import compare_all, extract
from dataflow.prompts.reasoning.diy import DiyAnswerGeneratorPrompt
from dataflow.prompts.reasoning.general import GeneralAnswerGeneratorPrompt
from dataflow.prompts.reasoning.math import MathAnswerGeneratorPrompt


@dataclass(frozen=True)
class Vote:
    """The answers that won: their positions, their share of all samples, and whether others had as many votes."""

    winners: tuple[int, ...]
    agreement: float
    tied: bool


@prompt_restrict(MathAnswerGeneratorPrompt, GeneralAnswerGeneratorPrompt, DiyAnswerGeneratorPrompt)
class ReasoningPseudoAnswerGenerator(Generate):
    """Solve each question `max_times` times, a model call each, and take the answer most agree on.

    Answers that are equal as mathematics (`1/2`, `0.5`) are one answer; a solution without a final answer has no vote.
    Of answers with as many votes the one that came first wins, and `output_tied_key` tells of it. The serving must not
    work at temperature 0, else all solutions are the same. A row fails where no solution has an answer; a null question
    gives null. Self-consistency: arXiv 2203.11171.
    """

    fallback: ClassVar[PromptABC] = MathAnswerGeneratorPrompt()

    max_times: int = Field(3, ge=1)
    """Solutions of each question."""
    prompt_template: (
        MathAnswerGeneratorPrompt
        | GeneralAnswerGeneratorPrompt
        | DiyAnswerGeneratorPrompt
        | DIYPromptABC
        | None
    ) = None
    """How it is asked; for problems of mathematics where left out."""

    output_key = NoPort()  # type: ignore[assignment]
    input_key = In("instruction", "the question")
    output_key_answer = Out(
        "pseudo_answers", "the answers of all solutions, null for one without", type="json"
    )
    output_key_answer_value = Out("pseudo_answer_value", "the answer that won, as its first solution has it")
    output_key_solutions = Out("pseudo_solutions", "the solutions that came to it", type="json")
    output_key_correct_solution_example = Out("pseudo_correct_solution_example", "the first of them")
    output_agreement_key = Out(
        doc="the share of solutions that came to it, 0 to 1", type="float", optional=True
    )
    output_tied_key = Out(doc="whether another answer had as many votes", type="bool", optional=True)

    @property
    def prompt(self) -> PromptABC:
        return self.fallback if self.prompt_template is None else self.prompt_template

    def slot_names(self, binding: Binding) -> set[str]:
        return {"question"}

    def request(self, question: Any) -> Request:
        return build(self.prompt, {"question": as_text(question)})

    async def answer(self, ask: Ask, question: Any) -> tuple[Any, ...]:
        request = self.request(question)
        replies = await asyncio.gather(*(attempted(ask(request)) for _ in range(self.max_times)))
        solutions = [r for r in replies if not isinstance(r, Failure)]
        if not solutions:
            raise CallError(next(r.error for r in replies if isinstance(r, Failure)))
        found = [a.text if (a := extract(s)) else None for s in solutions]
        made = await asyncio.to_thread(vote, found)
        if made is None:
            raise ReplyError(f"none of {len(solutions)} solutions has an answer")
        chosen = [solutions[i] for i in made.winners]
        share = len(made.winners) / self.max_times
        return found, found[made.winners[0]], chosen, chosen[0], share, made.tied


def vote(answers: Sequence[str | None]) -> Vote | None:
    """The largest group of equal answers, the first of several such; null where there is no answer."""
    groups: list[list[int]] = []
    rest = [i for i, answer in enumerate(answers) if answer is not None]
    while rest:
        first, *others = rest
        pairs = [(answers[first] or "", answers[i] or "") for i in others]
        equal = {i for i, made in zip(others, compare_all(pairs), strict=True) if made.equal}
        groups.append([first, *(i for i in others if i in equal)])
        rest = [i for i in others if i not in equal]
    if not groups:
        return None
    most = max(map(len, groups))
    largest = [g for g in groups if len(g) == most]
    return Vote(tuple(largest[0]), most / len(answers), len(largest) > 1)
