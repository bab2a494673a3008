"""The pipeline of the kill trial: three dependent model steps, an expand, a filter and a dataset operator."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from dataflow.core import Dataset, Expand, Filter, In, Out
from dataflow.operators.core_text import PromptedGenerator
from dataflow.pipeline import PipelineABC
from dataflow.serving import APILLMServing
from dataflow.storage import FileStorage


class Twice(Expand):
    """Make two rows of each, with a number."""

    input_key = In("first")
    output_key = Out("half")

    def expand(self, text: str) -> Iterator[str]:
        return iter((f"{text} a", f"{text} b"))


class NotEndingInZero(Filter):
    """Keep texts whose last character is not 0."""

    input_key = In("second")

    def keep(self, text: str) -> bool:
        return not text.endswith("0")


class FirstOfEach(Dataset):
    """Keep the first row of each text; rows without one are dropped."""

    input_key = In("third")

    def select(self, texts: list[str | None]) -> Iterator[int]:
        seen: set[str] = set()
        for i, text in enumerate(texts):
            if text is not None and text not in seen:
                seen.add(text)
                yield i


class KillTrial(PipelineABC):
    """What is killed and run again."""

    def __init__(self, source: str, cache: str, url: str, temperature: float, workers: int) -> None:
        super().__init__()
        self.storage = FileStorage(source, cache_path=cache, file_name_prefix="trial", cache_type="jsonl")
        serving = APILLMServing(
            api_url=url, model_name="counting", temperature=temperature, max_workers=workers
        )
        self.first = PromptedGenerator(serving, system_prompt="one")
        self.twice = Twice()
        self.second = PromptedGenerator(serving, system_prompt="two")
        self.keep = NotEndingInZero()
        self.third = PromptedGenerator(serving, system_prompt="three")
        self.unique = FirstOfEach()

    def forward(self) -> None:
        self.first.run(self.storage.step(), input_key="text", output_key="first")
        self.twice.run(self.storage.step(), input_key="first", output_key="half")
        self.second.run(self.storage.step(), input_key="half", output_key="second")
        self.keep.run(self.storage.step(), input_key="second")
        self.third.run(self.storage.step(), input_key="second", output_key="third")
        self.unique.run(self.storage.step(), input_key="third")


def main() -> None:
    source, cache, url, temperature, workers = sys.argv[1:6]
    run = KillTrial(source, cache, url, float(temperature), int(workers)).run(progress=False)
    print(run.counts["calls"], Path(run.path or "").stat().st_size)


if __name__ == "__main__":
    main()
