"""What the optimiser saves: calls, where a cheap filter follows model steps it does not depend on, and waiting, where
model steps do not depend on each other. The tables are those of a run without it.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from dataflow.core import Filter, In
from dataflow.operators.core_text import PromptedEvaluator
from dataflow.pipeline import PipelineABC
from dataflow.runtime.runs import Run
from dataflow.serving import APILLMServing
from dataflow.storage import FileStorage
from dataflow.testing.server import ServerProcess

ROWS, KEPT, LATENCY_S, WORKERS, REPEATS = 50, 0.25, 0.2, 200, 5


class Share(Filter):
    """Keep one row in so many, by its number."""

    every: int = 4
    input_key = In("number", type="int")

    def keep(self, number: int) -> bool:
        return number % self.every == 0


class Judged(PipelineABC):
    """So many judges of one text, and a filter that reads none of them."""

    def __init__(self, folder: Path, url: str, judges: int, *, filtered: bool) -> None:
        super().__init__()
        source = folder.with_suffix(".jsonl")
        rows = ({"text": f"text {i}", "number": i, "notes": "n" * 200} for i in range(ROWS))
        source.write_text("".join(json.dumps(r) + "\n" for r in rows))
        self.storage = FileStorage(str(source), cache_path=str(folder), file_name_prefix="judged")
        llm = APILLMServing(url, model_name="m", max_workers=WORKERS)
        self.judges = [PromptedEvaluator(llm, system_prompt=f"Judge number {i}.") for i in range(judges)]
        self.share = Share(every=round(1 / KEPT)) if filtered else None

    def forward(self) -> None:
        for number, judge in enumerate(self.judges):
            judge.run(self.storage.step(), input_key="text", output_key=f"score_{number}")
        if self.share is not None:
            self.share.run(self.storage.step(), input_key="number")


def once(folder: Path, url: str, judges: int, *, filtered: bool, optimise: bool) -> tuple[Run, float]:
    """A run, and how long it took."""
    pipeline = Judged(folder, url, judges, filtered=filtered)
    pipeline.compile(optimise=optimise)
    started = time.perf_counter()
    return pipeline.run(progress=False), time.perf_counter() - started


def table(run: Run) -> bytes:
    assert run.path is not None
    return run.path.read_bytes()


def filtered_calls() -> dict[str, Any]:
    """The calls with and without the optimiser, and whether the tables are the same."""
    with ServerProcess(reply=["1", "3", "5"]) as server, tempfile.TemporaryDirectory() as folder:
        plain, _ = once(Path(folder, "plain"), server.url, 2, filtered=True, optimise=False)
        before = server.stats()["calls"]
        best, _ = once(Path(folder, "best"), server.url, 2, filtered=True, optimise=True)
        after = server.stats()["calls"] - before
        return {"without": before, "with": after, "same": table(plain) == table(best)}


def waiting() -> dict[str, float]:
    """The wall time of one judge, and of two with and without the optimiser, at a constant latency."""
    with (
        ServerProcess(reply=["1", "3", "5"], latency_s=LATENCY_S) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        once(Path(folder, "warm"), server.url, 1, filtered=False, optimise=True)
        asked = {"one": (1, True), "two": (2, True), "in turn": (2, False)}
        walls: dict[str, list[float]] = {name: [] for name in asked}
        for i in range(REPEATS):
            for name, (judges, optimise) in asked.items():
                took = once(
                    Path(folder, f"{name} {i}"), server.url, judges, filtered=False, optimise=optimise
                )[1]
                walls[name].append(took)
        return {name: median(took) for name, took in walls.items()}


def measure() -> Iterator[str]:
    """A line for the calls saved, and one for the waiting."""
    calls, walls = filtered_calls(), waiting()
    same = "the same to the byte" if calls["same"] else "DIFFERENT"
    yield (
        f"{ROWS} rows, two judges, then a filter of another column that keeps {KEPT:.0%}: {calls['with']:,} calls instead "
        f"of {calls['without']:,} ({calls['with'] / calls['without']:.0%}); table {same}"
    )
    yield (
        f"two independent judges at {LATENCY_S:g} s a call, more slots than calls: {walls['two']:.2f} s, one alone "
        f"{walls['one']:.2f} s, ratio {walls['two'] / walls['one']:.2f}; one after the other {walls['in turn']:.2f} s"
    )
