"""How near a chain of model steps comes to the time its calls must take.

Rows go through five model steps that each need the one before, with a refiner and a filter after each step. The
server has 64 slots and log-normal latencies. The ideal is the sum of the latencies of all calls that arrived divided
by the slots; a ratio of 1 would need every slot busy to the last call, which long calls at the end prevent. So a
schedule is simulated with the same latencies in which nothing else takes time: rows one by one, the deepest call first.
Peers do the same model steps with as many calls at once; DataDesigner has columns for steps, and no filter. Then two
model steps that read the same column, beside one of them alone, with a slot for every call.
"""

from __future__ import annotations

import heapq
import json
import math
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench import peers
from dataflow.testing.server import Faults, ServerProcess, lognormal

ROWS, STEPS, SLOTS, WORKERS = 1000, 5, 64, 128
MEAN_S, SIGMA = 0.2, 1.0
MEDIAN_S = MEAN_S / math.exp(SIGMA**2 / 2)
LIMIT = 1.25
REPEATS = 3
"""Runs of each. Latencies depend on a run's number and on the words of each request: every run has its own."""
JUDGE_ROWS, JUDGE_WORKERS, JUDGE_REPEATS = 100, 256, 5
RUN_S = 300

Drive = Callable[[Path, ServerProcess], dict[str, Any] | None]
"""Puts a table through the steps against a server; gives `seconds` and `rows`, or None."""


@dataclass(frozen=True)
class Trial:
    """What came of one run against the server."""

    seconds: float
    rows: int
    latencies: list[float]
    """Of all calls that arrived, in seconds."""

    @property
    def ideal_s(self) -> float:
        return sum(self.latencies) / SLOTS

    @property
    def ratio(self) -> float:
        return self.seconds / self.ideal_s

    @property
    def simulated_ratio(self) -> float:
        """The ratio of the simulated schedule; its rows take the calls in the order of their arrival."""
        return simulated(self.latencies) / self.ideal_s


def measure() -> Iterator[str]:
    """A line for the compiled chain, its eager twin, each peer that can be installed, and independent steps."""
    drives: dict[str, Drive] = {
        f"compiled (limit {LIMIT})": lambda source, server: _own_chain("compiled", source, server),
        "eager": lambda source, server: _own_chain("eager", source, server),
        peers.title("open-dataflow"): _open_dataflow,
        peers.title("data-designer"): _data_designer,
    }
    for name, drive in drives.items():
        if trials := _trials(drive):
            yield f"{name}: {_told(trials)}"
    yield _independent()


def _told(trials: list[Trial]) -> str:
    """The run in the middle, and how far the others are from it."""
    trials = sorted(trials, key=lambda t: t.ratio)
    middle = trials[len(trials) // 2]
    return (
        f"{middle.seconds:.1f} s, ideal {middle.ideal_s:.1f} s, ratio {middle.ratio:.2f} "
        f"(min {trials[0].ratio:.2f}, max {trials[-1].ratio:.2f}), simulated {middle.simulated_ratio:.2f} "
        f"({trials[0].simulated_ratio:.2f} and {trials[-1].simulated_ratio:.2f}); {middle.rows:,} of {ROWS:,} rows"
    )


def simulated(latencies: Sequence[float]) -> float:
    """Seconds until the last row is through, where calls wait for slots and for their own row, and for nothing else."""
    rows = [latencies[i : i + STEPS] for i in range(0, len(latencies), STEPS)]
    waiting = [(0, row) for row in range(len(rows))]
    """A heap of (minus the depth, row)."""
    busy: list[tuple[float, int, int]] = []
    now = 0.0
    while waiting or busy:
        while waiting and len(busy) < SLOTS:
            rank, row = heapq.heappop(waiting)
            heapq.heappush(busy, (now + rows[row][-rank], rank, row))
        now, rank, row = heapq.heappop(busy)
        if 1 - rank < len(rows[row]):
            heapq.heappush(waiting, (rank - 1, row))
    return now


def _trials(drive: Drive) -> list[Trial]:
    """Some runs, and none more after one that failed."""
    found: list[Trial] = []
    while len(found) < REPEATS and (trial := _trial(drive, seed=len(found))):
        found.append(trial)
    return found


def _trial(drive: Drive, seed: int) -> Trial | None:
    with tempfile.TemporaryDirectory() as folder:
        source, arrived = _source(Path(folder), ROWS), Path(folder, "arrived.txt")
        slow = ServerProcess(latency_s=MEDIAN_S, sigma=SIGMA, slots=SLOTS, seed=seed, count_file=arrived)
        with slow as server:
            done = drive(source, server)
        return Trial(done["seconds"], done["rows"], _latencies(arrived, seed)) if done else None


def _source(folder: Path, rows: int) -> Path:
    source = folder / "in.jsonl"
    source.write_text("".join(json.dumps({"text": f"row {i} of {rows}"}) + "\n" for i in range(rows)))
    return source


def _latencies(arrived: Path, seed: int) -> list[float]:
    """The latency that the server gave each request, which the request's key and number decide."""
    draw, faults, attempts = lognormal(MEDIAN_S, SIGMA), Faults(), Counter[str]()
    found = []
    for key in arrived.read_text(encoding="ascii").splitlines():
        found.append(faults.delay("", draw, seed, key, attempts[key]))
        attempts[key] += 1
    return found


def _own(
    kind: str, mode: str, source: Path, server: ServerProcess, workers: int, count: int, repeats: int = 1
) -> list[dict[str, Any]]:
    """Run a pipeline of ours, some times over, in a process of its own."""
    what = map(str, (kind, mode, source, server.url, workers, count, repeats))
    command = [sys.executable, "-m", "bench.overlap_pipelines", *what]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=RUN_S)
    return list(json.loads(done.stdout))


def _own_chain(mode: str, source: Path, server: ServerProcess) -> dict[str, Any]:
    return _own("chain", mode, source, server, WORKERS, STEPS)[0]


def _open_dataflow(source: Path, server: ServerProcess) -> dict[str, Any] | None:
    return peers.run("open-dataflow", "peer_open_dataflow.py", "steps", source, server.url, WORKERS, STEPS)


def _data_designer(source: Path, server: ServerProcess) -> dict[str, Any] | None:
    return peers.run("data-designer", "peer_data_designer.py", source, server.base_url, WORKERS, STEPS)


def _independent() -> str:
    """Two steps over the same column beside one: the median of some runs each, the first of a process not counted."""
    with tempfile.TemporaryDirectory() as folder, ServerProcess(latency_s=MEAN_S) as server:
        source = _source(Path(folder), JUDGE_ROWS)
        one, two = (
            median(run["seconds"] for run in runs[1:])
            for runs in (
                _own("judges", "compiled", source, server, JUDGE_WORKERS, count, JUDGE_REPEATS + 1)
                for count in (1, 2)
            )
        )
    return (
        f"two independent steps of constant {MEAN_S} s, {JUDGE_ROWS} rows: {two:.2f} s, "
        f"one of them alone {one:.2f} s, ratio {two / one:.2f} (at once 1, one after the other 2)"
    )
