"""Five model steps in DataDesigner: runs inside its environment, and prints seconds and rows as JSON.

Its steps are columns, each written from the one before. The clock stops when the last batch of rows is on disk, so
that the statistics it draws up afterwards do not count.
"""

from __future__ import annotations

import json
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import data_designer.config as dd
import pandas as pd
from data_designer.interface import DataDesigner


def steps(source: str, url: str, workers: int, count: int) -> dict[str, float]:
    """Write a text column from the one before, `count` times."""
    table = pd.read_json(source, lines=True)
    builder = _columns(table, workers, count)
    designer = DataDesigner(
        artifact_path="artifacts",
        model_providers=[dd.ModelProvider(name="bench", endpoint=url, api_key="none")],
    )
    designer.set_run_config(dd.RunConfig(otel_metrics_port=None))
    batches: list[tuple[float, Path]] = []
    started = time.perf_counter()
    designer.create(
        builder,
        num_records=len(table),
        on_batch_complete=lambda path: batches.append((time.perf_counter(), path)),
    )
    written = sum(len(pd.read_parquet(path)) for _, path in batches)
    return {"seconds": batches[-1][0] - started, "rows": written}


def _columns(table: pd.DataFrame, workers: int, count: int) -> Any:
    settings = dd.ChatCompletionInferenceParams(max_parallel_requests=workers, temperature=0.0)
    model = dd.ModelConfig(alias="m", model="m", provider="bench", inference_parameters=settings)
    builder = dd.DataDesignerConfigBuilder(model_configs=[model])
    builder.with_seed_dataset(dd.DataFrameSeedSource(df=table))
    names = ["text", *(f"reply{i}" for i in range(1, count + 1))]
    for before, name in pairwise(names):
        prompt = f"Rewrite: {{{{ {before} }}}}"
        builder.add_column(dd.LLMTextColumnConfig(name=name, prompt=prompt, model_alias="m"))
    return builder


if __name__ == "__main__":
    print(json.dumps(steps(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
