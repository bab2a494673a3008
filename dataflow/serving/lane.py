"""The way of a call to its endpoint: its turn, its tries, its waits between them."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

from dataflow.core.errors import CallError, ServingError
from dataflow.core.protocols import Scope
from dataflow.serving.counts import count_answered, count_failed, count_retried
from dataflow.serving.faults import Fault, Throttled
from dataflow.serving.health import SAVED, Health, Pace
from dataflow.serving.limiter import Lease, Limiter
from dataflow.serving.policy import Policy
from dataflow.serving.slots import Slots, Ticket

T = TypeVar("T")
GIVE_UP_AFTER = 8


class _Endpoint:
    """What is learned of an endpoint, shared by all servings of this process that ask it for the same."""

    def __init__(self, *, adaptive: bool) -> None:
        self.limiter = Limiter(adaptive=adaptive)
        self.health = Health(self.limiter)
        self.hopeless = 0
        """Calls in a row that ran out of tries."""


_known: WeakValueDictionary[Hashable, _Endpoint] = WeakValueDictionary()


def _endpoint(backend: Any) -> _Endpoint:
    key = getattr(backend, "endpoint", None)
    found = _known.get(key) if key is not None else None
    if found is None:
        found = _Endpoint(adaptive=getattr(backend, "limited", True))
        if key is not None:
            _known[key] = found
    return found


@dataclass(slots=True)
class _Call(Generic[T]):
    """One call and what became of its tries so far."""

    ask: Callable[[], Awaitable[T]]
    scope: Scope
    most: float
    """US dollars that a try can cost."""
    ticket: Ticket
    pace: Pace
    begun: float = 0.0
    tries: int = 0
    waits: int = 0
    lost: int = 0
    """Tries that were taken for lost."""


class Lane:
    """The calls of one serving to one back end."""

    def __init__(self, policy: Policy, name: str, backend: Any) -> None:
        self.policy, self.name, self.backend = policy, name, backend
        self.endpoint = _endpoint(backend)
        self.health, self.limiter = self.endpoint.health, self.endpoint.limiter
        self.slots = Slots(policy.workers, self.limiter)
        self._alive = getattr(backend, "alive", None)
        self._may_be_lost = bool(getattr(backend, "limited", True))
        self._paces: dict[str, Pace] = {}

    async def send(
        self, ask: Callable[[], Awaitable[T]], scope: Scope, *, most: float = 0.0, prefix: int = 0
    ) -> tuple[T, float]:
        """The result of a call and its seconds, tried as the policy says.

        Returns holding a slot and a reservation of `most` dollars, raises holding neither.
        """
        pace = self._paces.setdefault(scope.operator, Pace())
        call = _Call(ask, scope, most, self.slots.ticket(scope.depth, prefix), pace)
        wait = 0.0
        while True:
            lease = await self.slots.acquire(call.ticket, wait)
            try:
                result = await self._once(call, lease)
            except Fault as fault:
                self.slots.release()
                wait = await self._after(fault, call, lease)
                continue
            except BaseException:
                self.slots.release()
                self.limiter.failed(lease)
                count_failed(scope.usage)
                raise
            seconds = time.monotonic() - lease.begun
            self._answered(call, lease, seconds)
            return result, seconds

    async def _once(self, call: _Call[T], lease: Lease) -> T:
        """One try, cut off where it is taken for lost; its reservation stays only with an answer."""
        budget = call.scope.budget
        if budget is not None:
            await budget.reserve(call.most)
        lease.begun = time.monotonic()
        call.begun = call.begun or lease.begun
        if self._may_be_lost and call.tries < self.policy.max_retries:
            lease.timeout_s = partial(self._timeout_s, call)
        task = lease.task = asyncio.current_task()
        self.health.sent(lease, self.policy, self.name, self._alive)
        try:
            return await call.ask()
        except BaseException as error:
            if budget is not None:
                budget.settle(call.most, 0.0, lost=_may_be_billed(error))
            if isinstance(error, asyncio.CancelledError) and lease.expired and task and not task.uncancel():
                call.lost += 1
                call.pace.add(time.monotonic() - lease.begun)
                raise self.health.verdict(lease) from None
            raise
        finally:
            lease.task = None

    def _timeout_s(self, call: _Call[T]) -> float:
        """Seconds after which a try is taken for lost; the last one has all the time that the back end gives it."""
        usual = self.policy.slow_factor * call.pace.usual_s
        return max(self.policy.min_timeout_s, usual) * 2.0**call.lost

    def _answered(self, call: _Call[T], lease: Lease, seconds: float) -> None:
        self.endpoint.hopeless = 0
        self.health.answered()
        call.pace.add(seconds)
        quota = getattr(self.backend, "quota", None)
        if quota is not None:
            self.backend.quota = None
            calls_left, reset_s = quota
            self.limiter.hint(calls_left, reset_s, lease)
        self.limiter.answered(lease)
        count_answered(call.scope.usage, self.name, seconds)

    async def _after(self, fault: Fault, call: _Call[T], lease: Lease) -> float:
        """Seconds until the next try; raises where there is none."""
        try:
            wait = await self._wait(fault, call, lease)
        except BaseException:
            count_failed(call.scope.usage)
            raise
        if time.monotonic() - call.begun + max(wait, self.limiter.parked_s) > self.policy.deadline_s:
            raise self._out_of_tries(Fault("no answer within the deadline"), call)
        count_retried(call.scope.usage)
        return wait

    async def _wait(self, fault: Fault, call: _Call[T], lease: Lease) -> float:
        if isinstance(fault, Throttled):
            call.waits += 1
            self.limiter.refused(lease, fault.retry_after_s, self._backoff)
            self.health.refused(self.policy, self.name, fault)
            return 0.0
        self.limiter.failed(lease)
        await self.health.failed(fault, self.policy, self.name, self._alive)
        if self.health.is_out:
            return 0.0
        call.tries += 1
        if call.tries > self.policy.max_retries:
            raise self._out_of_tries(fault, call)
        return self._backoff(call.tries)

    def _backoff(self, tries: int) -> float:
        doubled = self.policy.backoff_s * 2.0 ** min(tries - 1, 30)
        return min(self.policy.max_backoff_s, doubled) * (0.5 + random.random() / 2)

    def _out_of_tries(self, fault: Fault, call: _Call[Any]) -> Exception:
        tries = call.tries + call.waits
        self.endpoint.hopeless += 1
        if not self.health.heard_ever:
            return ServingError(
                f"{self.name} has answered nothing so far, in {tries} tries ({fault}). {SAVED}"
            )
        if self.endpoint.hopeless >= GIVE_UP_AFTER:
            last = f"the last {self.endpoint.hopeless} calls failed after {tries} tries each"
            return ServingError(f"{self.name}: {last} ({fault}). {SAVED}")
        return CallError(f"{self.name}: {fault} ({tries} tries)", status=fault.status, attempts=tries)


def _may_be_billed(error: BaseException) -> bool:
    """Whether a try that failed may cost all the same: its request was sent, and its answer lost."""
    if isinstance(error, Fault):
        return error.sent
    return not isinstance(error, ServingError) and getattr(error, "status", None) is None
