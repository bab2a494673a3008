"""A batch serving that waits a fraction of the usual time for everything, and fixtures around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from dataflow.serving.batch import BatchLLMServing
from dataflow.testing.batch_faults import BatchFaults
from dataflow.testing.batch_server import BatchServer


class QuickBatches(BatchLLMServing):
    """`BatchLLMServing` with waits short enough for tests."""

    def __init__(self, url: str, lost_after_s: float = 0.3, **settings: Any) -> None:
        super().__init__(url, **({"model_name": "toy", "linger_s": 0.05, "poll_s": 0.02} | settings))
        self.batching = replace(self.batching, backoff_s=0.01, max_backoff_s=0.1, lost_after_s=lost_after_s)


Provider = Callable[..., BatchServer]
Batch = Callable[..., QuickBatches]


def echo(body: dict[str, Any]) -> str:
    return f"re: {body['messages'][-1]['content']}"


def prompts(n: int) -> list[str]:
    return [f"question {i}" for i in range(n)]


def answers(n: int) -> list[str]:
    return [f"re: question {i}" for i in range(n)]


@pytest.fixture(name="provider")
def start_providers() -> Iterator[Callable[..., BatchServer]]:
    """Starts batch servers that end with the test."""
    running: list[BatchServer] = []

    def start(faults: BatchFaults | None = None, **settings: Any) -> BatchServer:
        server = BatchServer(faults=faults or BatchFaults(), **({"reply": echo} | settings))
        running.append(server.__enter__())
        return server

    yield start
    for server in running:
        server.__exit__()


@pytest.fixture(name="batch")
def make_servings() -> Iterator[Batch]:
    """Makes servings that are cleaned up with the test."""
    made: list[QuickBatches] = []

    def serve(server: BatchServer, **settings: Any) -> QuickBatches:
        made.append(QuickBatches(server.url, **settings))
        return made[-1]

    yield serve
    for serving in made:
        serving.cleanup()
