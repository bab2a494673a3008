"""Prompts of the user's own, and an operator that only takes some."""

import pandas as pd

from dataflow.core import LLMServingABC, OperatorABC
from dataflow.core.prompt import DIYPromptABC, PromptABC, prompt_restrict
from dataflow.serving import APILLMServing_request
from dataflow.utils.registry import OPERATOR_REGISTRY, PROMPT_REGISTRY
from dataflow.utils.storage import DataFlowStorage, FileStorage


@PROMPT_REGISTRY.register()
class CompatAskPrompt(PromptABC):
    def __init__(self):
        pass

    def build_prompt(self, text: str) -> str:
        return f"Ask about: {text}"


class PolitePrompt(DIYPromptABC):
    def __init__(self, word: str):
        self.word = word

    def build_prompt(self, text: str) -> str:
        return f"{self.word}, {text}"


@prompt_restrict(CompatAskPrompt)
@OPERATOR_REGISTRY.register()
class CompatAskGenerator(OperatorABC):
    def __init__(
        self, llm_serving: LLMServingABC, prompt_template: CompatAskPrompt | DIYPromptABC | None = None
    ):
        self.llm_serving = llm_serving
        self.prompt_template = prompt_template or CompatAskPrompt()

    def run(self, storage: DataFlowStorage, input_key: str = "raw_content", output_key: str = "asked"):
        dataframe: pd.DataFrame = storage.read("dataframe")
        prompts = [self.prompt_template.build_prompt(t) for t in dataframe[input_key]]
        dataframe[output_key] = self.llm_serving.generate_from_input(prompts)
        storage.write(dataframe)
        return output_key


class WrongPrompt(PromptABC):
    def build_prompt(self, text: str) -> str:
        return text


if __name__ == "__main__":
    storage = FileStorage("./input.jsonl", "./cache", "own", "jsonl")
    llm = APILLMServing_request(api_url="http://127.0.0.1:8000/v1/chat/completions", model_name="gpt-4o")
    CompatAskGenerator(llm).run(storage.step())
    CompatAskGenerator(llm, PolitePrompt("Please")).run(storage.step(), output_key="polite")
    try:
        CompatAskGenerator(llm, prompt_template=WrongPrompt())
    except TypeError as error:
        refused = str(error)
