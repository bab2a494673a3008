"""Asking models on behalf of one row: through a serving's own engine, or through any object that answers lists."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from dataflow.core.background import current_scope
from dataflow.core.errors import CallError, ConfigError
from dataflow.core.protocols import LLMServing, Request, Scope


class Ask:
    """Asks the model about one row; each call of a row is a sample of its own.

    Raises:
        CallError: by a call, when it failed for good.
    """

    __slots__ = ("_batch", "_sample", "row", "scope", "serving")

    def __init__(self, serving: Any, scope: Scope, row: str, batch: ListCalls | None = None) -> None:
        self.serving, self.scope, self.row = serving, scope, row
        self._batch, self._sample = batch, 0

    async def __call__(
        self, prompt: str | Request, system: str | None = None, schema: Mapping[str, Any] | None = None
    ) -> str:
        request = prompt if isinstance(prompt, Request) else Request.of(prompt, system, schema)
        sample, self._sample = self._sample, self._sample + 1
        if self._batch is not None:
            return await self._batch.ask(request)
        reply = await self.serving.ask(request, self.scope, row=self.row, sample=sample)
        text: str = reply.text
        return text


def askers(serving: LLMServing | None, scope: Scope, rows: Sequence[str], operator: str) -> list[Ask]:
    """One asker a row; those of a serving that only answers lists share their calls."""
    if serving is None:
        raise ConfigError(f"{operator} needs llm_serving")
    shared = None if hasattr(serving, "ask") else ListCalls(serving, scope)
    return [Ask(serving, scope, row, shared) for row in rows]


class ListCalls:
    """Gathers the calls that rows make at the same moment into one call of `generate_from_input`."""

    def __init__(self, serving: LLMServing, scope: Scope) -> None:
        self._serving, self._scope = serving, scope
        self._waiting: list[tuple[Request, asyncio.Future[str]]] = []
        self._flush: asyncio.Task[None] | None = None

    async def ask(self, request: Request) -> str:
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, future))
        if self._flush is None or self._flush.done():
            self._flush = asyncio.create_task(self._send())
        return await future

    async def _send(self) -> None:
        while self._waiting:
            await asyncio.sleep(0)
            system, schema = _shape(self._waiting[0][0])
            group = [w for w in self._waiting if _shape(w[0]) == (system, schema)]
            self._waiting = [w for w in self._waiting if _shape(w[0]) != (system, schema)]
            await self._answer(group, system, schema)

    async def _answer(self, group: list[tuple[Request, asyncio.Future[str]]], system: str | None, schema: Any) -> None:
        prompts = [r.messages[-1]["content"] for r, _ in group]
        extra = {} if schema is None else {"json_schema": dict(schema)}
        token = current_scope.set(self._scope)
        try:
            replies = await asyncio.to_thread(self._serving.generate_from_input, prompts, system or "", **extra)
            _hand_out(group, replies, type(self._serving).__name__)
        except Exception as error:  # noqa: BLE001  # a serving's own error is the error of every row it was asked about
            for _, future in group:
                future.set_exception(CallError(f"{type(self._serving).__name__}: {error}"))
        finally:
            current_scope.reset(token)


def _shape(request: Request) -> tuple[str | None, Any]:
    first = request.messages[0]
    return (first["content"] if first["role"] == "system" else None), request.schema


def _hand_out(group: list[tuple[Request, asyncio.Future[str]]], replies: Sequence[str | None], name: str) -> None:
    if len(replies) != len(group):
        raise CallError(f"{len(replies)} replies to {len(group)} prompts")
    for (_, future), reply in zip(group, replies, strict=True):
        if reply is None:
            future.set_exception(CallError(f"{name} gave no reply"))
        else:
            future.set_result(reply)
