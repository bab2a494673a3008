"""A server with faults, and a serving that waits a hundredth of the usual time between its tries."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from quick_serving import Quick

from dataflow.core import background
from dataflow.core.protocols import Scope, Usage
from dataflow.serving.journal import Journal
from dataflow.testing.server import FaultyServer

KEY = "sk-very-secret-0123456789"


Start = Callable[..., FaultyServer]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts servers that end with the test."""
    running: list[FaultyServer] = []

    def start(**settings: Any) -> FaultyServer:
        server = FaultyServer(**settings).__enter__()
        running.append(server)
        return server

    yield start
    for server in running:
        server.__exit__()


@pytest.fixture
def serve() -> Iterator[Callable[..., Quick]]:
    """Makes servings that are cleaned up with the test."""
    made: list[Quick] = []

    def serve(server: FaultyServer | str, **settings: Any) -> Quick:
        url = server if isinstance(server, str) else server.url
        made.append(Quick(url, **({"model_name": "toy"} | settings)))
        return made[-1]

    yield serve
    for serving in made:
        serving.cleanup()


As = Callable[..., AbstractContextManager[Usage]]


@pytest.fixture
def acting(tmp_path: Path) -> Iterator[As]:
    """Makes the calls inside of it on behalf of an operator with a journal."""
    journals: set[Path] = set()

    @contextmanager
    def acting(operator: str = "Op:col", journal: str | None = "journal.sqlite") -> Iterator[Usage]:
        path = tmp_path / journal if journal else None
        usage = Usage()
        token = background.current_scope.set(Scope(operator, journal=path, usage=usage))
        if path:
            journals.add(path)
        try:
            yield usage
        finally:
            background.current_scope.reset(token)

    yield acting
    for path in journals:
        Journal.at(path).close()


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[str]:
    """The key that every test has set, and that no log line may hold."""
    monkeypatch.setenv("DF_API_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    yield KEY
    assert KEY not in caplog.text
