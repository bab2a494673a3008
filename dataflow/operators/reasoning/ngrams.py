"""Answers that repeat themselves."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from pydantic import Field, model_validator

from dataflow.core.errors import ConfigError
from dataflow.core.frames import as_text
from dataflow.core.ports import In
from dataflow.core.rows import Filter, Verdict

_IDEOGRAPH = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_WORD = re.compile(r"\w+")


class ReasoningAnswerNgramFilter(Filter):
    """Keep questions with answers that do not repeat themselves, by the share of distinct n-grams.

    The share is that of distinct word n-grams among all, of question and answer together, 0 to 1; in texts with a Chinese
    character, of n-grams of letters, digits and ideographs. Case and punctuation make no difference. A text shorter than
    one n-gram repeats nothing: its share is 1. A row without a question or an answer is dropped.
    """

    measured: ClassVar[str] = "distinct n-grams"

    min_score: float = Field(0.1, ge=0, le=1)
    """Lowest share kept."""
    max_score: float = Field(1.0, ge=0, le=1)
    """Highest share kept."""
    ngrams: int = Field(5, ge=1)
    """How many words make an n-gram."""

    input_question_key = In("instruction", "the question", type="any")
    input_answer_key = In("generated_cot", "its answer", type="any")

    @model_validator(mode="after")
    def _ordered(self) -> ReasoningAnswerNgramFilter:
        if self.min_score > self.max_score:
            raise ConfigError(f"min_score={self.min_score} is above max_score={self.max_score}")
        return self

    def keep(self, question: Any, answer: Any) -> Verdict:
        score = distinct(f"{as_text(question)} {as_text(answer)}", self.ngrams)
        if score < self.min_score:
            return False, f"repetitive: {score:.3g}", score
        return score <= self.max_score, f"hardly repetitive: {score:.3g}", score

    def keeps(self, measure: Any) -> Any:
        return (measure >= self.min_score) & (measure <= self.max_score)


def distinct(text: str, n: int) -> float:
    """The share of distinct n-grams among those of a text; 1 where it has none."""
    folded = text.lower()
    units: Any = _WORD.findall(folded)
    if _IDEOGRAPH.search(folded):
        units = "".join(units)
    total = len(units) - n + 1
    if total < 1:
        return 1.0
    if n == 1 or isinstance(units, str):
        return len({units[i : i + n] if n > 1 else units[i] for i in range(total)}) / total
    return len(set(zip(*(units[i:] for i in range(n)), strict=False))) / total
