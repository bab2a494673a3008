"""How well the limiter uses an endpoint that holds less than is offered, and how few calls it has refused.

The server runs in a process of its own. `admits` refuses what is more than it holds with 429 and `Retry-After: 1`;
`moving` is such a server whose limit jumps between 8 and 64 every 5 seconds; `queues` never refuses, and lets wait
what is more than it has slots for, as vLLM does, once with equal latencies and once with a heavy tail.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from dataflow.core import background
from dataflow.serving.api import APILLMServing
from dataflow.serving.knee import Knee
from dataflow.testing.server import Faults, ServerProcess

LATENCY_S = 0.05
SCHEDULE = ((5.0, 8), (5.0, 64))
MOVING_S = 30.0
MOVING_LATENCY_S = 0.2
"""Long enough that the limit, and not this client's CPU, bounds the calls."""


@dataclass(frozen=True)
class Outcome:
    """What one load of calls came to."""

    wall_s: float
    limited: int
    answered: int
    limit: float
    """Calls under way at most, at the end."""


def load(server: ServerProcess, calls: int, workers: int, *, knee: bool = True) -> Outcome:
    """Ask that many prompts, and wait for all replies; without `knee`, queues of the server are not looked for."""
    serving = APILLMServing(server.url, model_name="m", max_workers=workers)
    serving.generate_embedding_from_input([])
    serving._chat = serving.make_chat()
    limiter = serving._engine._lane("chat", serving._chat).limiter
    if not knee:
        limiter.knee = _Blind()
    started = time.perf_counter()
    try:
        replies = serving.generate_from_input([f"question {i}" for i in range(calls)])
        wall = time.perf_counter() - started
    finally:
        background.run(serving._chat.close())
        serving.cleanup()
    assert None not in replies, f"{replies.count(None)} calls failed"
    stats = server.stats()
    return Outcome(wall, stats["limited"], stats["answered"], min(limiter.bound, workers))


class _Blind(Knee):
    """Sees no queue."""

    def answered(self, number: int, begun: float, level: int, *, wanted: bool) -> None: ...


def admits(calls: int) -> str:
    """A server that holds 16 of the 64 calls offered."""
    with ServerProcess(latency_s=LATENCY_S, admit=16, faults=Faults(retry_after_s=1.0)) as server:
        done = load(server, calls, 64)
    ideal = calls / 16 * LATENCY_S
    return (
        f"admits 16 of 64, {calls:,} calls: {done.wall_s:.2f} s, {done.wall_s / ideal:.2f} times the ideal {ideal:.2f} s "
        f"(limit 1.5); {done.limited} refused, {done.limited / calls:.1%} of the calls (limit 5 %)"
    )


def moving(workers: int = 64) -> str:
    """A limit that jumps every 5 s, for 30 s, and the same server with the higher limit throughout."""
    fixed = Faults(retry_after_s=1.0)
    latency = MOVING_LATENCY_S
    with ServerProcess(latency_s=latency, admit=SCHEDULE[1][1], faults=fixed) as server:
        calls = 2000
        most = calls / load(server, calls, workers).wall_s * latency / SCHEDULE[1][1]
    allowed = (
        sum(seconds * admit / latency for seconds, admit in SCHEDULE) * MOVING_S / sum(s for s, _ in SCHEDULE)
    )
    with ServerProcess(latency_s=latency, admit_schedule=SCHEDULE, faults=fixed) as server:
        seen: list[dict[str, int]] = []
        timer = threading.Timer(MOVING_S, lambda: seen.append(server.stats()))
        timer.start()
        load(server, int(allowed), workers)
        timer.join()
    answered, limited = seen[0]["answered"], seen[0]["limited"]
    return (
        f"8 and 64 by turns, every 5 s for {MOVING_S:.0f} s: {answered:,} of {allowed:,.0f} calls, {answered / allowed:.1%} of "
        f"what it allowed (limit 85 %; with 64 throughout this client uses {most:.1%}); {limited} refused, "
        f"{limited / answered:.1%}"
    )


def queues(slots: int, latency_s: float, sigma: float, calls: int) -> str:
    """A server that queues: where the limit settles, and how much of the throughput with 128 in flight is kept."""
    outcomes = []
    for knee in (True, False):
        with ServerProcess(latency_s=latency_s, sigma=sigma, slots=slots) as server:
            outcomes.append(load(server, calls, 128, knee=knee))
    seeing, blind = outcomes
    tail = f"a log-normal latency, sigma {sigma:g}" if sigma else "equal latencies"
    return (
        f"queues at {slots} slots of 128 workers, {tail}, {calls:,} calls: settles at {seeing.limit:.0f} in flight, "
        f"{seeing.limit / slots:.2f} times the slots; throughput {blind.wall_s / seeing.wall_s:.1%} of that without it"
    )


def measure(scale: float = 1.0) -> Iterator[str]:
    """A line for each server."""
    yield admits(600)
    yield admits(3000)
    yield moving()
    yield queues(16, LATENCY_S, 0.0, int(8000 * scale))
    yield queues(64, 0.2 * 2.718281828**-0.5, 1.0, int(16_000 * scale))


if __name__ == "__main__":
    for line in measure(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0):
        print(line, flush=True)
