"""A pipeline that works in batches."""

from dataflow.operators.core_text import PromptedGenerator
from dataflow.pipeline import BatchedPipelineABC, StreamBatchedPipelineABC
from dataflow.serving import APILLMServing_request
from dataflow.utils.storage import BatchedFileStorage, StreamBatchedFileStorage


class Steps:
    def build(self, storage):
        self.storage = storage
        self.llm_serving = APILLMServing_request(
            api_url="http://127.0.0.1:8000/v1/chat/completions", model_name="gpt-4o", max_workers=30
        )
        self.op1 = PromptedGenerator(llm_serving=self.llm_serving, system_prompt="Please translate.")
        self.op2 = PromptedGenerator(llm_serving=self.llm_serving, system_prompt="Please shorten.")

    def forward(self):
        self.op1.run(self.storage.step(), input_key="raw_content", output_key="content_1")
        self.op2.run(self.storage.step(), input_key="content_1", output_key="content_2")


class Batched(Steps, BatchedPipelineABC):
    def __init__(self):
        super().__init__()
        self.build(
            BatchedFileStorage(
                first_entry_file_name="./input.jsonl",
                cache_path="./cache",
                file_name_prefix="batched",
                cache_type="jsonl",
            )
        )


class StreamBatched(Steps, StreamBatchedPipelineABC):
    def __init__(self):
        super().__init__()
        self.build(
            StreamBatchedFileStorage(
                first_entry_file_name="./input.jsonl",
                cache_path="./cache",
                file_name_prefix="stream",
                cache_type="csv",
            )
        )


if __name__ == "__main__":
    for pipeline in (Batched(), StreamBatched()):
        pipeline.compile()
        pipeline.forward(batch_size=2, resume_from_last=False)
        pipeline.forward(batch_size=3, resume_from_last=True)
        pipeline.forward(resume_step=1, batch_size=2)
