"""Operators of the user's own: with and without super().__init__(), keeping their keys as attributes."""

import pandas as pd

from dataflow import get_logger
from dataflow.core import LLMServingABC, OperatorABC
from dataflow.pipeline import PipelineABC
from dataflow.serving import APILLMServing_request
from dataflow.utils.registry import OPERATOR_REGISTRY
from dataflow.utils.storage import DataFlowStorage, FileStorage


@OPERATOR_REGISTRY.register()
class CompatLanguageGenerator(OperatorABC):
    def __init__(self, llm_serving: LLMServingABC, system_prompt: str = "You are a helpful agent."):
        self.logger = get_logger()
        self.llm_serving = llm_serving
        self.system_prompt = system_prompt

    @staticmethod
    def get_desc(lang: str = "zh"):
        return "Names the language." if lang == "en" else "识别语言。"

    def _validate_dataframe(self, dataframe: pd.DataFrame):
        missing = [k for k in [self.input_key] if k not in dataframe.columns]
        if missing:
            raise ValueError(f"Missing required column(s): {missing}")

    def run(self, storage: DataFlowStorage, input_key: str = "raw_content", output_key: str = "language"):
        self.input_key, self.output_key = input_key, output_key
        dataframe = storage.read("dataframe")
        self._validate_dataframe(dataframe)
        self.logger.info(f"Loading, number of rows: {len(dataframe)}")
        user_inputs = [row.get(input_key, "") for _, row in dataframe.iterrows()]
        dataframe[output_key] = self.llm_serving.generate_from_input(
            user_inputs=user_inputs, system_prompt=self.system_prompt
        )
        output_file = storage.write(dataframe)
        self.logger.success(f"Saved to {output_file}")
        return [output_key]


@OPERATOR_REGISTRY.register()
class CompatLengthFilter(OperatorABC):
    def __init__(self, min_len: int = 1):
        super().__init__()
        self.min_len = min_len

    def run(self, storage: DataFlowStorage, input_key: str, output_key: str = "length"):
        dataframe = storage.read("dataframe")
        dataframe[output_key] = dataframe[input_key].str.len()
        dataframe = dataframe[dataframe[output_key] >= self.min_len]
        self.logger.info(f"{len(dataframe)} rows left")
        storage.write(dataframe)
        return [output_key]


class CustomPipeline(PipelineABC):
    def __init__(self, prefix: str):
        super().__init__()
        self.storage = FileStorage(
            first_entry_file_name="./input.jsonl",
            cache_path="./cache",
            file_name_prefix=prefix,
            cache_type="jsonl",
        )
        self.llm_serving = APILLMServing_request(
            api_url="http://127.0.0.1:8000/v1/chat/completions", model_name="gpt-4o", max_workers=2
        )
        self.language = OPERATOR_REGISTRY.get("CompatLanguageGenerator")(llm_serving=self.llm_serving)
        self.length = CompatLengthFilter(min_len=6)

    def forward(self):
        self.language.run(self.storage.step(), input_key="raw_content", output_key="language")
        self.length.run(self.storage.step(), input_key="raw_content")


if __name__ == "__main__":
    eager = CustomPipeline("eager")
    eager.forward()
    compiled = CustomPipeline("compiled")
    compiled.compile()
    compiled.forward()
