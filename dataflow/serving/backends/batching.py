"""When a batch is cut, how patiently it is waited for, and what the provider lets wait."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from dataclasses import dataclass, field

from dataflow.core.errors import DataFlowError, ServingError
from dataflow.core.protocols import Reply, Request, Scope
from dataflow.serving.batch_ledger import Sent

log = logging.getLogger(__name__)


class BatchesPending(ServingError):
    """A run that does not wait for its batches: all is submitted; running it again collects what is ready."""


class Unattended(DataFlowError):
    """Nobody waits for a batch any more: it is left to the provider, and found again in the ledger."""


@dataclass(frozen=True)
class BatchPolicy:
    """When a batch is cut, and how patiently it is waited for."""

    max_requests: int = 50_000
    max_bytes: int = 190_000_000
    linger_s: float = 5.0
    """A batch is cut when no new call has come for so long, or it is full."""
    poll_s: float = 10.0
    """Wait before the second look at a batch; grows to six times as much, and is jittered."""
    window: str = "24h"
    wait: bool = True
    """Whether a run stays until its batches are through, or stops once they are submitted."""
    max_retries: int = 5
    """Further batches for a request whose line failed; further tries of the first contact."""
    backoff_s: float = 0.5
    max_backoff_s: float = 60.0
    outage_s: float = 3600.0
    """How long an endpoint that has answered before may fail without a pause."""
    lost_after_s: float = 60.0
    """A batch that was perhaps created, and is in no list after so long, was not."""
    full_s: float = 86_400.0
    """How long the provider's queue may be full before the run stops."""
    uploads: int = 2
    """Files uploaded at once."""

    def backoff(self, tries: int) -> float:
        """Seconds to wait after so many tries."""
        longest = min(self.max_backoff_s, self.backoff_s * 2.0 ** min(tries - 1, 20))
        return longest * (0.5 + random.random() / 2)


@dataclass(eq=False)
class Call:
    """One call of a row, until it has its answer."""

    request: Request
    scope: Scope
    future: asyncio.Future[Reply] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    waiting: int = 0

    def settle(self, outcome: Reply | Exception) -> None:
        if self.future.done():
            return
        if isinstance(outcome, Exception):
            self.future.set_exception(outcome)
            self.future.exception()  # marks it as seen, for its row may be gone
        else:
            self.future.set_result(outcome)


class Quota:
    """How many requests the provider lets wait at once, learned from its refusals."""

    def __init__(self, policy: BatchPolicy) -> None:
        self.policy = policy
        self.entering: set[str] = set()
        """Batches submitted of which it is not known whether they were let in."""
        self._learned: int | None = None
        self._refusals, self._since, self._until = 0, 0.0, 0.0

    @property
    def most(self) -> int:
        """Requests of one batch at most."""
        return min(self._learned or self.policy.max_requests, self.policy.max_requests)

    def admits(self) -> bool:
        """Whether another batch may be cut: after a refusal one at a time, each after a wait."""
        return not self._refusals or (not self.entering and time.monotonic() >= self._until)

    def refused(self, sent: Sent, others: bool) -> None:
        """The queue is full: wait; a batch that is too long for an empty queue is halved.

        Raises:
            ServingError: it has been full for a day.
        """
        self.entering.discard(sent.name)
        now = time.monotonic()
        self._since = self._since or now
        self._refusals += 1
        if not others:
            self._learned = max(1, sent.requests // 2)
        wait = min(600.0, self.policy.poll_s * 2.0 ** min(self._refusals - 1, 10))
        if now - self._since > self.policy.full_s:
            raise ServingError(
                f"the provider's queue has let no batch in for {self.policy.full_s / 3600:g} h; run again later"
            )
        self._until = now + wait
        log.warning("the provider's queue is full; the next batch is submitted in %.0f s", wait)

    def let_in(self, name: str) -> None:
        if name in self.entering:
            self.entering.discard(name)
            self._refusals, self._since = min(self._refusals, 1), 0.0

    def relieved(self) -> None:
        """A batch has ended, so there is room now."""
        self._until = 0.0
