"""Asking models on behalf of one row: through a serving's own engine, or through any object that answers lists."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from dataflow.core import background
from dataflow.core.background import current_scope, gathered
from dataflow.core.errors import STOPPING, CallError, ConfigError, ReplyError, RowError
from dataflow.core.frames import dumps
from dataflow.core.outcome import Failure
from dataflow.core.protocols import LLMServing, Reply, Request, Scope, Usage

T = TypeVar("T")
_REFUSED = "An earlier reply to this could not be used: {fault}. Avoid that mistake, and keep to the form asked for above."
_SCHEMA = " It must meet this JSON schema:\n{schema}"


class Ask:
    """Asks the model about one row; each call of a row is a sample of its own.

    Raises:
        CallError: by a call, when it failed for good.
        ReplyError: by a call, when the reply was cut off, or could not be read in the end.
    """

    __slots__ = ("_batch", "_sample", "args", "row", "scope", "serving")

    def __init__(
        self,
        serving: Any,
        scope: Scope,
        row: str,
        batch: ListCalls | None = None,
        args: Mapping[str, Any] | None = None,
    ) -> None:
        self.serving, self.scope, self.row, self.args = serving, scope, row, args or {}
        self._batch, self._sample = batch, 0

    async def __call__(
        self, prompt: str | Request, system: str | None = None, schema: Mapping[str, Any] | None = None
    ) -> str:
        """The reply as it comes, once: what a model is measured by."""
        request = prompt if isinstance(prompt, Request) else Request.of(prompt, system, schema)
        return (await self._reply(request, self._drawn())).whole().text

    async def read(
        self,
        prompt: str | Request,
        parse: Callable[[str], T],
        system: str | None = None,
        schema: Mapping[str, Any] | None = None,
    ) -> T:
        """What `parse` makes of the reply.

        Where it raises `ReplyError`, or the reply is cut off, the request is made again with that fault, as often as the
        serving's `repairs` allow.
        """
        request = prompt if isinstance(prompt, Request) else Request.of(prompt, system, schema)
        return await repaired(
            request,
            partial(self._reply, sample=self._drawn()),
            lambda reply: parse(reply.whole().text),
            getattr(self.serving, "repairs", 0),
            self.scope.usage,
        )

    def _drawn(self) -> int:
        """The number of the next draw."""
        self._sample += 1
        return self._sample - 1

    async def _reply(self, request: Request, sample: int) -> Reply:
        if self._batch is not None:
            return Reply(await self._batch.ask(request))
        reply: Reply = await self.serving.ask(request, self.scope, row=self.row, sample=sample)
        return reply


async def repaired(
    request: Request,
    send: Callable[[Request], Awaitable[Reply]],
    read: Callable[[Reply], T],
    most: int,
    usage: Usage | None,
) -> T:
    """What `read` finds in the reply; where it finds a fault, the request is made again with it, at most so many times, and the last fault stays.

    Raises:
        CallError: the request failed for good; where only a further one did, the fault of the reply before is raised.
        ReplyError: the last reply has a fault.
    """
    reply = await send(request)
    for _ in range(most):
        try:
            return read(reply)
        except ReplyError as fault:
            request = _told(request, fault)
            if usage is not None:
                usage.repairs += 1
            try:
                reply = await send(request)
            except CallError as error:
                raise fault from error
    return read(reply)


def _told(request: Request, fault: ReplyError) -> Request:
    """The same request with what was wrong with a reply at its end. The reply itself is left out: small models give one that they see again."""
    words = _REFUSED.format(fault=fault.told)
    if request.schema is not None:
        words += _SCHEMA.format(schema=dumps(request.schema))
    *before, last = request.messages
    asked = last["content"]
    more = f"{asked}\n\n{words}" if isinstance(asked, str) else [*asked, {"type": "text", "text": words}]
    return Request((*before, {**last, "content": more}), request.schema)


def askers(
    serving: LLMServing | None,
    scope: Scope,
    rows: Sequence[str],
    operator: str,
    args: Mapping[str, Any] | None = None,
) -> list[Ask]:
    """One asker a row; those of a serving that only answers lists share their calls.

    Kernels find the arguments of `run` that are no columns in `Ask.args`.
    """
    if serving is None:
        raise ConfigError(f"{operator} needs llm_serving")
    shared = None if hasattr(serving, "ask") else ListCalls(serving, scope)
    return [Ask(serving, scope, row, shared, args) for row in rows]


async def attempted(work: Awaitable[T]) -> T | Failure:
    """What the work for one row gives, or the `Failure` of that row alone."""
    try:
        return await work
    except STOPPING:
        raise
    except Exception as error:  # noqa: BLE001  # one row's fault must not stop the others
        return Failure.of(error)


async def together(*calls: Awaitable[T]) -> list[T]:
    """The results of several calls at once; the first error is raised when all have ended, so none is paid for in vain."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results  # type: ignore[return-value]


