"""Outages that pass, endpoints that are dead, calls that hang, and back ends with work of their own."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dataflow.core import background
from dataflow.core.errors import CallError, ServingError
from dataflow.core.protocols import Reply, Request, Scope, Usage
from dataflow.serving.base import Serving
from dataflow.serving.engine import Engine, Policy
from dataflow.serving.health import ENOUGH, KNOWN, Pace
from dataflow.testing.server import Faults, FaultyServer

Start = Callable[..., FaultyServer]
Serve = Callable[..., Any]


def with_policy(serving: Any, **changed: Any) -> Any:
    Serving.__init__(serving, serving.name, replace(serving.policy, **changed))
    return serving


def prompts(n: int) -> list[str]:
    return [f"question {i}" for i in range(n)]


def test_an_outage_that_passes_loses_no_row(start: Start, serve: Serve) -> None:
    server = start(reply="x", latency_s=0.002, outages=[(0.05, 0.4)])
    serving = with_policy(serve(server, max_retries=5), dead_after_s=20.0)
    usage = Usage()
    replies = background.run(_ask(serving, 400, Scope(usage=usage)))
    assert [r.text for r in replies] == ["x"] * 400
    assert server.refused < 100, "one call at a time is tried in an outage"


async def _ask(serving: Any, count: int, scope: Scope) -> list[Reply]:
    return await asyncio.gather(*(serving.ask(Request.of(p), scope) for p in prompts(count)))


def test_an_endpoint_that_hangs_is_asked_for_a_sign_of_life(start: Start, serve: Serve) -> None:
    server = start(reply="x")
    server.down = "hang"
    serving = with_policy(serve(server), silence_s=0.2, sign_of_life_s=0.2)
    with pytest.raises(ServingError, match=r"nothing so far for \d s, since .* no sign of life.*run again"):
        serving.generate_from_input(prompts(5))


def test_a_slow_model_behind_a_live_endpoint_is_waited_for(start: Start, serve: Serve) -> None:
    def slow_but_for_nothing(rng: Any) -> float:
        return 1.5

    server = start(reply="x", latency_s=slow_but_for_nothing)
    serving = with_policy(serve(server), silence_s=0.3, sign_of_life_s=5.0)
    assert serving.generate_from_input(["a"]) == ["x"]


def test_rows_that_always_fail_do_not_make_a_live_endpoint_dead(start: Start, serve: Serve) -> None:
    def picky(body: dict[str, Any]) -> str:
        if body["messages"] and "bad" in body["messages"][-1]["content"]:
            raise ValueError("poison")
        return "fine"

    serving = with_policy(serve(start(reply=picky), max_retries=2), dead_after_s=0.1)
    replies = serving.generate_from_input([*prompts(20), "bad 1", "bad 2", "bad 3", "bad 4"])
    assert replies == ["fine"] * 20 + [None] * 4
    assert all("poison" in error for error in serving.errors.values())


def test_calls_that_hang_are_tried_again_long_before_the_read_timeout(start: Start, serve: Serve) -> None:
    server = start(reply="x", latency_s=0.002, faults=Faults(hang=0.02, hang_s=60, first_attempts=1))
    serving = with_policy(serve(server), min_timeout_s=0.2)
    assert serving.generate_from_input(prompts(300)) == ["x"] * 300
    assert server.faulted["hang"] == server.repeated > 0


def test_calls_that_became_slower_on_the_whole_are_not_lost() -> None:
    pace = Pace()
    assert pace.usual_s == float("inf")
    for _ in range(KNOWN):
        pace.add(0.1)
    assert pace.usual_s == pytest.approx(0.1)
    for _ in range(ENOUGH):
        pace.add(10.0)
    assert pace.usual_s == pytest.approx(10.0)


class Echo:
    """A back end that is told the key and the scope of its calls."""

    identity = {"model": "m", "deterministic": True}

    def __init__(self) -> None:
        self.seen: list[tuple[bytes, Scope]] = []

    async def chat(self, request: Request) -> Reply:
        raise CallError("chat_as is there")

    async def chat_as(self, request: Request, key: bytes, scope: Scope) -> Reply:
        self.seen.append((key, scope))
        return Reply("ok")

    async def close(self) -> None: ...


def test_a_back_end_may_be_told_the_key() -> None:
    backend, scope = Echo(), Scope("Op:x")
    engine = Engine(Policy(), "m")
    replies = [background.run(engine.chat(backend, Request.of("a"), scope, "0", 0)) for _ in range(2)]
    assert [r.text for r in replies] == ["ok", "ok"]
    (first, _), (second, given) = backend.seen
    assert first == second
    assert len(first) == 16
    assert given is scope


class Unlimited:
    """A back end with queues of its own."""

    identity = {"model": "m"}
    limited = False

    def __init__(self) -> None:
        self.now = self.peak = 0

    async def chat(self, request: Request) -> Reply:
        self.now += 1
        self.peak = max(self.peak, self.now)
        await asyncio.sleep(0.05)
        self.now -= 1
        return Reply("ok")

    async def close(self) -> None: ...


def test_a_back_end_may_be_left_out_of_the_limiter() -> None:
    backend, engine = Unlimited(), Engine(Policy(workers=200), "m")

    async def work() -> None:
        calls = (engine.chat(backend, Request.of("a"), Scope(), str(i), 0) for i in range(200))
        await asyncio.gather(*calls)

    background.run(work())
    assert backend.peak == 200


def test_prompts_that_begin_alike_go_together(start: Start, serve: Serve) -> None:
    order: list[str] = []
    server = start(reply=lambda body: order.append(body["messages"][0]["content"][0]) or "x", latency_s=0.005)
    serving = serve(server, max_workers=1)

    async def work() -> None:
        texts = [f"{'ABC'[i % 3] * 2500} {i}" for i in range(18)]
        await asyncio.gather(*(serving.ask(Request.of(t), Scope()) for t in texts))

    background.run(work())
    assert sum(a != b for a, b in itertools.pairwise(order)) <= 3
