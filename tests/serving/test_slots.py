"""Slots: never more than there are, the deepest waiting call first, none lost to a cancelled one."""

from __future__ import annotations

import asyncio
import random

from hypothesis import given
from hypothesis import strategies as st

from dataflow.serving.slots import Slots


def test_the_deepest_goes_first_and_equals_in_order() -> None:
    order: list[str] = []

    async def call(slots: Slots, name: str, depth: int) -> None:
        lease = await slots.acquire(slots.ticket(depth))
        order.append(name)
        await asyncio.sleep(0)
        slots.limiter.answered(lease)
        slots.release()

    async def work() -> None:
        slots = Slots(1)
        await slots.acquire()
        calls = [call(slots, f"{d}{n}", d) for n, d in (("a", 0), ("a", 2), ("a", 1), ("b", 2), ("b", 0))]
        waiting = [asyncio.create_task(c) for c in calls]
        await asyncio.sleep(0)
        slots.release()
        await asyncio.gather(*waiting)
        assert slots.taken == 0

    asyncio.run(work())
    assert order == ["2a", "2b", "1a", "0a", "0b"]


def test_a_cancelled_call_gives_its_turn_away() -> None:
    async def work() -> None:
        slots = Slots(1)
        await slots.acquire()
        first = asyncio.create_task(slots.acquire(slots.ticket(5)))
        second = asyncio.create_task(slots.acquire())
        await asyncio.sleep(0)
        slots.release()  # the first has its turn but has not run yet
        first.cancel()
        await asyncio.wait_for(second, 5)
        assert first.cancelled()
        assert slots.taken == 1

    asyncio.run(work())


@given(st.integers(1, 4), st.integers(0, 2**32), st.integers(1, 25))
def test_whatever_is_cancelled_all_slots_come_back(size: int, seed: int, calls: int) -> None:
    draw = random.Random(seed)
    taken = peak = 0

    async def call(slots: Slots, depth: int, steps: int) -> None:
        nonlocal taken, peak
        await slots.acquire(slots.ticket(depth))
        taken += 1
        peak = max(peak, taken)
        try:
            for _ in range(steps):
                await asyncio.sleep(0)
        finally:
            taken -= 1
            slots.release()

    async def work() -> Slots:
        slots = Slots(size)
        tasks = [asyncio.create_task(call(slots, draw.randrange(3), draw.randrange(4))) for _ in range(calls)]
        for task in draw.sample(tasks, draw.randrange(calls + 1)):
            for _ in range(draw.randrange(4)):
                await asyncio.sleep(0)
            task.cancel()
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
        return slots

    slots = asyncio.run(work())
    assert peak <= size
    assert slots.taken == 0
    asyncio.run(asyncio.wait_for(slots.acquire(), 1))