async def readable(calls: Iterable[Awaitable[T]], leave: type[RowError] = ReplyError) -> list[T | None]:
    """The results of several calls at once, null for one whose reply could not be read; where all are such, the first fault is raised.

    Errors that are not of the kind to `leave` out are raised, when all calls have ended.
    """
    results = await asyncio.gather(*calls, return_exceptions=True)
    left = [isinstance(result, leave) for result in results]
    for result, lost in zip(results, left, strict=True):
        if isinstance(result, BaseException) and (not lost or all(left)):
            raise result
    return [None if isinstance(result, BaseException) else result for result in results]


def ask_all(
    serving: LLMServing | None, requests: Sequence[Request | str], operator: str
) -> list[str | Failure]:
    """The reply to each request, or why there is none: for operators that see whole columns, on their worker thread."""
    scope = current_scope.get() or Scope(operator)
    asks = askers(serving, scope, [str(i) for i in range(len(requests))], operator)

    async def replies() -> list[str | Failure]:
        calls = (attempted(ask(request)) for ask, request in zip(asks, requests, strict=True))
        return await gathered(calls)

    return background.run(replies())


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
            system, schema, _ = shape = _shape(self._waiting[0][0])
            group = [w for w in self._waiting if _shape(w[0]) == shape]
            self._waiting = [w for w in self._waiting if _shape(w[0]) != shape]
            await self._answer(group, system, schema)

    async def _answer(
        self, group: list[tuple[Request, asyncio.Future[str]]], system: str | None, schema: Any
    ) -> None:
        extra = {} if schema is None else {"json_schema": dict(schema)}
        call: Any = self._serving.generate_from_input
        given: tuple[Any, ...] = ([r.messages[-1]["content"] for r, _ in group], system or "")
        if _several_turns(group[0][0]):
            call = getattr(self._serving, "generate_from_conversations", _no_conversations)
            given = ([[dict(m) for m in r.messages] for r, _ in group],)
        token = current_scope.set(self._scope)
        try:
            replies = await asyncio.to_thread(call, *given, **extra)
            if inspect.isawaitable(replies):
                replies = await replies
            _hand_out(group, replies, type(self._serving).__name__)
        except Exception as error:  # noqa: BLE001  # a serving's own error is the error of every row it was asked about
            for _, future in group:
                if not future.done():
                    future.set_exception(CallError(f"{type(self._serving).__name__}: {error}"))
        finally:
            current_scope.reset(token)


def _shape(request: Request) -> tuple[str | None, Any, bool]:
    """What requests must share to be sent in one list."""
    first = request.messages[0]
    system = first["content"] if first["role"] == "system" else None
    return system, request.schema, _several_turns(request)


def _several_turns(request: Request) -> bool:
    return sum(1 for m in request.messages if m["role"] != "system") > 1


def _no_conversations(*_: Any, **__: Any) -> Any:
    raise CallError("it answers single prompts only: it has no generate_from_conversations")


def _hand_out(
    group: list[tuple[Request, asyncio.Future[str]]], replies: Sequence[str | None], name: str
) -> None:
    if len(replies) != len(group):
        raise CallError(f"{len(replies)} replies to {len(group)} prompts")
    for (_, future), reply in zip(group, replies, strict=True):
        if future.done():  # its row was cancelled meanwhile
            continue
        if reply is None:
            future.set_exception(CallError(f"{name} gave no reply"))
        else:
            future.set_result(reply)
