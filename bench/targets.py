"""What a wanted number of rows costs: source rows begun for `target_rows`, where a judge accepts a third of them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from dataflow.operators.core_text import PromptedFilter
from dataflow.pipeline import PipelineABC
from dataflow.serving import APILLMServing
from dataflow.storage import FileStorage
from dataflow.testing.server import ServerProcess

ROWS = 10_000


class Filtered(PipelineABC):
    """Rows that a judge keeps where it gives a 5."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__()
        source = folder / "in.jsonl"
        source.write_text("".join(json.dumps({"text": f"text {i}"}) + "\n" for i in range(ROWS)))
        self.storage = FileStorage(str(source), cache_path=str(folder), file_name_prefix="filtered")
        self.judge = PromptedFilter(APILLMServing(url, model_name="m", max_workers=32), min_score=5)

    def forward(self) -> None:
        self.judge.run(self.storage.step(), input_key="text", output_key="score")


def measure() -> Iterator[str]:
    """A line a target."""
    for target in (50, 500, 2000):
        with (
            ServerProcess(reply=["1", "2", "5"], latency_s=0.005) as server,
            tempfile.TemporaryDirectory() as folder,
        ):
            run = Filtered(Path(folder), server.url).run(progress=False, target_rows=target)
            begun, calls = run.summary["candidates"], server.stats()["calls"]
            last = run.lineage.filter(pl.col("fate") == "kept")["source_row"].cast(pl.Int64).max()
            needed = int(str(last)) + 1
            again = Filtered(Path(folder), server.url).run(progress=False, target_rows=target)
            repeated = server.stats()["calls"] - calls
        yield (
            f"target_rows={target}: {run.rows:,} rows of {begun:,} begun, {calls:,} calls; the last row wanted "
            f"is number {needed:,}, so {begun / needed - 1:.0%} too many; run again: {again.rows:,} rows, {repeated} calls"
        )
