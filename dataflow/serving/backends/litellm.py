"""Any provider that litellm knows: chat and embeddings, with its exceptions told apart by what they mean."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np

from dataflow.core.errors import CallError, MissingDependency, ServingError
from dataflow.core.protocols import Reply, Request
from dataflow.serving.backends.headers import retry_after
from dataflow.serving.backends.openai import read_reply
from dataflow.serving.faults import Fault, Throttled, Unreachable
from dataflow.serving.structured import strict_schema

_SHOWN = 300
_STOPS = frozenset(
    {
        "AuthenticationError", "PermissionDeniedError", "NotFoundError", "PaymentRequiredError", "BudgetExceededError",
        "LiteLLMUnknownProvider", "UnsupportedParamsError",
    }
)  # fmt: skip
"""Exceptions that every other call would meet as well."""
_STOP_WORDS = ("insufficient_quota", "LLM Provider NOT provided")


@dataclass(frozen=True)
class Route:
    """To whom litellm sends, and with what. The key is left out of every text made of this."""

    model: str
    key: str = field(default="", repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Passed with every call: api_base, api_version, timeout, temperature …"""

    @property
    def identity(self) -> dict[str, Any]:
        decides = {k: v for k, v in self.settings.items() if k not in ("timeout", "api_version")}
        return {
            "family": "litellm", "model": self.model, "sampling": decides,
            "deterministic": self.settings.get("temperature") == 0,
        }  # fmt: skip

    @property
    def arguments(self) -> dict[str, Any]:
        key = {"api_key": self.key} if self.key else {}
        return {"model": self.model, "num_retries": 0, "max_retries": 0, **key, **self.settings}


class LiteLLMChat:
    """Chat completions through litellm (`ChatBackend`); retries are the engine's, not litellm's."""

    def __init__(self, route: Route) -> None:
        self.route, self.identity = route, route.identity

    async def chat(self, request: Request) -> Reply:
        arguments = self.route.arguments | {"messages": list(request.messages)}
        if request.schema is not None:
            shape = {"name": "reply", "schema": request.schema, "strict": strict_schema(request.schema)}
            arguments["response_format"] = {"type": "json_schema", "json_schema": shape}
        return read_reply(await _called("acompletion", self.route, arguments))

    async def close(self) -> None:
        """Nothing: litellm keeps its own connections."""


class LiteLLMEmbeddings:
    """Embeddings through litellm (`EmbedBackend`), in the order of the texts."""

    def __init__(self, route: Route) -> None:
        self.route, self.identity = route, route.identity | {"family": "litellm-embedding"}

    async def embed(self, texts: Sequence[str]) -> tuple[np.ndarray, int]:
        answer = await _called("aembedding", self.route, self.route.arguments | {"input": list(texts)})
        try:
            rows = sorted(answer["data"], key=lambda d: d["index"])
            vectors = np.asarray([r["embedding"] for r in rows], np.float32)
        except (KeyError, TypeError, ValueError) as error:
            raise Fault(f"an answer without embeddings: {type(error).__name__}") from error
        tokens = (answer.get("usage") or {}).get("prompt_tokens") or 0
        return vectors, tokens

    async def close(self) -> None:
        """Nothing: litellm keeps its own connections."""


def load() -> Any:
    """The package, at first use: importing it takes seconds.

    Raises:
        MissingDependency: it is not installed.
    """
    # its price list would be fetched from the network as it is imported
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    try:
        litellm: Any = import_module("litellm")
    except ImportError as error:
        raise MissingDependency("litellm", "litellm", "LiteLLMServing") from error
    litellm.suppress_debug_info = True  # else it prints to standard output with each failed try
    return litellm


async def _called(name: str, route: Route, arguments: Mapping[str, Any]) -> dict[str, Any]:
    litellm = await asyncio.to_thread(load)
    # every exception of a call is one of openai's or in this list; others are mistakes of ours
    known = (import_module("openai").OpenAIError, litellm.BudgetExceededError, TimeoutError, OSError)
    try:
        answer = await getattr(litellm, name)(**arguments)
    except known as error:
        raise meaning(error, route.key) from None
    return dict(answer.model_dump())


def meaning(error: BaseException, key: str = "") -> Exception:
    """What an exception of litellm means for the call: try again, wait, fail the row, or stop the run."""
    name, status = type(error).__name__, getattr(error, "status_code", None)
    said = _said(error, key)
    if name in _STOPS or any(words in said for words in _STOP_WORDS):
        return ServingError(said)
    if status == 429:
        return Throttled(said, _retry_after(error))
    if "Timeout" in name or isinstance(error, TimeoutError):
        return Fault(said, status)
    # litellm makes a refused connection an InternalServerError
    if "Connection" in name or "Connection error" in said or isinstance(error, OSError):
        return Unreachable(said)
    if status is None or status in (408, 409, 425) or status >= 500:
        return Fault(said, status)
    return ServingError(said) if status in (401, 402, 403, 404) else CallError(said, status=status)


def _said(error: BaseException, key: str) -> str:
    text = f"{type(error).__name__}: {getattr(error, 'message', None) or error}"
    text = text.replace(key, "…") if key else text
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _retry_after(error: BaseException) -> float | None:
    """Seconds to wait, from the answer that the exception may carry."""
    headers = getattr(getattr(error, "response", None), "headers", None)
    return retry_after(headers) if headers else None
