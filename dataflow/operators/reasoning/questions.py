"""New questions out of known ones."""

from __future__ import annotations

import re
from random import Random
from typing import Any, ClassVar

import polars as pl
from pydantic import Field

from dataflow.core.asking import Ask, readable
from dataflow.core.errors import ReplyError
from dataflow.core.frames import ROW, as_text, values
from dataflow.core.outcome import Outcome, dropped
from dataflow.core.ports import Binding, In, Out
from dataflow.core.prompt import DIYPromptABC, Prompt, prompt_restrict
from dataflow.core.protocols import Scope
from dataflow.core.replies import clip
from dataflow.operators._lib.replies import bare
from dataflow.operators.reasoning._questions import AboutQuestion, about, takes
from dataflow.prompts.reasoning.diy import DiyQuestionSynthesisPrompt
from dataflow.prompts.reasoning.general import GeneralQuestionSynthesisPrompt
from dataflow.prompts.reasoning.math import MathQuestionSynthesisPrompt

CHANGES: tuple[str, ...] = ("1, 2, 3", "1, 2, 4", "1, 2, 5", "1, 4, 5", "1, 2, 3, 4, 5")
"""The combinations of changes, where the prompt has none of its own."""
_TAGS = re.compile(r"\A<(\w*question|\w*problem)>(.*?)(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_HEADING = re.compile(r"\A[#*\s]*new (?:problem|question)(?:[*\s]*[:：]|\**[ \t]*\n)[*\s]*", re.IGNORECASE)


@prompt_restrict(MathQuestionSynthesisPrompt, GeneralQuestionSynthesisPrompt, DiyQuestionSynthesisPrompt)
class ReasoningQuestionGenerator(AboutQuestion):
    """Add new questions after each question, made of it by changes: up to five model calls a row.

    Each question stays, flagged `input`; after it come the new ones, flagged `synth`, whose other columns are null: an
    answer of the old question is none of theirs. Which of five combinations of changes are asked for is drawn by `seed`
    and the row's id. With a prompt that takes no `items`, one question is made. Replies that are empty, or repeat a question or
    a part of the old one, are left out: where all do, the question stays alone; where none can be read, the row fails. A null or blank
    question is dropped.
    """

    fallback: ClassVar[Prompt] = MathQuestionSynthesisPrompt()
    leading: ClassVar[tuple[str, ...]] = ("num_prompts", "llm_serving", "prompt_template")

    num_prompts: int = Field(1, ge=1, le=len(CHANGES))
    """How many new questions are made of each."""
    prompt_template: (
        MathQuestionSynthesisPrompt
        | GeneralQuestionSynthesisPrompt
        | DiyQuestionSynthesisPrompt
        | DIYPromptABC
        | None
    ) = None
    """How it is asked, with `items` and `question`; for problems of mathematics where left out."""
    seed: int = 0
    """Changes which combinations are drawn."""

    input_key = In(doc="the question")
    output_synth_or_input_flag = Out("Synth_or_Input", "`input` or `synth`")
    output_key = Out(doc="where the new questions go: the column of questions", like="input_key")

    def slot_names(self, binding: Binding) -> set[str]:
        return {"items", "question"}

    async def apply(self, frame: pl.DataFrame, binding: Binding, scope: Scope) -> Outcome:
        return await super().apply(frame, binding, scope)  # its own: rows come with all their columns

    async def answer(self, ask: Ask, question: Any) -> list[str]:
        text = as_text(question)
        asked = [about(self.prompt, {"items": i, "question": text}) for i in self.items(ask.row)]
        found = await readable(ask.read(request, read_question) for request in asked)
        old = _plain(text)
        different = {old: text}
        for made in filter(None, found):
            if _plain(made) not in old:
                different.setdefault(_plain(made), made)
        return list(different.values())[1:]

    def items(self, row: str) -> list[str]:
        """The combinations of changes that are asked for in a row."""
        count = self.num_prompts if "items" in takes(self.prompt) else 1
        return Random(f"{self.seed}/{row}").sample(getattr(self.prompt, "changes", CHANGES), count)

    def finish(self, frame: pl.DataFrame, binding: Binding, results: list[Any]) -> Outcome:
        known = [i for i, made in enumerate(results) if made is not None]
        positions = [i for i in known for _ in range(1 + len(results[i]))]
        places = [n for i in known for n in range(1 + len(results[i]))]
        ids, old = frame[ROW].to_list(), values(frame[str(binding.first_read)])
        many = frame[positions]
        synth = pl.Series([n > 0 for n in places], dtype=pl.Boolean)
        given = [c for c in frame.columns if c != ROW]
        many = many.with_columns(pl.when(~synth).then(pl.col(c)).otherwise(None).alias(c) for c in given)
        rows = [f"{ids[i]}/{n}" for i, n in zip(positions, places, strict=True)]
        many = many.with_columns(pl.Series(ROW, rows, dtype=pl.String))
        cells = [
            ("synth", results[i][n - 1]) if n else ("input", old[i])
            for i, n in zip(positions, places, strict=True)
        ]
        done = Outcome(self.written(many, binding, cells))
        lost = [i for i, made in enumerate(results) if made is None]
        if lost:
            done.dropped = dropped(frame, lost, ["null"] * len(lost), binding.first_read)
        return done


def read_question(reply: str) -> str:
    """The question in a reply, without tags and heading.

    Raises:
        ReplyError: there is none.
    """
    text = _HEADING.sub("", bare(reply))
    tagged = _TAGS.match(text)
    question = _HEADING.sub("", (tagged.group(2) if tagged else text).strip()).strip()
    if not question:
        raise ReplyError(f"no question in the reply {clip(reply)}")
    return question


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
