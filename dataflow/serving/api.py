"""Servings behind an HTTP endpoint that speaks OpenAI's protocol."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any

from dataflow.core.errors import ConfigError
from dataflow.core.protocols import ChatBackend, EmbedBackend
from dataflow.serving.backends.openai import ChatEndpoint, EmbeddingEndpoint, Endpoint
from dataflow.serving.base import Serving
from dataflow.serving.engine import Policy
from dataflow.serving.prices import host_of, is_local, is_priced, longest_reply, price_of

OPENAI = "https://api.openai.com/v1/chat/completions"
DEPRECATED = ("timeout", "request_timeout")


class APILLMServing(Serving):
    """Chat and embeddings from any endpoint that speaks OpenAI's protocol.

    Args:
        api_url: the chat-completions or embeddings address, or the base that ends in `/v1`.
        key_name_of_api_key: the environment variable that holds the key; it is read at the first call. An
            endpoint on this machine needs none.
        model_name: the model, as the endpoint names it.
        temperature: 0 asks for the likeliest reply, and equal prompts are asked once; null leaves it to the server,
            for models that refuse the setting.
        max_workers: calls in flight at most.
        max_retries: further tries after a dropped connection, a garbled body or a 5xx. A 429 is no try, a
            4xx is never tried again.
        connect_timeout: seconds to connect.
        read_timeout: seconds without a byte of an answer.
        price: US dollars for a million prompt and a million completion tokens; list price where left out.
        embedding_model: the model for embeddings; `model_name` where left out.
        configs: merged into every payload: `max_tokens`, `top_p`, `seed` …
    """

    def __init__(
        self,
        api_url: str = OPENAI,
        key_name_of_api_key: str = "DF_API_KEY",
        model_name: str = "gpt-4o",
        temperature: float | None = 0.0,
        max_workers: int = 10,
        max_retries: int = 5,
        connect_timeout: float = 10.0,
        read_timeout: float = 120.0,
        *,
        price: tuple[float, float] | None = None,
        embedding_model: str | None = None,
        **configs: Any,
    ) -> None:
        for name in DEPRECATED:
            if name in configs:
                warnings.warn(f"{name} is now read_timeout", DeprecationWarning, stacklevel=2)
                read_timeout = float(configs.pop(name))
        if max_workers < 1 or max_retries < 0:
            raise ConfigError(
                f"max_workers={max_workers} must be at least 1, and max_retries={max_retries} at least 0"
            )
        self.api_url, self.key_name, self.model_name = api_url, key_name_of_api_key, model_name
        self.embedding_model = embedding_model or model_name
        self.timeouts = (connect_timeout, read_timeout)
        given = {} if temperature is None else {"temperature": float(temperature)}
        self.sampling: dict[str, Any] = {**given, **configs}
        policy = Policy(
            max_workers,
            max_retries,
            price=price if price is not None else price_of(model_name, api_url),
            priced=price is not None or is_priced(model_name, api_url),
            max_output=longest_reply(model_name),
        )
        super().__init__(model_name, policy)

    @property
    def fingerprint(self) -> Mapping[str, Any]:
        return {
            "serving": "openai",
            "url": self.api_url,
            "model": self.model_name,
            "sampling": self.sampling,
            "embedding": self.embedding_model,
        }

    def check(self) -> str | None:
        host = host_of(self.api_url)
        if not host:
            return f"api_url={self.api_url!r} is no http address"
        if not os.environ.get(self.key_name, "").strip() and not is_local(self.api_url):
            return f"the environment variable {self.key_name} holds no key for {host}; set it, or name another with key_name_of_api_key"
        return None

    def make_chat(self) -> ChatBackend:
        return ChatEndpoint(self._endpoint("chat/completions", self.model_name, self.sampling))

    def make_embed(self) -> EmbedBackend:
        sizes = {k: v for k, v in self.sampling.items() if k in ("dimensions", "user")}
        return EmbeddingEndpoint(
            self._endpoint(
                "embeddings", self.embedding_model, {"temperature": 0, **sizes}, drop=("temperature",)
            )
        )

    def _endpoint(
        self, path: str, model: str, sampling: Mapping[str, Any], drop: tuple[str, ...] = ()
    ) -> Endpoint:
        self.require()
        kept = {k: v for k, v in sampling.items() if k not in drop}
        key = os.environ.get(self.key_name, "").strip()
        return Endpoint(_address(self.api_url, path), model, key, self.policy.workers, *self.timeouts, kept)


class APILLMServing_request(APILLMServing):  # noqa: N801
    """The old name of `APILLMServing`."""


def _address(url: str, path: str) -> str:
    base = url.rstrip("/")
    for known in ("/chat/completions", "/embeddings", "/completions"):
        base = base.removesuffix(known)
    return f"{base}/{path}"
