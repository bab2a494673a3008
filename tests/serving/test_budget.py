"""A budget: reserved before a call is sent, settled after it, never exceeded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.faults import budget_trial
from dataflow.core import background
from dataflow.core.errors import BudgetExceeded, ConfigError, ServingError
from dataflow.core.protocols import Request, Scope
from dataflow.serving.api import APILLMServing
from dataflow.serving.budget import Budget, most_for_chat, most_for_texts
from dataflow.serving.engine import Policy
from dataflow.serving.journal import Journal
from dataflow.testing.server import Faults, FaultyServer

Start = Callable[..., FaultyServer]
Serve = Callable[..., Any]
DOLLAR = (0.0, 1e6)
"""A dollar for each completion token."""


async def ask_all(serving: APILLMServing, scope: Scope, count: int) -> list[Any]:
    calls = (serving.ask(Request.of(f"q {i}"), scope) for i in range(count))
    return await asyncio.gather(*calls, return_exceptions=True)


@pytest.mark.parametrize("first", range(0, 1000, 100))
def test_no_random_load_exceeds_its_budget(first: int) -> None:
    assert max(budget_trial(seed) for seed in range(first, first + 100)) <= 1e-6


def test_calls_wait_for_what_others_leave(start: Start, serve: Serve) -> None:
    """A call may cost 5, and costs 1: with 7 dollars only one is under way at a time, and three are answered."""
    server = start(reply="word", latency_s=0.01)
    budget = Budget(7.0)
    ended = background.run(ask_all(serve(server, price=DOLLAR, max_tokens=5), Scope(budget=budget), 6))
    assert sum(isinstance(e, BudgetExceeded) for e in ended) == 3
    assert (budget.spent, budget.reserved, server.calls, server.peak_in_flight) == (3.0, 0.0, 3, 1)


def test_it_stops_the_run_with_everything_saved(start: Start, serve: Serve, tmp_path: Path) -> None:
    server = start(reply="word")
    serving = serve(server, price=DOLLAR, max_tokens=1)
    journal = tmp_path / "journal.sqlite"
    ended = background.run(ask_all(serving, Scope(budget=Budget(4.0), journal=journal), 10))
    error = next(e for e in ended if isinstance(e, ServingError))
    assert "of the budget of 4 4.000000 are spent" in str(error)
    assert "run again with a higher budget" in str(error)
    again = Budget(10.0, spent=Journal.at(journal).totals()["cost"])
    replies = background.run(ask_all(serving, Scope(budget=again, journal=journal), 10))
    assert [r.text for r in replies] == ["word"] * 10
    assert (server.calls, again.spent) == (10, 10.0)
    Journal.at(journal).close()


@pytest.mark.parametrize(
    ("faults", "lost"),
    [
        (Faults(status_429=1.0, first_attempts=2, retry_after_s=0), 0.0),
        (Faults(status_500=1.0, first_attempts=2), 10.0),
        (Faults(truncated=1.0, first_attempts=2), 10.0),
    ],
    ids=["429", "500", "truncated"],
)
def test_what_a_failed_try_costs(start: Start, serve: Serve, faults: Faults, lost: float) -> None:
    budget = Budget(100.0)
    serving = serve(start(reply="word", faults=faults), price=DOLLAR, max_tokens=5)
    background.run(serving.ask(Request.of("a"), Scope(budget=budget)))
    assert (budget.spent, budget.lost, budget.reserved) == (1.0 + lost, lost, 0.0)


def test_a_refused_request_costs_nothing(start: Start, serve: Serve) -> None:
    budget = Budget(100.0)
    serving = serve(start(faults=Faults(status_400=1.0)), price=DOLLAR, max_tokens=5)
    (error,) = background.run(ask_all(serving, Scope(budget=budget), 1))
    assert "HTTP 400" in str(error)
    assert (budget.spent, budget.reserved) == (0.0, 0.0)


def test_embeddings_are_reserved_too(start: Start, serve: Serve) -> None:
    server = start()
    serving = serve(server, price=(1e6, 0.0))
    budget = Budget(1000.0)
    vectors = background.run(serving.embed(["one two three", "four"], Scope(budget=budget)))
    assert [type(v) for v in vectors] == [np.ndarray] * 2
    assert (budget.spent, budget.reserved) == (4.0, 0.0)
    with pytest.raises(BudgetExceeded):
        background.run(serving.embed(["x" * 1000], Scope(budget=Budget(1000.0))))
    assert server.calls == 1


def test_an_unknown_price_or_length_is_refused(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DF_API_KEY", "k")
    scope = Scope(budget=Budget(1.0))
    unknown = APILLMServing("http://models.invalid/v1", model_name="nobody-knows")
    with pytest.raises(ConfigError, match=r"a budget needs a price.* set price="):
        background.run(unknown.ask(Request.of("a"), scope))
    endless = APILLMServing("http://models.invalid/v1", model_name="nobody-knows", price=(1.0, 1.0))
    with pytest.raises(ConfigError, match=r"longest reply.* set max_tokens"):
        background.run(endless.ask(Request.of("a"), scope))


@pytest.mark.parametrize("limit", [-1.0, float("nan")])
def test_a_budget_is_a_number_of_dollars(limit: float) -> None:
    with pytest.raises(ConfigError):
        Budget(limit)


def test_the_most_that_a_call_can_cost() -> None:
    policy = Policy(price=(1e6, 1e3), max_output=1000)
    request = Request.of("é" * 100, "be brief")
    assert most_for_chat(request, {}, policy, "m") > 200 + 1
    sampled = {"sampling": {"max_tokens": 2000, "n": 3}}
    more = most_for_chat(request, sampled, policy, "m") - most_for_chat(request, {}, policy, "m")
    assert more == pytest.approx(5000 * 1e-3)
    picture = Request(({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "u"}}]},))
    assert most_for_chat(picture, {}, policy, "m") > 50_000
    longer = Request.of("é" * 100, "be brief", {"type": "object", "title": "x" * 500})
    assert most_for_chat(longer, {}, policy, "m") > most_for_chat(request, {}, policy, "m") + 500
    assert most_for_texts(["a\ud800", ""], policy, "m") >= 4
    assert most_for_chat(request, {}, Policy(), "m") == 0.0
