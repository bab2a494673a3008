"""The answers of two models to the same questions, and which is better: preference data."""

from __future__ import annotations

from typing import Any

from dataflow.operators.core_text import (
    FormatStrPromptedGenerator,
    PairwisePreferenceGenerator,
    PassageQAGenerator,
    PassageSplitter,
    SelfContainedQuestionFilter,
)
from dataflow.pipeline import PipelineABC
from dataflow.prompts.core_text import FormatStrPrompt
from dataflow.serving import LocalLLMServing
from dataflow.storage import FileStorage

ANSWER = "<passage>\n{passage}\n</passage>\nAnswer from the passage, in one sentence: {question}"


class ModelComparisonPipeline(PipelineABC):
    """Ask questions about texts, let two models answer them in branches, merge, and judge pairwise.

    Args:
        source: a file of texts; every format that `FileStorage` reads.
        llm_serving: the model that asks, answers and judges; the built-in one where left out.
        other_serving: the model that answers too; the smallest built-in one where left out.
        text_key: the column with the texts.
        passages: passages taken of each text at most.
        cache_path: where tables, journal and report go.
    """

    def __init__(
        self,
        source: str = "texts.jsonl",
        llm_serving: Any = None,
        other_serving: Any = None,
        *,
        text_key: str = "text",
        passages: int | None = None,
        cache_path: str = "./cache",
    ) -> None:
        super().__init__()
        self.text_key = text_key
        self.storage = FileStorage(
            source, cache_path=cache_path, file_name_prefix="model_comparison", cache_type="jsonl"
        )
        llm = llm_serving if llm_serving is not None else LocalLLMServing(max_tokens=200)
        other = other_serving
        if other is None:
            other = LocalLLMServing("smollm2-135m-instruct", max_tokens=200)
        self.split = PassageSplitter(max_chars=500, max_passages=passages)
        self.ask = PassageQAGenerator(llm)
        self.self_contained = SelfContainedQuestionFilter()
        self.answer = FormatStrPromptedGenerator(llm, prompt_template=FormatStrPrompt(ANSWER))
        self.answer_too = FormatStrPromptedGenerator(other, prompt_template=FormatStrPrompt(ANSWER))
        self.compare = PairwisePreferenceGenerator(llm)

    def forward(self) -> None:
        self.split.run(self.storage.step(), input_key=self.text_key, output_key="passage")
        self.ask.run(self.storage.step())
        self.self_contained.run(self.storage.step())

        first, second = self.storage.branch("first"), self.storage.branch("second")
        columns = {"passage": "passage", "question": "question", "output_key": "reply"}
        self.answer.run(first.step(), **columns)
        self.answer_too.run(second.step(), **columns)

        self.storage.merge(first, second)
        self.compare.run(self.storage.step(), input_first_key="reply_first", input_second_key="reply_second")
