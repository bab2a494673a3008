"""Questions that link several facts of a text."""

from __future__ import annotations

from typing import Any

from dataflow.operators.core_text import PassageSplitter, Text2MultiHopQAGenerator
from dataflow.pipeline import PipelineABC
from dataflow.serving import APILLMServing
from dataflow.storage import FileStorage
from dataflow.zoo._examples import TEXTS


class Text2MultiHopQA_APIPipeline(PipelineABC):  # noqa: N801  # named as the other published pipelines
    """Cut texts into chunks, and draw questions out of each that take several of its facts to answer.

    Args:
        llm_serving: the model that asks and answers; `gpt-4o-mini` where left out.
        num_q: most questions a chunk.
        max_chars: the longest chunk, in characters.
        lang: the language of the texts: `en`, or `zh` for Chinese.
        source: a table with the column `text`.
        cache_path: where tables, journal and report go.
    """

    def __init__(
        self,
        llm_serving: Any = None,
        *,
        num_q: int = 5,
        max_chars: int = 2000,
        lang: str = "en",
        source: str = TEXTS,
        cache_path: str = "./cache",
    ) -> None:
        super().__init__()
        self.storage = FileStorage(
            source, cache_path=cache_path, file_name_prefix="multi_hop_qa", cache_type="jsonl"
        )
        self.llm_serving = llm_serving or APILLMServing(model_name="gpt-4o-mini", max_workers=32)
        self.split = PassageSplitter(max_chars=max_chars)
        self.ask = Text2MultiHopQAGenerator(self.llm_serving, lang=lang, num_q=num_q)

    def forward(self) -> None:
        self.split.run(self.storage.step(), input_key="text", output_key="cleaned_chunk")
        self.ask.run(self.storage.step(), input_key="cleaned_chunk")
