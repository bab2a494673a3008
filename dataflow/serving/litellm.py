"""Servings of every provider that litellm knows, under one engine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, Literal

from dataflow.core.errors import ConfigError, MissingDependency
from dataflow.core.protocols import ChatBackend, EmbedBackend
from dataflow.serving.backends.litellm import LiteLLMChat, LiteLLMEmbeddings, Route, load
from dataflow.serving.backends.openai import read_reply
from dataflow.serving.base import Serving
from dataflow.serving.engine import Policy
from dataflow.serving.prices import is_local, is_priced, longest_reply, price_of

OPENAI = "https://api.openai.com/v1/chat/completions"


class LiteLLMServing(Serving):
    """Chat or embeddings from any provider that litellm knows, with this package's retries and journal.

    A failed call is null, and its error is in `errors`. Nothing is called when it is made.

    Args:
        serving_type: what the model does: answer prompts or embed texts.
        validate_on_init: raise at once what `check` would find, such as a missing key. Makes no call.
        api_url: the endpoint; left as it is, the provider's own. An OpenAI-style path at its end is cut off.
        key_name_of_api_key: the environment variable that holds the key; an endpoint on this machine needs none, and
            providers with credentials of another kind find them themselves where it is empty text.
        model_name: the model as litellm names it, such as `anthropic/claude-sonnet-4-5`.
        max_workers: calls in flight at most.
        max_retries: further tries after a fault outside the request; litellm's own retries are off.
        api_version: of endpoints that have versions, such as Azure's.
        temperature: 0 asks for the likeliest reply, and equal prompts are asked once.
        max_tokens: the longest reply, in tokens.
        timeout: seconds for one try.
        custom_llm_provider: the provider, where the model's name does not tell.
        kwargs: passed to litellm with every call.

    Raises:
        ConfigError: from the constructor, with `validate_on_init`, or where `serving_type` is neither.
        MissingDependency: at the first call, where litellm is not installed.
    """

    def __init__(
        self,
        serving_type: Literal["chat", "embedding"] = "chat",
        validate_on_init: bool = False,
        api_url: str = OPENAI,
        key_name_of_api_key: str = "DF_API_KEY",
        model_name: str = "gpt-4o",
        max_workers: int = 10,
        max_retries: int = 5,
        api_version: str | None = None,
        temperature: float = 0.7,
        max_tokens: int = 1024,
        top_p: float = 1.0,
        timeout: float = 60,
        custom_llm_provider: str | None = None,
        **kwargs: Any,
    ) -> None:
        if serving_type not in ("chat", "embedding"):
            raise ConfigError(f"serving_type={serving_type!r} must be 'chat' or 'embedding'")
        self.serving_type, self.api_url, self.key_name = serving_type, api_url, key_name_of_api_key
        self.model_name = model_name
        named = {"api_version": api_version, "custom_llm_provider": custom_llm_provider}
        self.shared: dict[str, Any] = {k: v for k, v in named.items() if v is not None}
        self.shared["timeout"] = timeout
        if api_url != OPENAI:
            self.shared["api_base"] = _base(api_url)
        self.sampling = {"temperature": temperature, "max_tokens": max_tokens, "top_p": top_p}
        self.extra = kwargs
        super().__init__(model_name, _policy(model_name, api_url, max_workers, max_retries))
        if validate_on_init and (fault := self.check()):
            raise ConfigError(f"{model_name}: {fault}")

    @property
    def fingerprint(self) -> Mapping[str, Any]:
        return {
            "serving": "litellm", "type": self.serving_type, "url": self.api_url, "model": self.model_name,
            "sampling": self.sampling, "extra": self.extra,
        }  # fmt: skip

    def check(self) -> str | None:
        if find_spec("litellm") is None:
            return str(self._missing())
        if self.key_name and not self._key() and not is_local(self.api_url):
            return f"the environment variable {self.key_name} holds no key; set it, or name another with key_name_of_api_key"
        return None

    def _missing(self) -> MissingDependency:
        return MissingDependency("litellm", "litellm", type(self).__name__)

    def make_chat(self) -> ChatBackend:
        if self.serving_type != "chat":
            raise ConfigError(
                "serving_type='embedding' answers no prompts; make one with serving_type='chat'"
            )
        return LiteLLMChat(self._route(self.shared | self.sampling | self.extra))

    def make_embed(self) -> EmbedBackend:
        if self.serving_type != "embedding":
            raise ConfigError(
                "serving_type='chat' gives no embeddings; make one with serving_type='embedding'"
            )
        return LiteLLMEmbeddings(self._route(self.shared | self.extra))

    def _route(self, settings: Mapping[str, Any]) -> Route:
        if find_spec("litellm") is None:
            raise self._missing()
        self.require()
        # clients of endpoints that read no key still want one
        return Route(self.model_name, self._key() or ("none" if is_local(self.api_url) else ""), settings)

    def _key(self) -> str:
        return os.environ.get(self.key_name, "").strip() if self.key_name else ""

    def switch_model(
        self, new_model_name: str, serving_type: Literal["chat", "embedding"] | None = None
    ) -> None:
        """Use another model of the same endpoint from the next call on."""
        self.cleanup()
        self.model_name = self.name = new_model_name
        self.serving_type = serving_type or self.serving_type
        self.policy = _policy(new_model_name, self.api_url, self.policy.workers, self.policy.max_retries)
        self._begin()

    def get_supported_models(self) -> list[str]:
        """The models that litellm has on its list; others may be reached as well."""
        return sorted(load().model_list)

    def format_response(self, response: Any, is_embedding: bool = False) -> Any:
        """The text of a chat completion, reasoning in `<think>` tags before it, or the vector of an embedding."""
        answer = response if isinstance(response, Mapping) else response.model_dump()
        return answer["data"][0]["embedding"] if is_embedding else read_reply(answer).text


def _policy(model: str, url: str, workers: int, max_retries: int) -> Policy:
    return Policy(
        workers,
        max_retries,
        price=price_of(model, url),
        priced=is_priced(model, url),
        max_output=longest_reply(model),
    )


def _base(url: str) -> str:
    base = url.rstrip("/")
    for known in ("/chat/completions", "/embeddings", "/completions"):
        base = base.removesuffix(known)
    return base
