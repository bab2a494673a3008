"""Any endpoint that speaks OpenAI's protocol: chat completions and embeddings over one pool of connections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import aiohttp
import numpy as np
import orjson

from dataflow.core.errors import CallError, ServingError
from dataflow.core.frames import clean_all, dumps
from dataflow.core.protocols import Reply, Request
from dataflow.serving.backends.headers import quota_of, retry_after
from dataflow.serving.faults import Fault, Throttled, Unreachable
from dataflow.serving.structured import strict_schema

_SHOWN = 300


@dataclass(frozen=True)
class Endpoint:
    """Where and how requests are sent. The key is left out of every text made of this."""

    url: str
    model: str
    key: str = field(default="", repr=False)
    workers: int = 10
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 120.0
    sampling: Mapping[str, Any] = field(default_factory=dict)
    """Merged into every payload: temperature, max_tokens, top_p …"""

    @property
    def identity(self) -> dict[str, Any]:
        return {
            "family": "openai", "model": self.model, "sampling": dict(self.sampling),
            "deterministic": self.sampling.get("temperature") == 0,
        }  # fmt: skip


class Connection:
    """One pool of keep-alive connections to an endpoint, and what its answers mean."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.quota: tuple[float, float] | None = None
        """What the last answer said of its quota: calls left, and seconds until there are more."""
        self._session: aiohttp.ClientSession | None = None

    async def alive(self, empty: Mapping[str, Any]) -> bool:
        """Whether the address answers a request that asks for nothing, and so costs nothing, without a fault."""
        try:
            async with self._pool().post(self.endpoint.url, data=_body(empty)) as response:
                return response.status < 500
        except (aiohttp.ClientError, OSError):
            return False

    async def post(self, payload: Mapping[str, Any]) -> Any:
        """The JSON body of a good answer.

        Raises:
            Throttled, Fault: another try may help.
            CallError: the request was refused.
            ServingError: the key, the model or the address is wrong.
        """
        try:
            async with self._pool().post(self.endpoint.url, data=_body(payload)) as response:
                body = await response.read()
        except aiohttp.ConnectionTimeoutError:
            waited = f"{self.endpoint.connect_timeout_s:g} s"
            raise Unreachable(f"no connection within {waited}", sent=False) from None
        except TimeoutError:
            raise Unreachable(f"no answer within {self.endpoint.read_timeout_s:g} s") from None
        except aiohttp.InvalidURL as error:
            raise ServingError(f"{self.endpoint.url!r} is no address: {error}") from error
        except aiohttp.ClientPayloadError as error:
            raise Fault(f"{type(error).__name__}: {error}") from None
        except aiohttp.ClientConnectorError as error:
            raise Unreachable(f"{type(error).__name__}: {error}", sent=False) from None
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"{type(error).__name__}: {error}") from None
        if response.status == 200:
            answer = _parsed(body)
            self.quota = quota_of(response.headers, answer)
            return answer
        raise self._refusal(response.status, body, response.headers)

    def _refusal(self, status: int, body: bytes, headers: Mapping[str, str]) -> Exception:
        said = _message(body)
        if self.endpoint.key:
            said = said.replace(self.endpoint.key, "…")
        where = f"HTTP {status} from {self.endpoint.url}"
        if status == 429 and "insufficient_quota" not in said:
            return Throttled(f"{where}: {said}", retry_after(headers))
        if status in (408, 409, 425) or status >= 500:
            return Fault(f"{where}: {said}", status)
        if status in (401, 403, 404, 405, 429):
            return ServingError(f"{where}: {said}")
        return CallError(f"{where}: {said}", status=status)

    def _pool(self) -> aiohttp.ClientSession:
        if self._session is None:
            headers = {"Content-Type": "application/json"}
            if self.endpoint.key:
                headers["Authorization"] = f"Bearer {self.endpoint.key}"
            timeout = aiohttp.ClientTimeout(
                total=None,
                sock_connect=self.endpoint.connect_timeout_s,
                sock_read=self.endpoint.read_timeout_s,
            )
            connector = aiohttp.TCPConnector(limit=self.endpoint.workers, keepalive_timeout=30)
            self._session = aiohttp.ClientSession(
                headers=headers,
                timeout=timeout,
                connector=connector,
                auto_decompress=True,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()


class _OpenAIBackend:
    """What chat and embeddings share: a connection, and what the engine asks of it."""

    _empty: ClassVar[dict[str, Any]]
    """A request without a question, which every server refuses at once."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.connection = Connection(endpoint)
        self.endpoint = endpoint.url, endpoint.model, hash(endpoint.key)
        self._fixed = {"model": endpoint.model, **endpoint.sampling}

    @property
    def quota(self) -> tuple[float, float] | None:
        return self.connection.quota

    @quota.setter
    def quota(self, value: tuple[float, float] | None) -> None:
        self.connection.quota = value

    async def alive(self) -> bool:
        return await self.connection.alive({"model": self._fixed["model"], **self._empty})

    async def close(self) -> None:
        await self.connection.close()


class ChatEndpoint(_OpenAIBackend):
    """Chat completions of an endpoint (`ChatBackend`)."""

    _empty: ClassVar[dict[str, Any]] = {"messages": []}

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self.identity = endpoint.identity

    async def chat(self, request: Request) -> Reply:
        return read_reply(await self.connection.post(chat_payload(self._fixed, request)))


def chat_payload(fixed: Mapping[str, Any], request: Request) -> dict[str, Any]:
    """What is sent for a request, at once or in a batch: the replies to both are kept under one key."""
    payload = {**fixed, "messages": list(request.messages)}
    if request.schema is not None:
        shape = {"name": "reply", "schema": request.schema, "strict": strict_schema(request.schema)}
        payload["response_format"] = {"type": "json_schema", "json_schema": shape}
    return payload


class EmbeddingEndpoint(_OpenAIBackend):
    """Embeddings of an endpoint (`EmbedBackend`)."""

    _empty: ClassVar[dict[str, Any]] = {"input": []}

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self.identity = endpoint.identity | {"family": "openai-embedding"}

    async def embed(self, texts: Sequence[str]) -> tuple[np.ndarray, int]:
        answer = await self.connection.post(self._fixed | {"input": list(texts), "encoding_format": "float"})
        try:
            rows = sorted(answer["data"], key=lambda d: d["index"])
            vectors = np.asarray([r["embedding"] for r in rows], np.float32)
        except (KeyError, TypeError, ValueError) as error:
            raise Fault(f"an answer without embeddings: {_clip(dumps(answer))}") from error
        if len(vectors) != len(texts):
            raise Fault(f"{len(vectors)} embeddings for {len(texts)} texts")
        return vectors, _tokens(answer, "prompt_tokens")


def read_reply(answer: Any) -> Reply:
    """The reply in a chat completion; reasoning comes before it, in `<think>` tags.

    Raises:
        Fault: the body is no chat completion, or has no text.
        CallError: the model refused.
    """
    try:
        choice = answer["choices"][0]
        message, text = choice["message"], _text(choice["message"].get("content"))
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise Fault(f"an answer without choices: {_clip(dumps(answer))}") from error
    if not isinstance(text, str) or not text:
        if refusal := message.get("refusal"):
            raise CallError(f"the model refused: {refusal}")
        if choice.get("finish_reason") != "length":
            raise Fault("an answer without text")
        text = ""
    if thought := message.get("reasoning_content") or message.get("reasoning"):
        text = f"<think>{thought}</think>\n<answer>{text}</answer>"
    tokens = _tokens(answer, "prompt_tokens"), _tokens(answer, "completion_tokens")
    truncated = choice.get("finish_reason") == "length"
    return Reply(text, *tokens, truncated=truncated, cached_tokens=_cached_tokens(answer))


def _text(content: Any) -> Any:
    """The text of a message, joined where the server sends it in parts."""
    if not isinstance(content, list):
        return content
    return "".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))


def _tokens(answer: Mapping[str, Any], name: str) -> int:
    usage = answer.get("usage")
    count = usage.get(name) if isinstance(usage, dict) else None
    return count if isinstance(count, int) else 0


def _cached_tokens(answer: Mapping[str, Any]) -> int:
    usage = answer.get("usage")
    details = usage.get("prompt_tokens_details") if isinstance(usage, dict) else None
    count = details.get("cached_tokens") if isinstance(details, dict) else None
    return count if isinstance(count, int) else 0


def _body(payload: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(payload)
    except (TypeError, orjson.JSONEncodeError):
        return dumps(clean_all(payload)).encode()


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body.strip())
    except orjson.JSONDecodeError as error:
        raise Fault(f"a body that is not JSON: {_clip(body.decode(errors='replace'))}") from error


def _message(body: bytes) -> str:
    try:
        fault = orjson.loads(body)["error"]
        parts = (fault.get("code"), fault.get("message")) if isinstance(fault, dict) else (fault,)
        return _clip(" ".join(str(p) for p in parts if p))
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return _clip(body.decode(errors="replace").strip()) or "no message"


def _clip(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
