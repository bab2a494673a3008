"""kill -9 at random moments: the final table stays the same to the byte, and no reply is paid for twice."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dataflow.testing.server import ServerProcess

WORKERS = 32
START_UP_S = 0.6
"""About the time after which a process begins to make calls."""


@dataclass(frozen=True)
class Verdict:
    """What a trial found."""

    rows: int
    kills: int
    same: bool
    unique: int
    repeated: int
    """Calls beyond the unique ones."""
    allowed: int
    """Calls in flight at the kills, at most."""


def trial(
    rows: int = 2000, kills: int = 20, temperature: float = 0.0, latency_s: float = 0.01, seed: int = 1
) -> Verdict:
    """Run once undisturbed, then once killed at random moments and started again each time."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "in.jsonl")
        source.write_text("".join(json.dumps({"text": f"row {i} of {rows}"}) + "\n" for i in range(rows)))
        with ServerProcess(latency_s=latency_s) as server:
            calm, took = _calm(source, Path(folder, "calm"), server.url, temperature)
            server.reset()
            done = _stormy(
                source, Path(folder, "storm"), server.url, temperature, kills, took, random.Random(seed)
            )
            stats = server.stats()
        same = calm.read_bytes() == Path(folder, "storm", "trial_step6.jsonl").read_bytes()
        return Verdict(rows, done, same, stats["unique"], stats["calls"] - stats["unique"], done * WORKERS)


def _command(source: Path, cache: Path, url: str, temperature: float) -> list[str]:
    return [
        sys.executable,
        "-m",
        "bench.kill_pipeline",
        str(source),
        str(cache),
        url,
        str(temperature),
        str(WORKERS),
    ]


def _calm(source: Path, cache: Path, url: str, temperature: float) -> tuple[Path, float]:
    started = time.monotonic()
    subprocess.run(
        _command(source, cache, url, temperature), check=True, stdout=subprocess.DEVNULL, timeout=300
    )
    return cache / "trial_step6.jsonl", time.monotonic() - started


def _stormy(
    source: Path, cache: Path, url: str, temperature: float, kills: int, took: float, draw: random.Random
) -> int:
    """Kill as often as asked, each time after a random while; then let it finish. The kills that struck."""
    struck = 0
    while struck < kills:
        process = subprocess.Popen(_command(source, cache, url, temperature), stdout=subprocess.DEVNULL)
        try:
            process.wait(START_UP_S + draw.random() * 1.2 * max(0.2, took - START_UP_S) / kills)
            if process.returncode:
                raise RuntimeError(f"the pipeline ended with {process.returncode}")
            break
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            struck += 1
    subprocess.run(
        _command(source, cache, url, temperature), check=True, stdout=subprocess.DEVNULL, timeout=300
    )
    return struck


def measure() -> Iterator[str]:
    """A line for deterministic calls, and one for sampled ones."""
    for temperature in (0.0, 0.7):
        v = trial(temperature=temperature)
        kind = "sampled" if temperature else "deterministic"
        same = "the same to the byte" if v.same else "DIFFERENT"
        yield (
            f"{kind} calls: {v.rows:,} rows, killed {v.kills} times, final table {same}; {v.unique:,} unique calls, "
            f"{v.repeated} repeated (allowed: {v.allowed} in flight at the kills)"
        )
