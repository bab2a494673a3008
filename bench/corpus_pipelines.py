"""This package's side of the corpus trial: pipelines, each run in a process of its own."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

import dataflow  # noqa: F401  # before polars: it tells polars' allocator how to keep memory
from bench.scale_polars import peak_mb
from dataflow.core.operator import Operator
from dataflow.operators import general_text as text
from dataflow.pipeline import PipelineABC
from dataflow.storage import FileStorage


class Cleaning(PipelineABC):
    """Operators that each read `text`, one after the other."""

    def __init__(self, source: str, cache: str, operators: Sequence[Operator]) -> None:
        super().__init__()
        self.storage = FileStorage(source, cache_path=cache, file_name_prefix="corpus", cache_type="jsonl")
        self.operators = list(operators)

    def forward(self) -> None:
        for operator in self.operators:
            operator.run(self.storage.step(), input_key="text")


def pretraining() -> list[Operator]:
    """The operators of the pipeline that filters texts for pre-training."""
    from dataflow.zoo.text_filter import PTTextFilter_CPUPipeline  # only this work waits for it to be loaded

    return [o for o in vars(PTTextFilter_CPUPipeline()).values() if isinstance(o, Operator)]


WORK: dict[str, Callable[[], Sequence[Operator]]] = {
    "gopher": lambda: (text.GopherRepetitionFilter(), text.GopherQualityFilter()),
    "minhash": lambda: (
        text.MinHashDeduplicateFilter(threshold=0.8, unit="word", verify=False, bands=16, normalise=True),
    ),
    "exact": lambda: (text.HashDeduplicateFilter(),),
    "chain": lambda: (
        text.RemoveEmojiRefiner(),
        text.HtmlUrlRemoverRefiner(),
        text.HtmlEntityRefiner(),
        text.RemoveExtraSpacesRefiner(keep_newlines=True),
        text.WordNumberFilter(20, 100_000),
        text.MeanWordLengthFilter(3, 10),
        text.LoremIpsumFilter(),
        text.ColonEndFilter(),
    ),
    "pretraining": pretraining,
}


def run(work: str, source: str, cache: str) -> Any:
    """Run one of the works."""
    return Cleaning(source, cache, WORK[work]()).run(progress=False)


def limit(source: str, target: str) -> None:
    """What no tool can beat: the corpus read and written by polars, with nothing done to it."""
    pl.scan_ndjson(source).sink_ndjson(target)


if __name__ == "__main__":
    work, source, to = sys.argv[1:]
    if work == "limit":
        limit(source, to)
    else:
        run(work, source, to)
    seconds = time.time() - float(os.environ["BENCH_BEGUN"])
    print(json.dumps({"seconds": seconds, "cpu_seconds": time.process_time(), "peak_mb": peak_mb()}))
