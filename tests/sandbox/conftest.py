"""One sandbox for the tests, and none where the machine has no isolation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dataflow.core.errors import ConfigError
from dataflow.sandbox import Limits, Sandbox

SMALL = Limits(seconds=2, memory_bytes=256 << 20, scratch_bytes=32 << 20, files=2000, output_bytes=4 << 20)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    try:
        made = Sandbox(SMALL, workers=4)
    except ConfigError as error:
        pytest.skip(f"no isolation here: {error}")
    with made:
        yield made
