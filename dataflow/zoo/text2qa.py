"""Graded questions and answers out of texts that cover a collection."""

from __future__ import annotations

from typing import Any

from dataflow.operators.core_text import KCenterGreedyFilter, Text2QAGenerator, Text2QASampleEvaluator
from dataflow.pipeline import PipelineABC
from dataflow.serving import APILLMServing, LocalEmbeddingServing
from dataflow.storage import FileStorage
from dataflow.zoo._examples import TEXTS


class Text2QA_APIPipeline(PipelineABC):  # noqa: N801  # the name that published pipelines use
    """Draw questions and answers out of the texts that best cover a collection, and grade them.

    Args:
        llm_serving: the model that asks, answers and grades; `gpt-4o-mini` where left out.
        embedding_serving: the model that tells which texts are alike; the built-in one where left out.
        num_samples: how many texts are asked about.
        question_num: most questions a text.
        source: a table with the column `text`.
        cache_path: where tables, journal and report go.
    """

    def __init__(
        self,
        llm_serving: Any = None,
        embedding_serving: Any = None,
        *,
        num_samples: int = 5,
        question_num: int = 3,
        source: str = TEXTS,
        cache_path: str = "./cache",
    ) -> None:
        super().__init__()
        self.question_num = question_num
        self.storage = FileStorage(
            source, cache_path=cache_path, file_name_prefix="text2qa", cache_type="jsonl"
        )
        self.llm_serving = llm_serving or APILLMServing(model_name="gpt-4o-mini", max_workers=32)
        self.embedding_serving = embedding_serving or LocalEmbeddingServing()
        self.select = KCenterGreedyFilter(num_samples, self.embedding_serving)
        self.ask = Text2QAGenerator(self.llm_serving)
        self.grade = Text2QASampleEvaluator(self.llm_serving)

    def forward(self) -> None:
        self.select.run(self.storage.step(), input_key="text")
        self.ask.run(self.storage.step(), input_key="text", input_question_num=self.question_num)
        self.grade.run(self.storage.step())
