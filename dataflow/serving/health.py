"""Whether an endpoint still lives: outages that pass are waited out, a dead endpoint stops the run.

* **Outage.** `trip_after` tries in a row that failed, whoever sent them, make an outage: one call at a time is tried
  then, with doubled waits, and none of these tries counts. An answer ends it. An outage of `dead_s` stops the run,
  unless the endpoint gives a sign of life: then it is the calls that fail, not the endpoint, and tries count again.
* **Silence.** Where calls are in flight and nothing was heard for `silence_s`, not even a refusal, the endpoint is
  asked for a sign of life; without one the run stops. This finds the endpoint that accepts connections and hangs,
  and bears with a model that thinks for minutes.
* **Patience.** Nothing but 429 for `patience_s` stops the run.
* **Lost calls.** A call that takes far longer than its operator's others is taken for lost and tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable

from dataflow.core.errors import ServingError
from dataflow.serving.faults import Fault, Unreachable
from dataflow.serving.limiter import Lease, Limiter
from dataflow.serving.policy import Policy

SWEEP_S = 0.5
LONGEST_PROBE_S = 4.0
SAVED = "All replies so far are saved; run again when it answers."
KNOWN, ENOUGH, EVERY = 256, 100, 32

Alive = Callable[[], Awaitable[bool]]


class Pace:
    """How long the calls of one operator take: the 95th percentile of the last 256."""

    def __init__(self) -> None:
        self._last: deque[float] = deque(maxlen=KNOWN)
        self._seen = 0
        self.usual_s = math.inf

    def add(self, seconds: float) -> None:
        """Count a call, a lost one included: then calls that became slower on the whole are soon taken for usual."""
        self._last.append(seconds)
        self._seen += 1
        if self._seen >= ENOUGH and self._seen % EVERY == 4:
            self.usual_s = sorted(self._last)[len(self._last) * 95 // 100]


class Health:
    """What the answers of one endpoint, and their absence, tell of it."""

    def __init__(self, limiter: Limiter) -> None:
        self.limiter = limiter
        self.heard_ever = False
        self._heard = 0.0
        """When anything was last heard, or the first call was sent after a pause."""
        self._since = 0.0
        """When a call was last answered, or after a pause without calls the first was sent; 0 in such a pause."""
        self._faults, self._probes = 0, 0
        self._lives = False
        self._dead: ServingError | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self._asking: asyncio.Task[bool] | None = None
        self._watching: asyncio.Task[None] | None = None

    @property
    def is_out(self) -> bool:
        """Whether there is an outage, in which tries do not count."""
        return self._probes > 0 and not self._lives

    def sent(self, lease: Lease, policy: Policy, name: str, alive: Alive | None) -> None:
        """A call goes out."""
        if len(self.limiter.leases) == 1:
            self._heard = lease.begun
        self._since = self._since or lease.begun
        if self._sweeper is None:
            self._sweep_later(policy, name, alive)

    def answered(self) -> None:
        """A call was answered well."""
        self._heard = time.monotonic()
        self._since = self._heard if len(self.limiter.leases) > 1 else 0.0
        self._faults, self._probes, self._lives = 0, 0, False
        self.heard_ever = True

    def refused(self, policy: Policy, name: str, said: Fault) -> None:
        """A call was refused for now.

        Raises:
            ServingError: nothing else has happened for longer than the policy bears, or would before the next try.
        """
        self._heard, self.heard_ever = time.monotonic(), True
        self._faults = 0
        waited = self._heard - self._since + self.limiter.parked_s
        if self._since and waited > policy.patience_s:
            raise ServingError(
                f"{name} has refused every call for {self._for(self._heard)} and asks for {self.limiter.parked_s:.0f} s more "
                f"({said}). {SAVED}"
            )

    async def failed(self, fault: Fault, policy: Policy, name: str, alive: Alive | None) -> None:
        """A try failed.

        Raises:
            ServingError: the endpoint is dead.
        """
        now = time.monotonic()
        if not isinstance(fault, Unreachable):
            self._heard, self.heard_ever = now, True
        self._faults += 1
        if self._faults < policy.trip_after or self._lives:
            return
        if now - self._since >= policy.dead_s * (1.0 if self.heard_ever else 0.5):
            if not await self._gives_sign(alive, policy):
                raise self.dead(name, fault)
            self._lives = True
            return
        if not self.limiter.parked_s:
            wait = min(LONGEST_PROBE_S, policy.backoff_s * 2.0**self._probes)
            self._probes += 1
            self.limiter.park(min(wait, max(0.01, self._since + policy.dead_s - now)))

    def dead(self, name: str, fault: object) -> ServingError:
        """The error of an endpoint that does not answer."""
        said = "answered nothing" + ("" if self.heard_ever else " so far")
        return ServingError(f"{name} has {said} for {self._for(time.monotonic())} ({fault}). {SAVED}")

    def verdict(self, lease: Lease) -> Exception:
        """Why a call was cut off."""
        return self._dead or Fault(
            f"no answer within {time.monotonic() - lease.begun:.0f} s, far longer than usual"
        )

    def _for(self, now: float) -> str:
        began = time.strftime("%H:%M:%S", time.localtime(time.time() - (now - self._since)))
        return f"{now - self._since:.0f} s, since {began}"

    def _sweep_later(self, policy: Policy, name: str, alive: Alive | None) -> None:
        loop = asyncio.get_running_loop()
        self._sweeper = loop.call_later(SWEEP_S, self._sweep, policy, name, alive)

    def _sweep(self, policy: Policy, name: str, alive: Alive | None) -> None:
        self._sweeper = None
        if not self.limiter.leases:
            return
        now = time.monotonic()
        for lease in self.limiter.leases:
            if lease.timeout_s is not None and now - lease.begun >= lease.timeout_s():
                _cut_off(lease)
        if alive is not None and self._watching is None and now - self._heard >= policy.silence_s:
            self._watching = asyncio.create_task(self._ask(alive, policy, name))
        self._sweep_later(policy, name, alive)

    async def _gives_sign(self, alive: Alive | None, policy: Policy) -> bool:
        """Whether the endpoint answers an empty request; asked once for all that want to know."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(_is_alive(alive, policy))
        return await asyncio.shield(self._asking)

    async def _ask(self, alive: Alive, policy: Policy, name: str) -> None:
        asked = time.monotonic()
        try:
            living = await self._gives_sign(alive, policy)
        finally:
            self._watching = None
        if living or self._heard >= asked:
            self._heard = time.monotonic()
            return
        self._dead = self.dead(name, "calls hang, and it gives no sign of life")
        for lease in list(self.limiter.leases):
            _cut_off(lease)
        self._heard = time.monotonic()


def _cut_off(lease: Lease) -> None:
    lease.timeout_s = None
    if lease.task is not None:
        lease.expired = True
        lease.task.cancel()


async def _is_alive(alive: Alive | None, policy: Policy) -> bool:
    if alive is None:
        return False
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(policy.sign_of_life_s):
            return await alive()
    return False
