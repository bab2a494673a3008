"""Pre-training texts told again as questions and answers."""

from __future__ import annotations

from typing import Any

from dataflow.operators.core_text import PassageSplitter
from dataflow.operators.text_pt import Phi4QAGenerator
from dataflow.pipeline import PipelineABC
from dataflow.serving import APILLMServing
from dataflow.storage import FileStorage
from dataflow.zoo._examples import TEXTS


class PTTextSynthesis_APIPipeline(PipelineABC):  # noqa: N801  # named as the other published pipelines
    """Cut texts into passages, and tell each again as questions and answers.

    Args:
        llm_serving: the model that asks and answers; `gpt-4o-mini` where left out.
        max_chars: the longest passage, in characters.
        source: a table with the column `text`.
        cache_path: where tables, journal and report go.
    """

    def __init__(
        self,
        llm_serving: Any = None,
        *,
        max_chars: int = 2000,
        source: str = TEXTS,
        cache_path: str = "./cache",
    ) -> None:
        super().__init__()
        self.storage = FileStorage(
            source, cache_path=cache_path, file_name_prefix="text_pt", cache_type="jsonl"
        )
        self.llm_serving = llm_serving or APILLMServing(model_name="gpt-4o-mini", max_workers=32)
        self.split = PassageSplitter(max_chars=max_chars)
        self.tell = Phi4QAGenerator(self.llm_serving)

    def forward(self) -> None:
        self.split.run(self.storage.step(), input_key="text", output_key="raw_content")
        self.tell.run(self.storage.step(), input_key="raw_content", output_key="generated_content")
