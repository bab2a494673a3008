"""The fields that questions belong to."""

from __future__ import annotations

from typing import ClassVar, Literal

from dataflow.core.errors import ReplyError
from dataflow.core.ports import In, Out
from dataflow.core.prompt import Prompt
from dataflow.core.replies import clip
from dataflow.operators._lib.replies import read_object
from dataflow.operators.reasoning._categories import CategoryUtils
from dataflow.operators.reasoning._questions import AboutQuestion
from dataflow.prompts.reasoning._question import QuestionCategory
from dataflow.prompts.reasoning.general import GeneralQuestionCategoryPrompt
from dataflow.prompts.reasoning.math import MathQuestionCategoryPrompt
from dataflow.prompts.reasoning.taxonomy import general_taxonomy

_PROMPTS: dict[str, Prompt] = {
    "math": MathQuestionCategoryPrompt(),
    "general": GeneralQuestionCategoryPrompt(),
}


class ReasoningQuestionCategorySampleEvaluator(AboutQuestion):
    """Put each question into a field of mathematics, or of knowledge: one model call a row.

    The labels that the model gives are taken for the most similar names of the taxonomy (rapidfuzz, at least 80 of 100), or
    by their numbers. A field that is like none fails the row; a part that is like none of its field is null, and so is
    what is written for a null or blank question.
    """

    extras: ClassVar[tuple[str, ...]] = ("math",)

    taxonomy: Literal["math", "general"] = "math"
    """The fields to choose from: seven of mathematics, or ten of knowledge in general."""

    input_key = In("instruction", "the question")
    output_key = Out("question_category", "both names, as `field / part`")
    output_primary_key = Out("primary_category", "the field")
    output_secondary_key = Out("secondary_category", "the part of the field")

    fallback: ClassVar[Prompt] = _PROMPTS["math"]

    @property
    def prompt(self) -> Prompt:
        return _PROMPTS[self.taxonomy]

    def parse(self, reply: str) -> tuple[str, str, str | None]:
        told = read_object(reply, QuestionCategory)
        names = CategoryUtils(general_taxonomy() if self.taxonomy == "general" else None)
        primary, secondary = names.normalize_categories(told.primary_category, told.secondary_category)
        if not primary:
            raise ReplyError(f"no field of the taxonomy in the reply {clip(reply)}")
        return " / ".join(filter(None, (primary, secondary))), primary, secondary or None
