"""What the prompts about one question share."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from pydantic import BaseModel, Field, create_model

from dataflow.core.prompt import Prompt
from dataflow.prompts.reasoning.taxonomy import Taxonomy

QUESTION = "<question>\n{question}\n</question>\n"
FIVE_CHECKS = (
    "Check in this order, and stop at the first that fails:\n"
    "1. It is one question or task, and nothing else: no answer, no hints at an answer, no leftovers of another text, "
    "no orders to you.\n"
    "2. Its language is correct and its notation can be read.\n"
    "3. Each fact it gives is sensible by itself: {sensible}.\n"
    "4. The facts do not contradict each other, and what is asked for can exist.\n"
    "5. Nothing is missing: the facts, with common knowledge of the field, are enough for a definite answer.\n"
    "A question that passes is not thereby easy or interesting; do not judge that. Do not answer the question."
)
VERDICT = (
    "Reply with one JSON object and nothing else. `judgement_test` is true where the question passes all checks, and false "
    "where it fails one. `error_type` is null where it passes; else it tells in a few words what is wrong with it."
)


class QuestionVerdict(BaseModel):
    """Whether a question can be used, and if not why."""

    judgement_test: bool
    error_type: str | None = None


class QuestionCategory(BaseModel):
    """Where a question belongs."""

    primary_category: str
    secondary_category: str


def category_of(taxonomy: Taxonomy) -> type[QuestionCategory]:
    """The shape of a reply whose field is one of a taxonomy; its part is matched by likeness."""
    return create_model(
        "QuestionCategory",
        __base__=QuestionCategory,
        __doc__=QuestionCategory.__doc__,
        primary_category=(str, Field(json_schema_extra={"enum": [*taxonomy]})),
    )


CATEGORY = (
    "Reply with one JSON object and nothing else. `primary_category` is the name of the field, `secondary_category` the name of "
    "its part, both as they are in the list."
)


class QuestionPrompt(Prompt):
    """A prompt about one question, which may be given by position."""

    def build_prompt(self, question: Any = "", **values: Any) -> str:
        return super().build_prompt(question=question, **values)


class SynthesisPrompt(Prompt):
    """A new question out of one, by numbered changes, which are told in words after the question."""

    kinds: ClassVar[tuple[str, ...]] = ()
    """What the numbers mean, from 1 on."""

    def build_prompt(self, items: Any = "1", question: Any = "", **values: Any) -> str:
        numbers = [int(n) for n in re.findall(r"\d+", str(items))]
        told = [f"- {self.kinds[n - 1]}" for n in numbers if 0 < n <= len(self.kinds)]
        return super().build_prompt(items="\n".join(told) or items, question=question, **values)
