"""What the rooms know of each other: requests and replies, servings, back ends, storages, sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from dataflow.core.errors import ReplyError

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from dataflow.core.operator import Operator
    from dataflow.core.ports import Binding

Message = Mapping[str, Any]
"""One turn of a conversation: `{"role": "user", "content": …}`."""


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a chat model."""

    messages: tuple[Message, ...]
    schema: Mapping[str, Any] | None = None
    """The JSON schema that the reply must meet."""

    @classmethod
    def of(cls, prompt: str, system: str | None = None, schema: Mapping[str, Any] | None = None) -> Request:
        turns = [{"role": "system", "content": system}] if system else []
        return cls((*turns, {"role": "user", "content": prompt}), schema)


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of a chat model, and what it took."""

    text: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached: bool = False
    """Whether it came from the journal, and so cost nothing now."""
    truncated: bool = False
    """Whether the model stopped at its length limit."""
    cached_tokens: int = 0
    """Prompt tokens that the endpoint had in its own cache."""

    def whole(self) -> Reply:
        """The reply itself.

        Raises:
            ReplyError: it was cut off, and half an answer is none.
        """
        if self.truncated:
            raise ReplyError(
                f"the reply breaks off at the model's length limit; a higher max_tokens may help: {self.text[-80:]!r}",
                told="it was longer than it may be, and broke off; be brief",
            )
        return self


class ChatBackend(Protocol):
    """Answers one request at a time; many may be in flight.

    It raises `CallError` where the request itself is refused, `serving.faults.Throttled` or `Fault` where
    another try may help, and `ServingError` where no request can succeed.

    Some members are optional, here and in `EmbedBackend`:

    * `async chat_as(request, key: bytes, scope: Scope) -> Reply` is called instead of `chat`, with the journal's key
      of the request, under which a back end can find work that it sent off before a crash.
    * A class attribute `limited = False` leaves the back end out of the adaptive limiter: only `Policy.workers`
      bounds its calls then, and the engine takes none of them for lost, however long it takes.
    * `endpoint`, a hashable value: back ends with equal ones share what is learned of the endpoint.
    * `async alive() -> bool` tells whether anything answers there, at no cost; false for a fault of the server.
    * `quota`, calls left and the seconds until there are more, as `(float, float)`, or null: what the last answer
      said. The engine sets it back to null.
    """

    @property
    def identity(self) -> Mapping[str, Any]:
        """All that decides a reply besides the request: endpoint family, model, sampling."""

    async def chat(self, request: Request) -> Reply: ...

    async def close(self) -> None: ...


class EmbedBackend(Protocol):
    """Turns texts into vectors."""

    @property
    def identity(self) -> Mapping[str, Any]: ...

    async def embed(self, texts: Sequence[str]) -> tuple[np.ndarray, int]:
        """Vectors `(n_texts, dim) float32` in the order of the texts, and the tokens read."""

    async def close(self) -> None: ...


class RankBackend(Protocol):
    """Scores how well documents answer a query."""

    @property
    def identity(self) -> Mapping[str, Any]: ...

    async def rank(self, query: str, documents: Sequence[str]) -> np.ndarray:
        """One score a document, `(n_documents,) float32`; higher is better."""

    async def close(self) -> None: ...


@dataclass(slots=True)
class Usage:
    """What an operator's model calls took; added to as replies come."""

    calls: int = 0
    cached: int = 0
    failed: int = 0
    retried: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    """In US dollars; 0 where the price of the model is unknown or nothing."""
    saved_prompt_tokens: int = 0
    """Tokens of replies that came from the journal: what they once took, not counted above."""
    saved_completion_tokens: int = 0
    saved_cost: float = 0.0
    latencies: list[float] = field(default_factory=list)
    """Seconds of each call that was sent, retries included; a sample of at most 2,000."""
    models: set[str] = field(default_factory=set)
    saved_seconds: float = 0.0
    """How long the replies from the journal once took."""
    draws: int = 0
    """Calls made through a serving's lists, which tell apart draws of one prompt."""
    cached_tokens: int = 0
    """Prompt tokens that the endpoint had in its own cache, counted in `prompt_tokens` too."""
    repairs: int = 0
    """Replies that could not be read, and were asked for again."""


class Spending(Protocol):
    """What a run may still spend, in US dollars; `serving.budget.Budget` keeps it."""

    async def reserve(self, most: float) -> None:
        """Reserve the most that a call can cost; raises `BudgetExceeded` where it can never be sent."""

    def settle(self, most: float, cost: float, *, lost: bool = False) -> None:
        """End a reservation at what the call did cost, or at all of it where its answer was lost."""


@dataclass(frozen=True, slots=True)
class Scope:
    """On whose behalf a call is made: where its reply is kept, what it is counted under, how urgent it is."""

    operator: str = ""
    row: str = ""
    journal: Path | None = None
    usage: Usage | None = None
    depth: int = 0
    """Calls of later operators go first, so that rows finish before new ones start."""
    budget: Spending | None = None
    """What the calls may cost together; null for no limit."""
    replay: Mapping[str, str] | None = None
    """In a replay, where nothing may be sent, the rows that got no reply when it was recorded, and why; else null."""


@runtime_checkable
class LLMServing(Protocol):
    """Answers prompts: one reply a prompt, in order; null where a call failed.

    It may have `repairs`, a number: how often a reply that cannot be read is asked for again, with what was wrong with it; else never.
    """

    def generate_from_input(
        self, user_inputs: list[str], system_prompt: str = ..., json_schema: dict[str, Any] | None = ...
    ) -> list[str | None]: ...


@runtime_checkable
class EmbeddingServing(Protocol):
    """Turns texts into vectors: one a text, in order; null where a call failed."""

    def generate_embedding_from_input(self, texts: list[str]) -> list[list[float] | None]: ...


class Source(Protocol):
    """A table that can be read in batches, any number of times, always in the same order."""

    @property
    def schema(self) -> pl.Schema: ...

    @property
    def height(self) -> int: ...

    @property
    def fingerprint(self) -> str:
        """Changes when the rows do."""

    def batches(
        self, rows: int, first: int = 0, columns: Sequence[str] | None = None
    ) -> Iterator[pl.DataFrame]:
        """Frames of `rows` rows (the last may be shorter), from row number `first` on, without row ids; with some columns, of which there is one at least, or all."""


class Storage(Protocol):
    """Holds the table between steps."""

    def apply(self, operator: Operator, binding: Binding) -> None:
        """Run an operator over the table of this step, or note it down while a pipeline compiles."""
