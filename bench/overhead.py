"""What a model call costs this framework: CPU a call through a compiled pipeline, with the journal on.

The server answers at once from a process of its own, so the CPU measured is the client's alone. The slope
between a small and a large run leaves out what is paid once; a bare client that only sends the same requests
over the same library is measured in the same run, as the floor.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from dataflow.testing.server import ServerProcess

SMALL, LARGE, TOTAL, WORKERS = 500, 8500, 10_000, 128
REPEATS = 5


def pipeline_once(source: str, cache: str, url: str) -> None:
    from dataflow.operators.core_text import PromptedGenerator
    from dataflow.pipeline import PipelineABC
    from dataflow.serving import APILLMServing
    from dataflow.storage import FileStorage

    class Ask(PipelineABC):
        def __init__(self) -> None:
            super().__init__()
            self.storage = FileStorage(source, cache_path=cache, file_name_prefix="ask", cache_type="jsonl")
            self.ask = PromptedGenerator(APILLMServing(api_url=url, model_name="m", max_workers=WORKERS))

        def forward(self) -> None:
            self.ask.run(self.storage.step(), input_key="text", output_key="reply")

    run = Ask().run(progress=False)
    assert run.rows == run.summary["source"]["rows"] == run.counts["calls"]


async def bare_once(count: int, url: str) -> None:
    """The floor: the same requests over the same HTTP library, and nothing else."""
    import aiohttp
    import orjson

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=WORKERS)) as session:
        waiting = iter(range(count))

        async def work() -> None:
            for i in waiting:
                body = orjson.dumps(
                    {"model": "m", "messages": [{"role": "user", "content": f"question {i}"}]}
                )
                async with session.post(url, data=body) as response:
                    orjson.loads(await response.read())["choices"][0]["message"]["content"]

        await asyncio.gather(*(work() for _ in range(WORKERS)))


def cpu_of(kind: str, count: int, url: str) -> float:
    """CPU seconds, user and system, of one run in a process of its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "bench.overhead", kind, str(count), url], check=True, timeout=120)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def slope(kind: str, url: str) -> float:
    """Milliseconds of CPU a call, between the small and the large run."""
    return (cpu_of(kind, LARGE, url) - cpu_of(kind, SMALL, url)) / (LARGE - SMALL) * 1e3


def measure() -> Iterator[str]:
    """One line: CPU a call here and of the bare client, and their ratio."""
    pairs = []
    for _ in range(REPEATS):
        with ServerProcess() as server:
            pairs.append((slope("pipeline", server.url), slope("bare", server.url)))
    mine, bare = (sorted(p[i] for p in pairs) for i in (0, 1))
    ratio = sorted(a / b for a, b in pairs)
    middle = REPEATS // 2
    yield (
        f"{mine[middle]:.3f} ms CPU a call through a compiled pipeline (min {mine[0]:.3f}, max {mine[-1]:.3f}; limit 0.25), "
        f"bare client {bare[middle]:.3f} ms, ratio {ratio[middle]:.2f}"
    )
    yield _whole_run()


def _whole_run() -> str:
    """All calls in one run, by the clock and by CPU, start-up included."""
    with ServerProcess() as server:
        started = time.perf_counter()
        cpu = cpu_of("pipeline", TOTAL, server.url)
        took = time.perf_counter() - started
    return (
        f"{TOTAL:,} calls at {WORKERS} at once: {took:.1f} s by the clock, {cpu:.1f} s CPU, start-up included"
    )


def _child(kind: str, count: int, url: str) -> None:
    if kind == "bare":
        asyncio.run(bare_once(count, url))
        return
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "in.jsonl")
        source.write_text("".join(json.dumps({"text": f"question {i}"}) + "\n" for i in range(count)))
        pipeline_once(str(source), str(Path(folder, "cache")), url)


if __name__ == "__main__":
    _child(sys.argv[1], int(sys.argv[2]), sys.argv[3])
