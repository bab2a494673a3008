"""The pipelines of the overlap trial; run as a program, one of them, which prints its seconds as JSON."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable

import polars as pl

from dataflow.core import Filter, Map
from dataflow.operators.core_text import PromptedGenerator
from dataflow.pipeline import PipelineABC
from dataflow.serving import APILLMServing
from dataflow.storage import FileStorage


class Tidy(Map):
    """Strip a text of the space around it."""

    def expr(self, text: pl.Expr) -> pl.Expr:
        return text.str.strip_chars()


class NotEmpty(Filter):
    """Keep texts that have characters."""

    def expr(self, text: pl.Expr) -> pl.Expr:
        return text.str.len_chars() > 0


class Chain(PipelineABC):
    """Model steps that each need the one before, with a refiner and a filter after each."""

    def __init__(self, source: str, cache: str, url: str, workers: int, count: int) -> None:
        super().__init__()
        self.storage = FileStorage(source, cache_path=cache, file_name_prefix="chain", cache_type="jsonl")
        self.serving = APILLMServing(api_url=url, model_name="m", max_workers=workers)
        self.asks = [PromptedGenerator(self.serving, system_prompt=f"step {i + 1}") for i in range(count)]
        self.tidy, self.keep = Tidy(), NotEmpty()

    def forward(self) -> None:
        before = "text"
        for i, ask in enumerate(self.asks, 1):
            name = f"reply{i}"
            ask.run(self.storage.step(), input_key=before, output_key=name)
            self.tidy.run(self.storage.step(), input_key=name, output_key=name)
            self.keep.run(self.storage.step(), input_key=name)
            before = name


class Judges(PipelineABC):
    """Model steps that all read the same column, and none of which needs another."""

    def __init__(self, source: str, cache: str, url: str, workers: int, count: int) -> None:
        super().__init__()
        self.storage = FileStorage(source, cache_path=cache, file_name_prefix="judges", cache_type="jsonl")
        self.serving = APILLMServing(api_url=url, model_name="m", max_workers=workers)
        self.judges = [PromptedGenerator(self.serving, system_prompt=f"judge {i + 1}") for i in range(count)]

    def forward(self) -> None:
        for i, judge in enumerate(self.judges, 1):
            judge.run(self.storage.step(), input_key="text", output_key=f"verdict{i}")


def compiled(pipeline: PipelineABC) -> int:
    """Run a pipeline streamed, and count the rows that came out."""
    return pipeline.run(progress=False).rows


def eager(pipeline: Chain | Judges) -> int:
    """Run a pipeline step by step over the whole table, and count the rows that came out."""
    pipeline.forward()
    return int(pipeline.storage.step().frame().height)


def timed(make: Callable[[str], Chain | Judges], drive: Callable[..., int]) -> dict[str, float]:
    """Seconds from making the pipeline to its table being on disk, and the rows of that table."""
    with tempfile.TemporaryDirectory() as cache:
        started = time.perf_counter()
        rows = drive(make(cache))
        return {"seconds": time.perf_counter() - started, "rows": rows}


def main() -> None:
    kind, mode, source, url, workers, count, repeats = sys.argv[1:]
    pipeline = Chain if kind == "chain" else Judges
    drive = {"compiled": compiled, "eager": eager}[mode]
    sys.stdout.write(
        json.dumps(
            [
                timed(lambda cache: pipeline(source, cache, url, int(workers), int(count)), drive)
                for _ in range(int(repeats))
            ]
        )
    )


if __name__ == "__main__":
    main()
