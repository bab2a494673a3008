"""The request engine under every back end: slots, retries, the journal, usage. A back end only answers."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from dataflow.core.background import gathered
from dataflow.core.errors import CallError, ServingError
from dataflow.core.protocols import ChatBackend, EmbedBackend, Reply, Request, Scope, Usage
from dataflow.serving.faults import Fault, Throttled, Unreachable
from dataflow.serving.journal import Entry, Journal, key_of
from dataflow.serving.slots import Slots

log = logging.getLogger(__name__)
T = TypeVar("T")
LATENCIES_KEPT = 2000
GIVE_UP_AFTER = 8


@dataclass(frozen=True)
class Policy:
    """How hard a call is tried."""

    workers: int = 10
    """Calls in flight at most. A call is in flight until its reply is durable."""
    max_retries: int = 5
    """Further tries after a transport fault or a 5xx; a 429 is no try."""
    backoff_s: float = 0.5
    """Wait before the second try; doubled for each further one, and jittered."""
    max_backoff_s: float = 30.0
    deadline_s: float = 900.0
    """How long one call is tried from its first slot on, waits included."""
    price: tuple[float, float] = (0.0, 0.0)
    """US dollars for a million prompt tokens and a million completion tokens."""


class Engine:
    """Sends requests to one back end, each at most once for good.

    Raises, by its calls:
        CallError: a request refused, or out of tries: an error of that row.
        ServingError: a back end that answers nobody: the run should stop.
    """

    def __init__(self, policy: Policy, name: str) -> None:
        self.policy, self.name = policy, name
        self.slots = Slots(policy.workers)
        self._flying: dict[bytes, asyncio.Future[Entry]] = {}
        self._hopeless, self._heard = 0, False

    async def chat(
        self, backend: ChatBackend, request: Request, scope: Scope, row: str, sample: int
    ) -> Reply:
        """One reply, from the journal where it is there."""
        identity = backend.identity
        parts: list[Any] = [identity, request.messages, request.schema]
        if not identity.get("deterministic"):
            parts += [scope.operator, row, sample]

        key = key_of(*parts)

        async def send() -> list[Entry]:
            reply, seconds = await self._try(lambda: backend.chat(request), scope)
            body = (b"1" if reply.truncated else b"0") + reply.text.encode("utf-8", "surrogatepass")
            took = reply.prompt_tokens, reply.completion_tokens, seconds
            return [self._entry(key, body, scope, *took, row)]

        entry, cached = await self._once(key, scope, send, shared=bool(identity.get("deterministic")))
        text = entry.body[1:].decode("utf-8", "surrogatepass")
        return Reply(text, entry.prompt_tokens, entry.completion_tokens, cached, entry.body[:1] == b"1")

    async def embed(
        self, backend: EmbedBackend, texts: Sequence[str], scope: Scope, batch: int
    ) -> list[np.ndarray | CallError]:
        """One vector `(dim,) float32` a text, or why there is none; texts already in the journal are not sent."""
        keys = [key_of(backend.identity, text) for text in texts]
        journal = Journal.at(scope.journal) if scope.journal else None
        known = {k: e for k in dict.fromkeys(keys) if journal and (e := journal.get(k))}
        missing = [(k, t) for k, t in dict(zip(keys, texts, strict=True)).items() if k not in known]
        groups = [missing[i : i + batch] for i in range(0, len(missing), batch)]
        for entry in known.values():
            _saved(scope.usage, entry)
        made: dict[bytes, Entry | CallError] = {**known}
        for part in await gathered(self._embed_group(backend, g, scope, journal) for g in groups):
            made |= part
        found = [made[k] for k in keys]
        return [np.frombuffer(e.body, np.float32) if isinstance(e, Entry) else e for e in found]

    async def _embed_group(
        self, backend: EmbedBackend, group: list[tuple[bytes, str]], scope: Scope, journal: Journal | None
    ) -> Mapping[bytes, Entry | CallError]:
        async def call() -> tuple[np.ndarray, int]:
            vectors, tokens = await backend.embed([t for _, t in group])
            if len(vectors) != len(group):
                raise Fault(f"{len(vectors)} vectors for {len(group)} texts")
            return np.asarray(vectors, np.float32), tokens

        async def send() -> list[Entry]:
            (rows, tokens), seconds = await self._try(call, scope)
            each = tokens // len(group)
            return [
                self._entry(k, v.tobytes(), scope, each, 0, seconds)
                for (k, _), v in zip(group, rows, strict=True)
            ]

        try:
            entries = await self._in_slot(send, journal)
        except CallError as error:
            log.warning("%s: %d texts were not embedded: %s", self.name, len(group), error)
            return {key: error for key, _ in group}
        return {e.key: e for e in entries}

    async def _once(
        self, key: bytes, scope: Scope, send: Callable[[], Awaitable[list[Entry]]], *, shared: bool
    ) -> tuple[Entry, bool]:
        """The entry of a key: from the journal, from the same request now in flight, or sent."""
        journal = Journal.at(scope.journal) if scope.journal else None
        if journal is not None and (entry := journal.get(key)):
            _saved(scope.usage, entry)
            return entry, True
        while shared and (flying := self._flying.get(key)):
            if (entry := await _followed(flying)) is None:
                continue
            if journal is not None and journal.get(key) is None:
                await journal.put([entry])
            _saved(scope.usage, entry)
            return entry, True
        if not shared:
            return (await self._in_slot(send, journal))[0], False
        return await self._lead(key, lambda: self._in_slot(send, journal)), False

    async def _lead(self, key: bytes, work: Callable[[], Awaitable[list[Entry]]]) -> Entry:
        """Send a request that others may be waiting for."""
        future: asyncio.Future[Entry] = asyncio.get_running_loop().create_future()
        self._flying[key] = future
        try:
            (entry,) = await work()
        except BaseException as error:
            if isinstance(error, Exception):
                future.set_exception(error)
                future.exception()
            else:
                future.cancel()
            raise
        finally:
            del self._flying[key]
        future.set_result(entry)
        return entry

    async def _in_slot(
        self, send: Callable[[], Awaitable[list[Entry]]], journal: Journal | None
    ) -> list[Entry]:
        """What was sent for, its slot held until it is durable."""
        entries = await send()
        try:
            if journal is not None:
                await journal.put(entries)
        finally:
            self.slots.release()
        return entries

    async def _try(self, call: Callable[[], Awaitable[T]], scope: Scope) -> tuple[T, float]:
        """The result of a call, tried as the policy says; returns holding a slot, raises holding none."""
        started, tries, waits = 0.0, 0, 0
        while True:
            await self.slots.acquire(scope.depth)
            try:
                begun = time.monotonic()
                started = started or begun
                result = await call()
            except Throttled as fault:
                self.slots.release()
                waits += 1
                wait = (
                    fault.retry_after_s if fault.retry_after_s is not None else self._backoff(min(waits, 6))
                )
            except Fault as fault:
                self.slots.release()
                tries += 1
                wait = self._backoff(tries)
                if tries > self.policy.max_retries:
                    raise self._failed(fault, tries, scope) from None
            except BaseException:
                self.slots.release()
                _count(scope.usage, failed=1)
                raise
            else:
                self._hopeless, self._heard = 0, True
                _took(scope.usage, self.name, time.monotonic() - begun)
                return result, time.monotonic() - begun
            if time.monotonic() - started + wait > self.policy.deadline_s:
                raise self._failed(Fault("no answer within the deadline"), tries + waits, scope)
            _count(scope.usage, retried=1)
            await asyncio.sleep(wait + random.random() * 0.1 * wait)

    def _backoff(self, tries: int) -> float:
        return min(self.policy.max_backoff_s, self.policy.backoff_s * 2.0 ** (tries - 1)) * (
            0.5 + random.random() / 2
        )

    def _failed(self, fault: Fault, tries: int, scope: Scope) -> Exception:
        _count(scope.usage, failed=1)
        self._hopeless += 1
        self._heard = self._heard or not isinstance(fault, Unreachable)
        saved = "All replies so far are saved; run again when it answers."
        if not self._heard:
            return ServingError(
                f"{self.name} has answered nothing so far, in {tries} tries ({fault}). {saved}"
            )
        if self._hopeless >= GIVE_UP_AFTER:
            last = f"the last {self._hopeless} calls failed after {tries} tries each"
            return ServingError(f"{self.name}: {last} ({fault}). {saved}")
        return CallError(f"{self.name}: {fault} ({tries} tries)", status=fault.status, attempts=tries)

    def _entry(
        self,
        key: bytes,
        body: bytes,
        scope: Scope,
        prompt: int,
        completion: int,
        seconds: float,
        row: str = "",
    ) -> Entry:
        per_prompt, per_completion = self.policy.price
        cost = (prompt * per_prompt + completion * per_completion) / 1e6
        if scope.usage is not None:
            scope.usage.prompt_tokens += prompt
            scope.usage.completion_tokens += completion
            scope.usage.cost += cost
        return Entry(key, body, scope.operator, self.name, prompt, completion, cost, seconds, row)


async def _followed(flying: asyncio.Future[Entry]) -> Entry | None:
    """The entry that another call is waiting for; null where that call was cancelled."""
    try:
        return await asyncio.shield(flying)
    except asyncio.CancelledError:
        if not flying.cancelled():
            raise
        return None


def _saved(usage: Usage | None, entry: Entry) -> None:
    if usage is not None:
        usage.cached += 1
        usage.saved_prompt_tokens += entry.prompt_tokens
        usage.saved_completion_tokens += entry.completion_tokens
        usage.saved_cost += entry.cost


def _count(usage: Usage | None, *, failed: int = 0, retried: int = 0) -> None:
    if usage is not None:
        usage.failed += failed
        usage.retried += retried


def _took(usage: Usage | None, model: str, seconds: float) -> None:
    if usage is None:
        return
    usage.calls += 1
    usage.models.add(model)
    if len(usage.latencies) < LATENCIES_KEPT:
        usage.latencies.append(seconds)
    elif (i := random.randrange(usage.calls)) < LATENCIES_KEPT:
        usage.latencies[i] = seconds
