"""Compile, run, and resume from a step."""

from dataflow.operators.core_text import PromptedFilter, PromptedGenerator
from dataflow.pipeline.Pipeline import PipelineABC
from dataflow.serving import APILLMServing_request
from dataflow.utils.storage import FileStorage


class AutoOPPipeline(PipelineABC):
    def __init__(self):
        super().__init__()
        self.storage = FileStorage(
            first_entry_file_name="./input.jsonl",
            cache_path="./cache_autoop",
            file_name_prefix="dataflow_cache_auto_run",
            cache_type="jsonl",
        )
        self.llm_serving = APILLMServing_request(
            api_url="http://127.0.0.1:8000/v1/chat/completions", model_name="gpt-4o", max_workers=30
        )
        self.op1 = PromptedGenerator(llm_serving=self.llm_serving, system_prompt="Please translate.")
        self.op2 = PromptedGenerator(llm_serving=self.llm_serving, system_prompt="Please shorten.")
        self.op3 = PromptedFilter(llm_serving=self.llm_serving, system_prompt="Score it.", min_score=1)

    def forward(self):
        self.op1.run(self.storage.step(), input_key="raw_content", output_key="content_1")
        self.op2.run(self.storage.step(), input_key="content_1", output_key="content_2")
        self.op3.run(self.storage.step(), input_key="content_2", output_key="content_3")


if __name__ == "__main__":
    pipeline = AutoOPPipeline()
    pipeline.compile()
    pipeline.forward()
    pipeline.forward(resume_step=1)
    pipeline.forward(resume_step=2)
