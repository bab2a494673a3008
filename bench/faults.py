"""What an endpoint's failures cost: rows lost or faked, calls repeated, and how soon a dead one stops the run.

The rows go through a compiled pipeline of two model steps. Five in a hundred tries at each of them meet a 500, a drop,
a truncated or a malformed body, one in a hundred hangs for a minute, and in the middle nothing is answered for 3 s.
A dead endpoint is one that refuses connections, one that answers 503 to everything, or one that never answers.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.budget_backend import Costly
from dataflow.core.errors import DataFlowError, RunStopped
from dataflow.core.protocols import Request, Scope
from dataflow.operators.core_text import PromptedGenerator
from dataflow.pipeline import PipelineABC
from dataflow.serving import APILLMServing
from dataflow.serving.budget import Budget
from dataflow.serving.engine import Engine, Policy
from dataflow.storage import FileStorage
from dataflow.testing.server import Faults, ServerProcess, request_key

ROWS, WORKERS, TRIALS = 2000, 64, 1000
FAULTS = Faults(status_500=0.0125, drop=0.0125, truncated=0.0125, malformed=0.0125, hang=0.01, hang_s=60.0)
OUTAGE = (2.0, 5.0)


class TwoSteps(PipelineABC):
    """Ask about a text, then about the reply."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__()
        source = str(folder / "in.jsonl")
        self.storage = FileStorage(
            source, cache_path=str(folder), file_name_prefix="faults", cache_type="jsonl"
        )
        serving = APILLMServing(url, model_name="m", max_workers=WORKERS)
        self.first, self.second = PromptedGenerator(serving, "First."), PromptedGenerator(serving, "Second.")

    def forward(self) -> None:
        self.first.run(self.storage.step(), input_key="text", output_key="reply")
        self.second.run(self.storage.step(), input_key="reply", output_key="more")


def write_rows(folder: Path, rows: int) -> None:
    lines = (json.dumps({"text": f"question {i}"}) + "\n" for i in range(rows))
    (folder / "in.jsonl").write_text("".join(lines))


def expected(system: str, text: str) -> str:
    """What the server answers to a prompt of the pipeline."""
    turns = [{"role": "system", "content": system}, {"role": "user", "content": text}]
    return f"reply {request_key({'model': 'm', 'temperature': 0.0, 'messages': turns})[:8]}"


def bad_day(rows: int = ROWS) -> str:
    """All the faults at once, and an outage."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_rows(folder, rows)
        with ServerProcess(latency_s=0.05, faults=FAULTS, outages=[OUTAGE]) as server:
            started = time.perf_counter()
            run = TwoSteps(folder, server.url).run(progress=False)
            wall = time.perf_counter() - started
            stats = server.stats()
        made = run.records
    faked = sum(
        r["reply"] != expected("First.", r["text"]) or r["more"] != expected("Second.", r["reply"])
        for r in made
    )
    met = sum(stats["faulted"].values())
    return (
        f"{rows:,} rows, two steps, {met} faults and {stats['refused']} calls in a 3 s outage: {rows - len(made)} rows lost, "
        f"{faked} faked, {stats['repeated']} calls repeated, {wall:.1f} s"
    )


def dead(kind: str, rows: int = 200) -> str:
    """An endpoint that dies after some calls: how soon the run stops, and what the next one pays."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_rows(folder, rows)
        with ServerProcess(latency_s=0.05) as server:
            port = int(server.base_url.split(":")[2].split("/")[0])
            url = f"http://127.0.0.1:{port if kind != 'refused' else _closed_port()}/v1"
            if kind != "refused":
                server.set_down(True if kind == "503" else "hang")
            took, message = _until_stopped(folder, url)
            server.set_down(False)
            run = TwoSteps(folder, server.url).run(progress=False)
            repeated = server.stats()["repeated"]
    lost = rows - run.rows
    return f"dead ({kind}): stopped after {took:.1f} s (limit 30); then {lost} rows lost, {repeated} calls repeated. {message.splitlines()[0]!r}"


def _until_stopped(folder: Path, url: str) -> tuple[float, str]:
    started = time.perf_counter()
    try:
        TwoSteps(folder, url).run(progress=False)
    except RunStopped as stopped:
        return time.perf_counter() - started, str(stopped)
    raise AssertionError("the run did not stop")


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def budget_trial(seed: int) -> float:
    """US dollars that one random load spent beyond its random budget, by the server's own account."""
    draw = random.Random(seed)
    backend = Costly(draw)
    policy = Policy(draw.randint(1, 16), 3, backoff_s=0.0, price=backend.price, trip_after=1000)
    budget = Budget(draw.uniform(0, 40) * backend.usual)
    engine = Engine(policy, "costly")

    async def one(i: int) -> None:
        await engine.chat(backend, Request.of("x" * draw.randint(1, 400)), Scope(budget=budget), str(i), 0)

    async def load() -> None:
        calls = [asyncio.ensure_future(one(i)) for i in range(draw.randint(1, 30))]
        for call in draw.sample(calls, draw.randint(0, 2)) if len(calls) > 2 else []:
            asyncio.get_running_loop().call_later(draw.random() * 0.005, call.cancel)
        ended = await asyncio.gather(*calls, return_exceptions=True)
        errors = [e for e in ended if isinstance(e, Exception) and not isinstance(e, DataFlowError)]
        assert not errors, errors

    asyncio.run(load())
    return backend.billed - budget.limit


def budgets(trials: int = TRIALS) -> str:
    """Random budgets, prices, loads, failures and cancellations, against the engine itself."""
    worst = max(budget_trial(seed) for seed in range(trials))
    return f"{trials:,} random budgets: the worst exceeded its limit by {max(0.0, worst):.2f} US dollars"


def measure() -> Iterator[str]:
    """A line for the bad day, one for each death, and one for the budgets."""
    yield bad_day()
    for kind in ("refused", "503", "hang"):
        yield dead(kind)
    yield budgets()
