"""What changes at a faulty server with time: limits that move, quotas that fill up again, outages that pass."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Clock:
    """Runs from the first request on; until then, and without a schedule, nothing is limited."""

    admit_schedule: Sequence[tuple[float, int]]
    quota: tuple[int, float] | None
    outages: Sequence[tuple[float, float]]
    _began: float = field(default=0.0, init=False)
    _window: int = field(default=0, init=False)
    _taken: int = field(default=0, init=False)

    def reset(self) -> None:
        """Begin anew with the next request."""
        self._began, self._window, self._taken = 0.0, 0, 0

    def is_outage(self) -> bool:
        now = self._now()
        return any(begin <= now < end for begin, end in self.outages)

    def admits(self, otherwise: int | None) -> int | None:
        """The requests that may be under way now; `otherwise` where no schedule says it."""
        if not self.admit_schedule:
            return otherwise
        left = self._now() % sum(seconds for seconds, _ in self.admit_schedule)
        for seconds, admit in self.admit_schedule:
            if left < seconds:
                return admit
            left -= seconds
        return self.admit_schedule[-1][1]

    def take(self) -> bool:
        """Take one request of the quota; false where nothing is left of it."""
        if self.quota is None:
            return True
        requests, seconds = self.quota
        if (window := int(self._now() / seconds)) != self._window:
            self._window, self._taken = window, 0
        self._taken += 1
        return self._taken <= requests

    def quota_headers(self) -> bytes:
        """What is left of the quota, as header lines."""
        if self.quota is None:
            return b""
        requests, seconds = self.quota
        left, reset = max(0, requests - self._taken), seconds - self._now() % seconds
        lines = b"x-ratelimit-remaining-requests: %d\r\nx-ratelimit-reset-requests: %.3fs\r\n"
        return lines % (left, reset)

    def _now(self) -> float:
        self._began = self._began or time.monotonic()
        return time.monotonic() - self._began
