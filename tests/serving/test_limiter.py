"""The limiter: what it lets in, what a refusal teaches it, and where a queue makes it stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from dataflow.core import background
from dataflow.core.protocols import Request, Scope
from dataflow.serving.knee import Knee
from dataflow.serving.limiter import START, Lease, Limiter
from dataflow.serving.slots import Slots
from dataflow.testing.server import Faults, FaultyServer

Start = Callable[..., FaultyServer]
Serve = Callable[..., Any]


def no_backoff(tries: int) -> float:
    return 0.0


def fill(limiter: Limiter) -> list[Lease]:
    """As many leases as it gives now."""
    leases = []
    while limiter.has_room():
        leases.append(limiter.begin())
    return leases


def grown(limiter: Limiter, rounds: int) -> None:
    for _ in range(rounds):
        for lease in fill(limiter):
            limiter.answered(lease)


def run(work: Callable[[], None]) -> None:
    """Run on a loop, which the limiter's timers need."""

    async def inside() -> None:
        work()

    asyncio.run(inside())


def test_it_starts_small_and_grows_fast() -> None:
    limiter = Limiter()
    assert len(fill(limiter)) == START
    limiter = Limiter()
    grown(limiter, 12)
    assert limiter.bound >= 128


def test_without_demand_it_does_not_grow() -> None:
    limiter = Limiter()
    for _ in range(1000):
        limiter.answered(limiter.begin())
    assert limiter.limit <= START + 4


def test_a_burst_of_refusals_lowers_it_once_to_what_was_let_in() -> None:
    def work() -> None:
        limiter = Limiter()
        grown(limiter, 8)
        leases = fill(limiter)
        for lease in leases[16:]:
            limiter.refused(lease, 1.0, no_backoff)
        assert limiter.bound == 16
        assert not limiter.has_room()
        limiter.answered(leases[0])
        assert limiter.has_room()

    run(work)


def test_a_limit_that_collapsed_is_followed_with_few_refusals() -> None:
    def work() -> None:
        limiter, refusals = Limiter(), 0
        grown(limiter, 10)
        limiter.limit = 64.0
        leases = fill(limiter)
        while limiter.limit > 8:
            limiter.answered(leases.pop(0))
            while limiter.has_room():
                refusals += 1
                limiter.refused(limiter.begin(), 1.0, no_backoff)
        assert refusals < 12

    run(work)


def test_a_ceiling_is_tried_seldom_and_passed_fast() -> None:
    def work() -> None:
        limiter = Limiter()
        grown(limiter, 8)
        leases = fill(limiter)
        limiter.refused(leases.pop(), None, no_backoff)
        ceiling = limiter.limit
        for lease in leases:
            limiter.answered(lease)
        grown(limiter, 1)
        assert limiter.limit <= ceiling + 1
        limiter._excess_until = 0.0
        grown(limiter, 12)
        assert limiter.limit > 2 * ceiling

    run(work)


def test_nobody_goes_while_everything_is_refused() -> None:
    async def work() -> None:
        limiter = Limiter()
        limiter.refused(limiter.begin(), 0.05, no_backoff)
        assert not limiter.has_room()
        assert 0 < limiter.parked_s <= 0.05
        slots = Slots(4, limiter)
        waiting = [asyncio.create_task(slots.acquire()) for _ in range(3)]
        done, _ = await asyncio.wait(waiting, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        assert len(done) == 1, "one call tries again, not all"
        limiter.answered(done.pop().result())
        await asyncio.wait_for(asyncio.gather(*waiting), 10)

    asyncio.run(work())


def test_a_wait_of_nothing_is_no_busy_loop() -> None:
    def work() -> None:
        limiter = Limiter()
        for _ in range(5):
            limiter.refused(limiter.begin(), 0.0, no_backoff)
        assert limiter.parked_s > 0.1

    run(work)


def test_a_call_that_hangs_keeps_nobody_out_for_ever() -> None:
    async def work() -> None:
        limiter = Limiter()
        slots = Slots(8, limiter)
        limiter.begin()
        limiter.refused(limiter.begin(), 0.01, no_backoff)
        assert not limiter.has_room()
        await asyncio.wait_for(slots.acquire(), 10)

    asyncio.run(work())


def test_quota_headers_are_heeded() -> None:
    def work() -> None:
        limiter = Limiter()
        lease = limiter.begin()
        limiter.hint(3.0, 60.0, lease)
        limiter.answered(lease)
        assert len(fill(limiter)) == 3
        assert 50 < limiter.parked_s <= 60

    run(work)


def test_equal_endpoints_share_what_is_learned(start: Start, serve: Serve) -> None:
    server = start(reply="x", latency_s=0.01)
    first, second = serve(server, max_workers=2), serve(server, max_workers=3)
    other = serve(server, model_name="another")
    for serving in (first, second, other):
        serving.generate_from_input(["a"])
    lanes = [s._engine._lane("chat", s._chat) for s in (first, second, other)]
    assert lanes[0].limiter is lanes[1].limiter
    assert lanes[0].limiter is not lanes[2].limiter


def test_servings_that_share_an_endpoint_keep_their_own_bound(start: Start, serve: Serve) -> None:
    server = start(reply="x", latency_s=0.005)
    first, second = serve(server, max_workers=2), serve(server, max_workers=3)

    async def work() -> None:
        calls = [s.ask(Request.of(f"{i}"), Scope()) for i in range(40) for s in (first, second)]
        await asyncio.gather(*calls)

    background.run(work())
    assert server.peak_in_flight <= 5


def test_a_server_that_holds_few_is_not_hammered(start: Start, serve: Serve) -> None:
    server = start(reply="x", admit=8, latency_s=0.01, faults=Faults(retry_after_s=1.0))
    replies = serve(server, max_workers=64).generate_from_input([f"q {i}" for i in range(400)])
    assert replies == ["x"] * 400
    assert server.limited < 60


class Queue:
    """A server with so many slots that lets all others wait; time passes as it is told."""

    def __init__(self, slots: int, seconds: float) -> None:
        self.slots, self.seconds = slots, seconds

    def latency(self, level: float) -> float:
        return self.seconds * max(1.0, level / self.slots)

    def throughput(self, level: float) -> float:
        return level / self.latency(level)


def settle(knee: Knee, queue: Queue, workers: int, windows: int) -> list[float]:
    levels = []
    for _ in range(windows):
        level = int(min(workers, knee.limit))
        knee._judge(queue.throughput(level), queue.latency(level), level)
        levels.append(min(workers, knee.limit))
    return levels


def test_the_knee_is_found_and_kept() -> None:
    knee = Knee()
    knee._alone = 0.05
    levels = settle(knee, Queue(16, 0.05), 128, 40)
    assert all(12 <= level <= 40 for level in levels[2:])
    assert levels[-1] <= 32


def test_a_knee_suspected_too_low_is_given_up() -> None:
    """Calls became slower by themselves: a lower limit costs throughput, so it is taken back, and not tried again."""
    knee = Knee()
    knee._alone = 0.01
    levels = settle(knee, Queue(64, 0.2), 128, 40)
    assert levels[1] == 128
    assert all(level >= 64 for level in levels[2:])


def test_a_server_that_grew_is_used() -> None:
    knee = Knee()
    knee._alone = 0.05
    settle(knee, Queue(16, 0.05), 128, 10)
    assert settle(knee, Queue(128, 0.05), 128, 40)[-1] == 128
