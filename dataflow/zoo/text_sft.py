"""Instruction data out of nothing but topics."""

from __future__ import annotations

from typing import Any

from dataflow.operators.text_sft import AlpagasusFilter, CondorGenerator, CondorRefiner
from dataflow.pipeline import PipelineABC
from dataflow.serving import APILLMServing
from dataflow.storage import FileStorage


class TextSFTSynthesis_APIPipeline(PipelineABC):  # noqa: N801  # the name that published pipelines use
    """Make up questions of three levels on many topics, answer them, improve the answers, keep the good ones.

    Args:
        llm_serving: the model that asks, answers, reviews and rates; `gpt-4o-mini` where left out.
        num_samples: how many questions are made up.
        min_score: the lowest rating, of 0 to 5, with which an answer is kept.
        seed: changes which themes are drawn.
        cache_path: where tables, journal and report go.
    """

    def __init__(
        self,
        llm_serving: Any = None,
        *,
        num_samples: int = 15,
        min_score: float = 3,
        seed: int = 0,
        cache_path: str = "./cache",
    ) -> None:
        super().__init__()
        self.storage = FileStorage("", cache_path=cache_path, file_name_prefix="text_sft", cache_type="jsonl")
        self.llm_serving = llm_serving or APILLMServing(model_name="gpt-4o-mini", max_workers=32)
        self.generate = CondorGenerator(self.llm_serving, num_samples, seed=seed)
        self.refine = CondorRefiner(self.llm_serving)
        self.keep = AlpagasusFilter(min_score, 5, llm_serving=self.llm_serving)

    def forward(self) -> None:
        self.generate.run(self.storage.step())
        self.refine.run(self.storage.step(), input_instruction_key="instruction", input_output_key="output")
        self.keep.run(self.storage.step(), input_instruction_key="instruction", input_output_key="output")
