"""Questions and answers about texts, checked against the texts, without repetitions."""

from __future__ import annotations

from typing import Any

from dataflow.operators.core_text import (
    AnswerOverlapFilter,
    EmbeddingDeduplicateFilter,
    GroundedAnswerSampleEvaluator,
    PassageQAGenerator,
    PassageSplitter,
    ScoreFilter,
    SelfContainedQuestionFilter,
)
from dataflow.pipeline import PipelineABC
from dataflow.serving import LocalEmbeddingServing, LocalLLMServing
from dataflow.storage import FileStorage


class PassageQAPipeline(PipelineABC):
    """Make instruction data from texts: split, ask, filter by rules, judge, filter by score, de-duplicate.

    Args:
        source: a file of texts; every format that `FileStorage` reads.
        llm_serving: the model that asks and judges; the built-in one where left out.
        embedding_serving: the model that finds questions alike; the built-in one where left out.
        text_key: the column with the texts.
        passages: passages taken of each text at most.
        min_score: the lowest score, of 1 to 5, with which an answer is kept.
        cache_path: where tables, journal and report go.
    """

    def __init__(
        self,
        source: str = "texts.jsonl",
        llm_serving: Any = None,
        embedding_serving: Any = None,
        *,
        text_key: str = "text",
        passages: int | None = None,
        min_score: float = 4,
        cache_path: str = "./cache",
    ) -> None:
        super().__init__()
        self.text_key = text_key
        self.storage = FileStorage(
            source, cache_path=cache_path, file_name_prefix="passage_qa", cache_type="jsonl"
        )
        llm = llm_serving if llm_serving is not None else LocalLLMServing(max_tokens=200)
        embedder = embedding_serving if embedding_serving is not None else LocalEmbeddingServing()
        self.split = PassageSplitter(max_chars=500, max_passages=passages)
        self.ask = PassageQAGenerator(llm)
        self.self_contained = SelfContainedQuestionFilter()
        self.overlap = AnswerOverlapFilter()
        self.judge = GroundedAnswerSampleEvaluator(llm)
        self.keep = ScoreFilter(min_score=min_score)
        self.unique = EmbeddingDeduplicateFilter(embedder, threshold=0.85)

    def forward(self) -> None:
        self.split.run(self.storage.step(), input_key=self.text_key, output_key="passage")
        self.ask.run(self.storage.step())
        self.self_contained.run(self.storage.step())
        self.overlap.run(self.storage.step())
        self.judge.run(self.storage.step())
        self.keep.run(self.storage.step(), input_key="score")
        self.unique.run(self.storage.step(), input_key="question")
