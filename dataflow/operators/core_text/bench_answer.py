"""Answering the questions of benchmarks."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import polars as pl

from dataflow.core.asking import Ask
from dataflow.core.frames import as_text
from dataflow.core.generate import Generate, build
from dataflow.core.outcome import Outcome
from dataflow.core.ports import Binding, In, Out
from dataflow.core.prompt import DIYPromptABC, PromptABC, prompt_restrict
from dataflow.core.protocols import LLMServing, Request, Scope
from dataflow.operators._lib.choices import as_list, lettered
from dataflow.prompts.core_text import BenchAnswerPrompt, FormatStrPrompt

EvalType = Literal[
    "key1_text_score", "key2_qa", "key2_q_ma", "key3_q_choices_a", "key3_q_choices_as", "key3_q_a_rejected"
]
SLOTS = frozenset({"eval_type", "question", "context", "choices", "choices_text"})


@prompt_restrict(FormatStrPrompt)
class BenchAnswerGenerator(Generate):
    """Answer the questions of a benchmark: one model call a row.

    `UnifiedBenchDatasetEvaluator` then scores the answers. They are made for `key2_qa`, `key2_q_ma` and `key3_q_choices_as`; the other types are scored by
    likelihood and get a null column without a call, unless `force_generate` asks for answers to all but
    `key1_text_score`. A column that is already there stays as it is, unless `allow_overwrite`. A template of
    the user's own may use `{question}`, `{context}`, `{choices_text}` (lettered, one a line), `{choices}` and
    `{eval_type}`; what a row does not have is left empty. A null question, or null choices where there must be
    some, gives null.
    """

    leading: ClassVar[tuple[str, ...]] = ("eval_type",)

    eval_type: EvalType = "key2_qa"
    """What the benchmark asks for and is scored by."""
    llm_serving: LLMServing | None = None  # type: ignore[assignment]  # none is needed where nothing is generated
    """The model that is put to the test."""
    prompt_template: FormatStrPrompt | DIYPromptABC | None = None
    """How a question is put."""
    system_prompt: str = "You are a helpful assistant specialized in generating answers to questions."
    """What the model is told it is and does."""
    allow_overwrite: bool = False
    """Whether an answer column that is already there is written anew."""
    force_generate: bool = False
    """Whether answers are also made for the types that are scored by likelihood."""

    input_text_key = In(doc="a text to be scored", optional=True)
    input_question_key = In(doc="the question", type="any", optional=True)
    input_target_key = In(doc="its answer", type="any", optional=True)
    input_targets_key = In(doc="its answers, any of which is right", type="any", optional=True)
    input_choices_key = In(doc="the list of choices", type="any", optional=True)
    input_label_key = In(doc="the right choice", type="any", optional=True)
    input_labels_key = In(doc="the right choices", type="any", optional=True)
    input_better_key = In(doc="the preferred answer", type="any", optional=True)
    input_rejected_key = In(doc="the rejected answer", type="any", optional=True)
    input_context_key = In(doc="what the question is about", type="any", optional=True)
    output_key = Out("generated_ans", "the reply")

    @property
    def prompt(self) -> PromptABC:
        return self.prompt_template or BenchAnswerPrompt(self.eval_type)

    def generates(self) -> bool:
        """Whether rows of this type are answered at all."""
        if self.eval_type == "key1_text_score":
            return False
        return self.force_generate or self.eval_type in ("key2_qa", "key2_q_ma", "key3_q_choices_as")

    def slot_names(self, binding: Binding) -> set[str]:
        return set(SLOTS)

    def check(self, binding: Binding) -> Any:
        yield from super().check(binding)
        if not self.generates():
            return
        if self.llm_serving is None:
            yield "llm_serving", " is needed"
        for key in self._needed():
            if binding.reads[key] is None:
                yield key, f" is needed with eval_type={self.eval_type!r}"

    def _needed(self) -> tuple[str, ...]:
        chooses = self.eval_type.startswith("key3_q_choices")
        return ("input_question_key", "input_choices_key") if chooses else ("input_question_key",)

    def skips(self, row: tuple[Any, ...]) -> bool:
        cells = dict(zip(self.inputs, row, strict=True))
        return any(cells[key] is None for key in self._needed())

    async def apply(self, frame: pl.DataFrame, binding: Binding, scope: Scope) -> Outcome:
        there = binding.writes["output_key"] in frame.columns
        if there and not self.allow_overwrite:
            return Outcome(frame)
        if not self.generates():
            return Outcome(frame if there else self.written(frame, binding, [None] * frame.height))
        return await super().apply(frame, binding, scope)

    def request(self, *row: Any) -> Request:
        cells = dict(zip(self.inputs, row, strict=True))
        choices = as_list(cells["input_choices_key"])
        slots: dict[str, Any] = {
            "eval_type": self.eval_type,
            "question": as_text(cells["input_question_key"]),
            "context": context_text(cells["input_context_key"]),
            "choices": choices if isinstance(self.prompt, DIYPromptABC) else as_text(choices),
            "choices_text": lettered(choices),
        }
        return build(self.prompt, {"need_fields": set(slots), **slots}, self.system_prompt)

    async def answer(self, ask: Ask, *row: Any) -> str:
        return await ask(self.request(*row))


def context_text(cell: Any) -> str:
    """A context as text: a list is its parts, one a line."""
    if isinstance(cell, list):
        return "\n".join(as_text(part) for part in cell if part is not None)
    return "" if cell is None else as_text(cell)
