"""open-dataflow at the same work: runs inside its environment, and prints seconds and rows as JSON.

Its serving package imports every back end at once, torch and transformers among them. Only the module of the HTTP
serving is imported here, so that those need not be installed; what is measured is its code as published.
"""

from __future__ import annotations

import json
import sys
import time
import types
from pathlib import Path

import pandas as pd

import dataflow

_serving = types.ModuleType("dataflow.serving")
_serving.__path__ = [str(Path(dataflow.__path__[0], "serving"))]
sys.modules["dataflow.serving"] = _serving

from dataflow.serving.api_llm_serving_request import APILLMServing_request  # noqa: E402

from dataflow.operators.core_text import GeneralFilter, PandasOperator, PromptedGenerator  # noqa: E402
from dataflow.utils.storage import FileStorage  # noqa: E402


def steps(source: str, url: str, workers: int, count: int) -> dict[str, float]:
    """Write a column from the one before, `count` times, with a refiner and a filter after each."""
    started = time.perf_counter()
    storage = FileStorage(source, cache_path="cache", file_name_prefix="chain", cache_type="jsonl")
    serving = APILLMServing_request(api_url=url, model_name="m", max_workers=workers)
    before = "text"
    for i in range(1, count + 1):
        name = f"reply{i}"
        PromptedGenerator(serving, system_prompt=f"step {i}").run(
            storage.step(), input_key=before, output_key=name
        )
        PandasOperator([lambda df, c=name: df.assign(**{c: df[c].str.strip()})]).run(storage.step())
        GeneralFilter([lambda df, c=name: df[c].str.len() > 0]).run(storage.step())
        before = name
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "rows": len(storage.step().read("dataframe"))}


def table(source: str, repeats: int) -> dict[str, float]:
    """Read a file as a first step does, write its table, and read that as the next step does; the fastest time."""
    took = []
    for _ in range(repeats):
        started = time.perf_counter()
        storage = FileStorage(source, cache_path="cache", file_name_prefix="table", cache_type="jsonl")
        first = storage.step()
        first.write(first.read("dataframe"))
        frame: pd.DataFrame = storage.step().read("dataframe")
        took.append(time.perf_counter() - started)
    return {"seconds": min(took), "rows": len(frame)}


def main() -> None:
    work, source, *rest = sys.argv[1:]
    if work == "steps":
        url, workers, count = rest
        print(json.dumps(steps(source, url, int(workers), int(count))))
    else:
        print(json.dumps(table(source, int(rest[0]))))


if __name__ == "__main__":
    main()
