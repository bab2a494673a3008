"""A plain class with a forward, as most scripts of open-dataflow 1.x are."""

from dataflow.operators.core_text import PromptedGenerator, PromptedRefiner
from dataflow.serving import APILLMServing_request
from dataflow.utils.storage import FileStorage


class GPT_generator:
    def __init__(self):
        self.storage = FileStorage(
            first_entry_file_name="./input.jsonl",
            cache_path="./cache",
            file_name_prefix="translation",
            cache_type="jsonl",
        )
        self.model_cache_dir = "./dataflow_cache"
        self.llm_serving = APILLMServing_request(
            api_url="http://127.0.0.1:8000/v1/chat/completions",
            model_name="gpt-4o",
            max_workers=2,
        )
        self.prompt_generator = PromptedGenerator(
            llm_serving=self.llm_serving,
            system_prompt="Please translate to Chinese.",
        )
        self.refiner = PromptedRefiner(llm_serving=self.llm_serving, system_prompt="Shorten it.")

    def forward(self):
        self.prompt_generator.run(
            storage=self.storage.step(),
            input_key="raw_content",
            output_key="translated",
        )
        self.refiner.run(storage=self.storage.step(), input_key="translated")


if __name__ == "__main__":
    model = GPT_generator()
    model.forward()
