"""The batch API: two dependent model steps through batches with failed lines and an expired batch, the client killed at random.

The provider is a server of files and batches in a process of its own, which counts what it answers, and so would bill.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from dataflow.serving.journal import Journal
from dataflow.testing.batch_faults import BatchFaults
from dataflow.testing.batch_server import BatchServerProcess

PRICE = (2.5, 10.0)
START_UP_S = 0.6
"""About the time after which a process begins to make calls."""
FAULTS = BatchFaults(failed_lines=0.03, expired=(2,), errors=0.02, lost_answers=0.1)


@dataclass(frozen=True)
class Verdict:
    """What a trial found."""

    rows: int
    kills: int
    same: bool
    unique: int
    billed: int
    batches: int
    cost: float
    listed: float
    """What the tokens that the server counted cost by the list."""


def pipeline_once(source: str, cache: str, url: str) -> None:
    from dataflow.operators.core_text import PromptedGenerator
    from dataflow.pipeline import PipelineABC
    from dataflow.serving.batch import BatchLLMServing
    from dataflow.storage import FileStorage

    class TwoSteps(PipelineABC):
        def __init__(self) -> None:
            super().__init__()
            self.storage = FileStorage(source, cache_path=cache, file_name_prefix="batch", cache_type="jsonl")
            serving = BatchLLMServing(
                url, model_name="m", price=PRICE, max_batch_requests=1000, linger_s=0.3, poll_s=0.1
            )
            serving.batching = replace(serving.batching, backoff_s=0.05, lost_after_s=2.0)
            self.first = PromptedGenerator(serving, system_prompt="one")
            self.second = PromptedGenerator(serving, system_prompt="two")

        def forward(self) -> None:
            self.first.run(self.storage.step(), input_key="text", output_key="first")
            self.second.run(self.storage.step(), input_key="first", output_key="second")

    TwoSteps().run(progress=False)


def trial(rows: int = 5000, kills: int = 8, work_s: float = 1.0, seed: int = 1) -> Verdict:
    """Run once undisturbed at a server without faults; then, at one with them, killed and started again."""
    with tempfile.TemporaryDirectory() as folder:
        source, draw = Path(folder, "in.jsonl"), random.Random(seed)
        source.write_text("".join(json.dumps({"text": f"row {i} of {rows}"}) + "\n" for i in range(rows)))
        with BatchServerProcess(work_s=work_s) as server:
            took = _to_the_end(_command(source, Path(folder, "calm"), server.url))
        with BatchServerProcess(FAULTS, work_s=work_s) as server:
            command = _command(source, Path(folder, "storm"), server.url)
            struck = _stormy(command, kills, took, draw)
            stats = server.stats()
        tables = [Path(folder, name, "batch_step2.jsonl").read_bytes() for name in ("calm", "storm")]
        journal = Journal(Path(folder, "storm", "batch", "journal.sqlite"))
        cost = journal.totals()["cost"]
        journal.close()
        tokens = stats["tokens"]
        listed = (tokens["prompt_tokens"] * PRICE[0] + tokens["completion_tokens"] * PRICE[1]) / 1e6
        counts = stats["unique"], stats["billed"], len(stats["sizes"])
        return Verdict(rows, struck, tables[0] == tables[1], *counts, cost, listed)


def _command(source: Path, cache: Path, url: str) -> list[str]:
    return [sys.executable, "-m", "bench.batch", str(source), str(cache), url]


def _to_the_end(command: list[str]) -> float:
    started = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=300)
    return time.monotonic() - started


def _stormy(command: list[str], kills: int, took: float, draw: random.Random) -> int:
    """Kill as often as asked, each time after a random while; then let it finish. The kills that struck."""
    struck = 0
    while struck < kills:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            process.wait(START_UP_S + draw.random() * 2 * max(0.5, took - START_UP_S) / kills)
            if process.returncode:
                raise RuntimeError(f"the pipeline ended with {process.returncode}")
            break
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            struck += 1
    _to_the_end(command)
    return struck


def measure() -> Iterator[str]:
    """One line: what was killed, whether the table is right, what was billed, and what it cost."""
    v = trial()
    same = "the same to the byte as that of an undisturbed run" if v.same else "DIFFERENT"
    yield (
        f"{v.rows:,} rows, two dependent steps, {v.batches} batches, killed {v.kills} times: final table {same}; "
        f"{v.unique:,} unique requests, {v.billed - v.unique} billed twice; cost {v.cost / v.listed:.3f} of the list price"
    )


if __name__ == "__main__":
    pipeline_once(*sys.argv[1:4])
