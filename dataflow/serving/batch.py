"""A serving that asks through a provider's batch API: at half the price, within a day."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from dataflow.core.errors import ConfigError
from dataflow.core.protocols import ChatBackend, EmbedBackend, Reply, Request, Scope
from dataflow.serving.api import OPENAI, APILLMServing
from dataflow.serving.backends.batching import BatchesPending, BatchPolicy
from dataflow.serving.backends.gatherer import Gatherer
from dataflow.serving.backends.openai import Endpoint, chat_payload
from dataflow.serving.batch_ledger import BatchLedger
from dataflow.serving.journal import key_of
from dataflow.serving.prices import price_of

_CONNECTIONS = 8


class BatchLLMServing(APILLMServing):
    """Chat through the batch API of an endpoint that speaks OpenAI's protocol; for any operator that takes a serving.

    Calls wait until a batch of them is worth sending, and for its answer. What was sent is noted down beside the
    journal before it is sent: a run that was killed, or did not wait, finds its batches again and pays for none twice.
    Replies are kept under the same keys as those of `APILLMServing`, so that either goes on where the other stopped.

    Args:
        api_url: the chat-completions address, or the base that ends in `/v1`.
        key_name_of_api_key: the environment variable that holds the key.
        model_name: the model, as the endpoint names it.
        temperature: as of `APILLMServing`.
        max_workers: rows that wait for batches at once, and so the requests of a batch at most.
        max_retries: further batches for a request that was not answered: its line failed, its batch expired.
        price: list price in US dollars for a million prompt and a million completion tokens.
        discount: what is paid of the list price.
        max_batch_requests: requests of one batch at most.
        max_batch_bytes: bytes of one input file at most.
        linger_s: a batch is sent when no new call has come for so long.
        poll_s: wait between looks at a batch, growing to six times as much.
        completion_window: the time that the provider is given.
        wait: whether a run stays until its batches are through. Otherwise it stops once they are submitted, and
            running it again collects what is ready.
        configs: merged into every payload.
    """

    def __init__(
        self,
        api_url: str = OPENAI,
        key_name_of_api_key: str = "DF_API_KEY",
        model_name: str = "gpt-4o",
        temperature: float | None = 0.0,
        max_workers: int = 20_000,
        max_retries: int = 5,
        connect_timeout: float = 10.0,
        read_timeout: float = 120.0,
        *,
        price: tuple[float, float] | None = None,
        discount: float = 0.5,
        max_batch_requests: int = 50_000,
        max_batch_bytes: int = 190_000_000,
        linger_s: float = 5.0,
        poll_s: float = 10.0,
        completion_window: str = "24h",
        wait: bool = True,
        **configs: Any,
    ) -> None:
        listed = price if price is not None else price_of(model_name, api_url)
        paid = listed[0] * discount, listed[1] * discount
        given = (key_name_of_api_key, model_name, temperature, max_workers, max_retries)
        super().__init__(api_url, *given, connect_timeout, read_timeout, price=paid, **configs)
        if (
            min(max_batch_requests, max_batch_bytes) < 1
            or min(linger_s, poll_s) < 0
            or not 0 <= discount <= 1
        ):
            raise ConfigError(
                f"{max_batch_requests=} and {max_batch_bytes=} must be at least 1, {linger_s=} and {poll_s=} at "
                f"least 0, {discount=} between 0 and 1"
            )
        self.batching = BatchPolicy(
            max_batch_requests, max_batch_bytes, linger_s, poll_s, completion_window, wait, max_retries
        )

    def make_chat(self) -> ChatBackend:
        endpoint = self._endpoint("batches", self.model_name, self.sampling)
        return BatchEndpoint(replace(endpoint, workers=_CONNECTIONS), self.batching)

    def make_embed(self) -> EmbedBackend:
        raise ConfigError("BatchLLMServing gives no embeddings; embed with APILLMServing")


class BatchEndpoint:
    """Chat completions through batches (`ChatBackend`)."""

    limited: ClassVar[bool] = False
    """Its calls wait for hours by design, and are no measure of what the endpoint bears."""

    def __init__(self, endpoint: Endpoint, policy: BatchPolicy) -> None:
        self.identity, self.policy = endpoint.identity, policy
        self._target = endpoint
        self._fixed = {"model": endpoint.model, **endpoint.sampling}
        self._gatherers: dict[Path | None, Gatherer] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    async def chat(self, request: Request) -> Reply:
        return await self.chat_as(request, key_of(self.identity, request.messages, request.schema), Scope())

    async def chat_as(self, request: Request, key: bytes, scope: Scope) -> Reply:
        """The reply that a batch brings; a batch that holds this key already is waited for."""
        return await self._gatherer(scope.journal).ask(request, key, scope)

    def _gatherer(self, journal: Path | None) -> Gatherer:
        gatherer = self._gatherers.get(journal)
        if gatherer is None or not gatherer.ledger.path.exists():
            path = BatchLedger.beside(journal) if journal else self._temporary()
            gatherer = Gatherer.at(path, journal, self._target, self._payload, self.policy)
            self._gatherers[journal] = gatherer
        return gatherer

    def _temporary(self) -> Path:
        """Where the ledger of calls without a journal is: it lasts as long as this back end."""
        self._folder = tempfile.TemporaryDirectory(prefix="dataflow-batches-")
        return Path(self._folder.name, "batches.sqlite")

    def _payload(self, request: Request) -> Mapping[str, Any]:
        return chat_payload(self._fixed, request)

    async def close(self) -> None:
        for gatherer in self._gatherers.values():
            await gatherer.leave()
        self._gatherers.clear()
        if self._folder is not None:
            self._folder.cleanup()


__all__ = ["BatchEndpoint", "BatchLLMServing", "BatchPolicy", "BatchesPending"]
