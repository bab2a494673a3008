"""What goes wrong at a faulty server, and how long an answer takes, decided by the request alone."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property
from hashlib import blake2b
from itertools import accumulate

from dataflow.core.errors import ConfigError

Latency = float | Callable[[random.Random], float]
"""Seconds, or a function that draws them."""


@dataclass(frozen=True)
class Faults:
    """What goes wrong, as the probability that one attempt at one request meets it; at most one fault each."""

    status_400: float = 0.0
    """Rejected at once."""
    status_429: float = 0.0
    """Rejected at once, with `Retry-After: retry_after_s`."""
    status_500: float = 0.0
    """Fails after the latency."""
    drop: float = 0.0
    """The connection closes without a response."""
    truncated: float = 0.0
    """The connection closes before the announced end of the body."""
    malformed: float = 0.0
    """200 with half a JSON document."""
    empty: float = 0.0
    """200 with null content, or without embeddings."""
    hang: float = 0.0
    """A good answer, `hang_s` late."""
    slow_tail: float = 0.0
    """A good answer after 20 times the latency."""
    hang_s: float = 60.0
    retry_after_s: float = 1.0
    first_attempts: int | None = None
    """Only the first so many attempts at a request can fail; None for no limit."""

    def __post_init__(self) -> None:
        chances = [getattr(self, name) for name in _FAULTS]
        if min(chances) < 0 or sum(chances) > 1 + 1e-9:
            raise ConfigError(f"Faults: probabilities are >= 0 and sum to at most 1; there are {self}")

    @cached_property
    def _bounds(self) -> list[tuple[float, str]]:
        chances = {name: getattr(self, name) for name in _FAULTS if getattr(self, name)}
        return list(zip(accumulate(chances.values()), chances, strict=True))

    def draw(self, seed: int, key: str, attempt: int) -> str:
        """Name the fault that the `attempt`-th try (from 0) at a request meets, or ''."""
        if not self._bounds or (self.first_attempts is not None and attempt >= self.first_attempts):
            return ""
        digest = blake2b(f"{seed}/{key}/{attempt}".encode(), digest_size=8).digest()
        chance = int.from_bytes(digest) / 2**64
        return next((name for bound, name in self._bounds if chance < bound), "")

    def delay(self, fault: str, latency: Latency, seed: int, key: str, attempt: int) -> float:
        """Seconds until the answer to the `attempt`-th try, which meets `fault`."""
        if callable(latency):
            latency = latency(random.Random(f"{seed}/{key}/{attempt}"))
        if fault == "hang":
            return latency + self.hang_s
        return latency * 20 if fault == "slow_tail" else latency


_FAULTS = tuple(f.name for f in fields(Faults) if not f.name.endswith(("_s", "_attempts")))


def lognormal(median_s: float, sigma: float) -> Callable[[random.Random], float]:
    """Draw latencies from a log-normal distribution, the usual shape of a model server's."""
    return lambda rng: rng.lognormvariate(math.log(median_s), sigma)
