"""What a faulty server counts."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any


class Counters:
    """The counters of a server, which tests read at any time."""

    in_flight: int = 0

    def reset_counters(self) -> None:
        """Set every counter to zero but that of the requests in flight."""
        self.calls = 0
        """Complete chat and embedding requests that arrived, whatever became of them, outages aside."""
        self.answered = 0
        """Requests answered 200 with a good body."""
        self.refused = 0
        """Requests turned away while `down`."""
        self.prompts: Counter[str] = Counter()
        """How often each request was asked, by `request_key`."""
        self.faulted: Counter[str] = Counter()
        """How often each fault was met."""
        self.limited = 0
        """Requests refused with 429 because of `admit`, `admit_schedule` or `quota`."""
        self.log: list[dict[str, Any]] = []
        """With `keep_log`, the time, status, key and fault of each request; 0 for a drop, 499 for a lost client."""
        self.peak_in_flight = self.in_flight

    @property
    def repeated(self) -> int:
        """Count the calls beyond the first of each request."""
        return self.calls - len(self.prompts)

    def stats(self) -> dict[str, Any]:
        """Return the counters as plain values; `cpu_s` is that of the whole process."""
        names = ("calls", "answered", "refused", "limited", "repeated", "in_flight", "peak_in_flight")
        counts = {name: getattr(self, name) for name in names}
        return counts | {
            "unique": len(self.prompts),
            "faulted": dict(self.faulted),
            "cpu_s": time.process_time(),
        }
