"""Gathering calls into batches: who waits for what, and when a batch is cut."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar
from uuid import uuid4

import orjson

from dataflow.core.errors import CallError, DataFlowError, ServingError
from dataflow.core.protocols import Reply, Request, Scope
from dataflow.serving.backends.batches import BatchConnection, request_line
from dataflow.serving.backends.batching import BatchesPending, BatchPolicy, Call, Quota, Unattended
from dataflow.serving.backends.courier import Courier
from dataflow.serving.backends.openai import Endpoint, read_reply
from dataflow.serving.batch_ledger import BatchLedger, Sent
from dataflow.serving.faults import Fault, Throttled
from dataflow.serving.journal import Journal, key_of

log = logging.getLogger(__name__)
T = TypeVar("T")
Payload = Callable[[Request], Mapping[str, Any]]
"""The body of the online request."""


class Gatherer:
    """The calls that wait for one ledger's batches.

    Where all calls have gone, because they are answered or the run was stopped, its tasks end; what is at the provider
    stays in the ledger, and the next call that is part of it takes it up.
    """

    _open: ClassVar[dict[tuple[Path, str, bytes], Gatherer]] = {}

    @classmethod
    def at(
        cls, path: Path, journal: Path | None, endpoint: Endpoint, payload: Payload, policy: BatchPolicy
    ) -> Gatherer:
        """The gatherer of a ledger and an endpoint: one in a process, so that servings which are alike share it.

        The policy of the last to come holds. Each ends its use with `leave`.
        """
        name = path.absolute(), endpoint.url, key_of(endpoint.identity)
        gatherer = cls._open.get(name)
        if gatherer is None or not path.exists():  # a run's folder may be deleted meanwhile
            gatherer = cls._open[name] = cls(path, journal, endpoint, payload, policy)
        gatherer.users += 1
        gatherer.policy = gatherer.quota.policy = policy
        return gatherer

    def __init__(
        self, path: Path, journal: Path | None, endpoint: Endpoint, payload: Payload, policy: BatchPolicy
    ) -> None:
        self.connection, self.policy, self.journal = BatchConnection(endpoint), policy, journal
        self.users = 0
        self.ledger, self.quota = BatchLedger(path), Quota(policy)
        self.uploads = asyncio.Semaphore(policy.uploads)
        self.failures = 0
        """Batches in a row that were not accepted."""
        self._payload = payload
        self._calls: dict[bytes, Call] = {}
        self._queue: dict[bytes, bytes] = {}
        self._given: set[bytes] = set()
        self._couriers: dict[str, tuple[Courier, asyncio.Task[None]]] = {}
        self._pacer: asyncio.Task[None] | None = None
        self._idle, self._heard, self._stirred = asyncio.Event(), False, 0.0
        self._swept = asyncio.ensure_future(asyncio.to_thread(self.sweep))

    async def ask(self, request: Request, key: bytes, scope: Scope) -> Reply:
        """The reply of a batch: one that is under way already, or the next."""
        await asyncio.shield(self._swept)
        new = key not in self._calls
        call = self._calls.setdefault(key, Call(request, scope))
        call.waiting += 1
        try:
            if new:
                self._idle.clear()
                await self._start(key, call)
            return await asyncio.shield(call.future)
        finally:
            call.waiting -= 1
            if not call.waiting:
                self._leave(key)

    async def _start(self, key: bytes, call: Call) -> None:
        try:
            await self.place(key)
        except DataFlowError as error:
            call.settle(error)

    def _leave(self, key: bytes) -> None:
        self._calls.pop(key, None)
        self._queue.pop(key, None)
        if not self._calls and not self._idle.is_set():
            self._idle.set()
            if any(c.seen for c, _ in self._couriers.values()):
                log.warning("%s; run again to collect them", self._at_provider())

    async def place(self, key: bytes) -> None:
        """Answer a call from the ledger, have it wait for the batch it is in, or put it into the next."""
        if key in self._given:  # its reply was journalled, and set aside since: it is asked anew
            self._given.discard(key)
            await asyncio.to_thread(self.ledger.forget, [key])
        known = self.ledger.find(key)
        self._stirred = time.monotonic()
        if known is not None and known.body is not None:
            self.deliver(key)
        elif known is not None and known.batch is not None:
            self._attend(known.batch)
        else:
            self._enqueue(key)
        self._keep_pace()

    def deliver(self, key: bytes) -> None:
        """Hand the answer that the ledger holds to its call, if that still waits."""
        call, known = self._calls.get(key), self.ledger.find(key)
        if call is None or known is None or known.body is None:
            return
        self._given.add(key)
        self._stirred = time.monotonic()
        try:
            call.settle(read_reply(orjson.loads(known.body)))
        except (Fault, CallError) as error:
            call.settle(CallError(str(error)))

    def again(self, key: bytes, tries: int, why: str) -> bool:
        """Put a call into the next batch; false where it has had its tries, and fails."""
        call = self._calls.get(key)
        if call is None or call.future.done():
            return True
        if tries > self.policy.max_retries:
            call.settle(CallError(f"{why} ({tries} tries)", attempts=tries))
            return False
        if tries and call.scope.usage is not None:
            call.scope.usage.retried += 1
        self._enqueue(key)
        self._keep_pace()
        return True

    def refuse(self, key: bytes, error: Exception) -> None:
        if call := self._calls.get(key):
            call.settle(error)

    def fail(self, error: Exception) -> None:
        """Nothing can be answered now: every call has this error."""
        for call in list(self._calls.values()):
            call.settle(error)

    def _enqueue(self, key: bytes) -> None:
        call = self._calls.get(key)
        if call is None:
            return
        line = request_line(key, self._payload(call.request))
        if len(line) > self.policy.max_bytes:
            call.settle(
                CallError(f"a request of {len(line):,} bytes; a batch takes {self.policy.max_bytes:,}")
            )
            return
        self._queue[key] = line
        if len(self._queue) >= self.quota.most and self.quota.admits():
            self._cut()

    def _cut(self) -> None:
        """Send off what waits, as far as it fits into one batch."""
        lines: dict[bytes, bytes] = {}
        room = self.policy.max_bytes
        for key, line in self._queue.items():
            room -= len(line)
            if room < 0 or len(lines) >= self.quota.most:
                break
            lines[key] = line
        for key in lines:
            del self._queue[key]
        endpoint = self.connection.endpoint
        self._carry(Courier(self, Sent(uuid4().hex, endpoint.url, endpoint.model), lines))

    def _attend(self, name: str) -> None:
        if name in self._couriers or (sent := self.ledger.batch(name)) is None:
            return
        if sent.url != self.connection.endpoint.url:
            raise ServingError(
                f"{sent.requests:,} requests are in a batch at {sent.url}; collect it with that api_url, or cancel it "
                "(`dataflow batches`)"
            )
        self._carry(Courier(self, sent))

    def _carry(self, courier: Courier) -> None:
        name = courier.sent.name
        self.quota.entering.add(name)

        async def work() -> None:
            try:
                await courier.carry()
            finally:
                self._couriers.pop(name, None)
                self.quota.entering.discard(name)
            self._keep_pace()

        self._couriers[name] = courier, asyncio.create_task(self._guarded(work()))

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Unattended:
            pass
        except DataFlowError as error:
            self.fail(error)
        except Exception as error:  # a task has no caller: whoever waits for it must hear of it
            log.exception("a batch could not be carried through")
            self.fail(ServingError(f"{type(error).__name__}: {error}"))

    def _keep_pace(self) -> None:
        if self._calls and (self._pacer is None or self._pacer.done()):
            self._pacer = asyncio.create_task(self._guarded(self._pace()))

    async def _pace(self) -> None:
        """Cut a batch when nothing new has come for a while; stop a run that does not wait once all is submitted."""
        while self._calls and (self._queue or not self.policy.wait):
            rest = self._stirred + self.policy.linger_s - time.monotonic()
            if rest > 0:
                await self.nap(rest)
            elif self._queue and self.quota.admits():
                self._cut()
            elif not self._queue and all(c.seen for c, _ in self._couriers.values()):
                self.fail(BatchesPending(f"{self._at_provider()}; run again to collect them"))
                return
            else:
                await self.nap(min(1.0, self.policy.poll_s))

    def _at_provider(self) -> str:
        sent = [c.sent.requests for c, _ in self._couriers.values() if c.seen]
        batches = "1 batch" if len(sent) == 1 else f"{len(sent):,} batches"
        return f"{batches} with {sum(sent):,} requests are at {self.connection.endpoint.url}"

    async def nap(self, seconds: float) -> None:
        """Wait, for as long as somebody waits for what comes after it."""
        try:
            await asyncio.wait_for(self._idle.wait(), seconds)
        except TimeoutError:
            return
        if self._idle.is_set():
            raise Unattended

    async def patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """The result of a call to the endpoint, tried again while it fails for reasons of its own.

        Raises:
            ServingError: it has not answered for long.
        """
        tries, since = 0, time.monotonic()
        while True:
            try:
                result = await call()
            except Fault as fault:
                tries += 1
                self._heard = self._heard or isinstance(fault, Throttled)
                patience = self.policy.outage_s if self._heard else 0.0
                if tries > self.policy.max_retries and time.monotonic() - since >= patience:
                    raise ServingError(f"{fault} ({tries} tries). All is saved; run again later.") from None
                told = fault.retry_after_s if isinstance(fault, Throttled) else None
                await self.nap(told if told is not None else self.policy.backoff(tries))
            else:
                self._heard = True
                return result

    @property
    def carrying(self) -> int:
        """Batches under way."""
        return len(self._couriers)

    def sweep(self) -> None:
        """Let go of answers that the journal has; on a worker thread."""
        kept = self.ledger.answered()
        if not kept or self.journal is None or not self.journal.exists():
            return
        journal = Journal(self.journal)
        try:
            self.ledger.forget([key for key in kept if journal.get(key) is not None])
        finally:
            journal.close()

    async def leave(self) -> None:
        """End one use; the last one closes the connection and the ledger."""
        self.users -= 1
        if self.users:
            return
        for name in [n for n, gatherer in self._open.items() if gatherer is self]:
            del self._open[name]
        self._idle.set()
        tasks = [task for _, task in self._couriers.values()] + ([self._pacer] if self._pacer else [])
        await asyncio.gather(self._swept, *tasks, return_exceptions=True)
        await asyncio.to_thread(self.sweep)
        self.ledger.close()
        await self.connection.close()
