"""The request engine under every back end: the journal, requests asked once, usage. A back end only answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from dataflow.core.background import gathered
from dataflow.core.errors import CallError, ServingError
from dataflow.core.protocols import ChatBackend, EmbedBackend, Reply, Request, Scope
from dataflow.serving.budget import most_for_chat, most_for_texts
from dataflow.serving.counts import count_saved, count_spent
from dataflow.serving.faults import Fault
from dataflow.serving.journal import Entry, Journal, key_of
from dataflow.serving.lane import Lane
from dataflow.serving.policy import Policy
from dataflow.serving.prefix import prefix_of

__all__ = ["Engine", "Policy"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Sending:
    """A request on its way: what sends it, and what must be given back when its reply is durable."""

    lane: Lane
    scope: Scope
    journal: Journal | None
    most: float
    send: Callable[[], Awaitable[list[Entry]]]

    async def entries(self) -> list[Entry]:
        """What was sent for; slot and reservation are held until it is durable."""
        entries = await self.send()
        try:
            if self.journal is not None:
                await self.journal.put(entries)
        finally:
            self.lane.slots.release()
            if self.scope.budget is not None:
                self.scope.budget.settle(self.most, sum(e.cost for e in entries))
        return entries


class Engine:
    """Sends requests to back ends, each at most once for good.

    Raises, by its calls:
        CallError: a request refused, or out of tries: an error of that row.
        ServingError: a back end that answers nobody, or a budget that is spent: the run should stop.
    """

    def __init__(self, policy: Policy, name: str) -> None:
        self.policy, self.name = policy, name
        self._lanes: dict[str, Lane] = {}
        self._flying: dict[bytes, asyncio.Future[Entry]] = {}

    async def chat(
        self, backend: ChatBackend, request: Request, scope: Scope, row: str, sample: int
    ) -> Reply:
        """One reply, from the journal where it is there."""
        identity = backend.identity
        shared = bool(identity.get("deterministic"))
        parts: list[Any] = [identity, request.messages, request.schema]
        key = key_of(*parts) if shared else key_of(*parts, scope.operator, row, sample)
        journal = Journal.at(scope.journal) if scope.journal else None
        if journal is not None and (entry := journal.get(key)):
            count_saved(scope.usage, entry)
            return _reply(entry, cached=True)
        if scope.replay is not None:
            raise _not_recorded(scope, row)
        most = most_for_chat(request, identity, self.policy, self.name) if scope.budget else 0.0
        lane, chat_as = self._lane("chat", backend), getattr(backend, "chat_as", None)
        ask = partial(backend.chat, request) if chat_as is None else partial(chat_as, request, key, scope)
        prefix = prefix_of(request) if self.policy.prefix_order else 0

        async def send() -> list[Entry]:
            reply, seconds = await lane.send(ask, scope, most=most, prefix=prefix)
            body = (b"1" if reply.truncated else b"0") + reply.text.encode("utf-8", "surrogatepass")
            if scope.usage is not None:
                scope.usage.cached_tokens += reply.cached_tokens
            return [self._entry(key, body, scope, reply.prompt_tokens, reply.completion_tokens, seconds, row)]

        sending = _Sending(lane, scope, journal, most, send)
        if not shared:
            return _reply((await sending.entries())[0], cached=False)
        entry, cached = await self._once(key, sending)
        return _reply(entry, cached=cached)

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
            count_saved(scope.usage, entry)
        if missing and scope.replay is not None:
            raise _not_recorded(scope, f"with the text {missing[0][1][:60]!r}")
        made: dict[bytes, Entry | CallError] = {**known}
        for part in await gathered(self._embed_group(backend, g, scope, journal) for g in groups):
            made |= part
        found = [made[k] for k in keys]
        return [np.frombuffer(e.body, np.float32) if isinstance(e, Entry) else e for e in found]

    async def _embed_group(
        self, backend: EmbedBackend, group: list[tuple[bytes, str]], scope: Scope, journal: Journal | None
    ) -> Mapping[bytes, Entry | CallError]:
        lane, texts = self._lane("embed", backend), [text for _, text in group]
        most = most_for_texts(texts, self.policy, self.name) if scope.budget else 0.0

        async def send() -> list[Entry]:
            (rows, tokens), seconds = await lane.send(partial(_vectors, backend, texts), scope, most=most)
            each, more = divmod(tokens, len(group))
            return [
                self._entry(k, v.tobytes(), scope, each + (i < more), 0, seconds / len(texts))
                for i, ((k, _), v) in enumerate(zip(group, rows, strict=True))
            ]

        try:
            entries = await _Sending(lane, scope, journal, most, send).entries()
        except CallError as error:
            log.warning("%s: %d texts were not embedded: %s", self.name, len(group), error)
            return {key: error for key, _ in group}
        return {e.key: e for e in entries}

    def _lane(self, kind: str, backend: Any) -> Lane:
        lane = self._lanes.get(kind)
        if lane is None or lane.backend is not backend:
            lane = self._lanes[kind] = Lane(self.policy, self.name, backend)
        return lane

    async def _once(self, key: bytes, sending: _Sending) -> tuple[Entry, bool]:
        """The entry of a key that several may ask for: from the same request now in flight, or sent."""
        while flying := self._flying.get(key):
            if (entry := await _followed(flying)) is None:
                continue
            journal = sending.journal
            if journal is not None and journal.get(key) is None:
                await journal.put([entry])
            count_saved(sending.scope.usage, entry)
            return entry, True
        return await self._lead(key, sending), False

    async def _lead(self, key: bytes, sending: _Sending) -> Entry:
        """Send a request that others may be waiting for."""
        future: asyncio.Future[Entry] = asyncio.get_running_loop().create_future()
        self._flying[key] = future
        try:
            (entry,) = await sending.entries()
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
        count_spent(scope.usage, prompt, completion, cost)
        return Entry(key, body, scope.operator, self.name, prompt, completion, cost, seconds, row)


def _reply(entry: Entry, *, cached: bool) -> Reply:
    text = entry.body[1:].decode("utf-8", "surrogatepass")
    return Reply(text, entry.prompt_tokens, entry.completion_tokens, cached, entry.body[:1] == b"1")


async def _vectors(backend: EmbedBackend, texts: list[str]) -> tuple[np.ndarray, int]:
    vectors, tokens = await backend.embed(texts)
    if len(vectors) != len(texts):
        raise Fault(f"{len(vectors)} vectors for {len(texts)} texts")
    return np.asarray(vectors, np.float32), tokens


async def _followed(flying: asyncio.Future[Entry]) -> Entry | None:
    """The entry that another call is waiting for; null where that call was cancelled."""
    try:
        return await asyncio.shield(flying)
    except asyncio.CancelledError:
        if not flying.cancelled():
            raise
        return None


def _not_recorded(scope: Scope, row: str) -> Exception:
    """Why a replay has no reply: the call had failed when it was recorded, or other things are asked now."""
    assert scope.replay is not None
    if row in scope.replay:
        return CallError(scope.replay[row])
    step = f"step {scope.depth} {scope.operator.partition(':')[0]}"
    return ServingError(
        f"the recording has no reply for {step}, row {row}: it was made with other prompts, models or rows; "
        "record it anew"
    )
