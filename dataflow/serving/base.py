"""What every serving of this package offers: replies and vectors in order, sync and async, through one engine."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from dataflow.core import background
from dataflow.core.abc import LLMServingABC
from dataflow.core.asking import repaired
from dataflow.core.errors import CallError, ConfigError, RowError, ServingError
from dataflow.core.protocols import ChatBackend, EmbedBackend, Message, Reply, Request, Scope
from dataflow.serving.engine import Engine, Policy
from dataflow.serving.structured import valid

log = logging.getLogger(__name__)
ASSISTANT = "You are a helpful assistant"


class Serving(LLMServingABC):
    """A model back end behind the request engine.

    All calls give results in the order of the inputs, with null for one that failed; its error is kept in
    `errors` by position until the next call. Calls made inside a pipeline are journalled with its run.
    """

    holds_model: ClassVar[bool] = False
    """Whether it keeps a model in the memory of this machine, which others may need when it is done."""
    embed_batch: ClassVar[int] = 64
    """Texts sent in one embedding request."""
    repairs: int = 1
    """How often a reply that cannot be read is asked for again, with what was wrong with it, before its row fails."""

    def __init__(self, name: str, policy: Policy) -> None:
        self.name, self.policy = name, policy
        self.errors: dict[int, str] = {}
        self._begin()

    def _begin(self) -> None:
        self._chat: ChatBackend | None = None
        self._embed: EmbedBackend | None = None
        self._engine = Engine(self.policy, self.name)
        self._opened: list[ChatBackend | EmbedBackend] = []
        weakref.finalize(self, _close, self._opened)

    def make_chat(self) -> ChatBackend:
        raise ConfigError(f"{type(self).__name__} answers no prompts")

    def make_embed(self) -> EmbedBackend:
        raise ConfigError(f"{type(self).__name__} gives no embeddings")

    def check(self) -> str | None:
        """What would keep every call from being answered, found without a call; null where nothing is known."""
        return None

    def require(self) -> None:
        """Raise `ServingError` where `check` finds that no call can succeed; in a replay none is made."""
        if not background.replaying.get() and (fault := self.check()):
            raise ServingError(f"{self.name}: {fault}")

    @property
    def fingerprint(self) -> Mapping[str, Any]:
        """All that decides the replies: two servings with equal fingerprints answer alike."""
        return {"serving": type(self).__name__, "name": self.name}

    async def ask(self, request: Request, scope: Scope, row: str = "0", sample: int = 0) -> Reply:
        """One reply, which may be cut off; `row` and `sample` tell apart draws of one prompt where the model samples.

        Raises:
            CallError: the call failed for good.
            ReplyError: the reply breaks off, or does not meet the request's JSON schema, where it has one.
            ServingError: no call can succeed.
        """
        if self._chat is None:
            self._chat = self.make_chat()
            self._opened.append(self._chat)
        backend = self._chat

        async def send(asked: Request) -> Reply:
            return await self._engine.chat(backend, asked, scope, row, sample)

        if request.schema is None:
            return await send(request)
        return await repaired(request, send, partial(valid, request.schema), self.repairs, scope.usage)

    async def embed(self, texts: Sequence[str], scope: Scope) -> list[Any]:
        """One vector `(dim,) float32` a text, null where the call failed."""
        return [None if isinstance(v, CallError) else v for v in await self._vectors(texts, scope)]

    async def _vectors(self, texts: Sequence[str], scope: Scope) -> list[Any]:
        if self._embed is None:
            self._embed = self.make_embed()
            self._opened.append(self._embed)
        return list(await self._engine.embed(self._embed, texts, scope, self.embed_batch))

    def generate_from_input(
        self,
        user_inputs: list[str],
        system_prompt: str = ASSISTANT,
        json_schema: dict[str, Any] | None = None,
    ) -> list[str | None]:
        """One reply a prompt."""
        return background.run(self.agenerate_from_input(user_inputs, system_prompt, json_schema))

    async def agenerate_from_input(
        self,
        user_inputs: list[str],
        system_prompt: str = ASSISTANT,
        json_schema: dict[str, Any] | None = None,
    ) -> list[str | None]:
        requests = [Request.of(u, system_prompt, json_schema) for u in user_inputs]
        return await background.arun(self._all(requests))

    def generate_from_conversations(
        self, conversations: Sequence[Sequence[Message]], json_schema: dict[str, Any] | None = None
    ) -> list[str | None]:
        """One reply a conversation, each a list of `{"role", "content"}`."""
        return background.run(self.agenerate_from_conversations(conversations, json_schema))

    async def agenerate_from_conversations(
        self, conversations: Sequence[Sequence[Message]], json_schema: dict[str, Any] | None = None
    ) -> list[str | None]:
        requests = [Request(tuple(turns), json_schema) for turns in conversations]
        return await background.arun(self._all(requests))

    def generate_embedding_from_input(self, texts: list[str]) -> list[list[float] | None]:
        """One vector a text."""
        return background.run(self.agenerate_embedding_from_input(texts))

    async def agenerate_embedding_from_input(self, texts: list[str]) -> list[list[float] | None]:
        return await background.arun(self._all_vectors(texts))

    async def _all_vectors(self, texts: list[str]) -> list[list[float] | None]:
        vectors = await self._vectors(texts, background.current_scope.get() or Scope())
        self.errors = {i: str(v) for i, v in enumerate(vectors) if isinstance(v, CallError)}
        return [None if isinstance(v, CallError) else v.tolist() for v in vectors]

    async def _all(self, requests: Sequence[Request]) -> list[str | None]:
        scope = background.current_scope.get() or Scope()
        self.errors = {}
        first_draw = 0
        if scope.usage is not None:
            first_draw, scope.usage.draws = scope.usage.draws, scope.usage.draws + len(requests)

        async def one(i: int, request: Request) -> str | None:
            try:
                return (await self.ask(request, scope, row=f"#{first_draw + i}")).whole().text
            except RowError as error:
                self.errors[i] = str(error)
                return None

        replies = await background.gathered(one(i, r) for i, r in enumerate(requests))
        if self.errors:
            first = next(iter(self.errors.values()))
            log.warning("%s: %d of %d calls failed: %s", self.name, len(self.errors), len(requests), first)
        return list(replies)

    def cleanup(self) -> None:
        """Let go of connections and models; the next call takes them up again."""
        self._chat = self._embed = None
        while self._opened:
            background.run(self._opened.pop().close())

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in vars(self).items() if k not in ("_engine", "_chat", "_embed", "_opened")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._begin()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"


def _close(opened: list[ChatBackend | EmbedBackend]) -> None:
    """Close what a serving that is gone left open."""
    while opened:
        background.finish(opened.pop().close())
