"""The files and batches of an endpoint that speaks OpenAI's protocol, and what a line of an output file means."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from dataflow.core.errors import CallError, ServingError
from dataflow.core.frames import clean_all, dumps
from dataflow.serving.backends.openai import Connection, read_reply
from dataflow.serving.faults import Fault, Unreachable

CHAT = "/v1/chat/completions"
ENDED = ("completed", "failed", "expired", "cancelled")
LABEL = "dataflow"
"""Under which key of a batch's metadata its name is kept."""
_PAGE = 100
_CLOCKS_APART_S = 3600
_PIECE = 1 << 16


class Gone(CallError):
    """A file that the provider does not keep any more."""


class BatchConnection(Connection):
    """Uploads files, creates, finds and reads batches. Its endpoint's address is the one of `/batches`.

    Raises, by its calls:
        Throttled, Fault: another try may help.
        CallError: the request was refused.
        ServingError: the key, the model or the address is wrong.
    """

    async def upload(self, name: str, path: Path) -> str:
        """Send a file of requests; returns its id."""
        with path.open("rb") as file, aiohttp.MultipartWriter("form-data") as form:
            form.append("batch").set_content_disposition("form-data", name="purpose")
            part = form.append(file, {"Content-Type": "application/jsonl"})
            part.set_content_disposition("form-data", name="file", filename=f"{name}.jsonl")
            kind = {"Content-Type": form.headers["Content-Type"]}
            return str(_field(await self._json("POST", "files", data=form, headers=kind), "id"))

    async def create(self, file: str, name: str, window: str) -> dict[str, Any]:
        """Create a batch of an uploaded file, labelled with its name."""
        asked = {
            "input_file_id": file, "endpoint": CHAT, "completion_window": window, "metadata": {LABEL: name},
        }  # fmt: skip
        return _batch(await self._json("POST", "batches", data=orjson.dumps(asked)))

    async def get(self, batch: str) -> dict[str, Any]:
        return _batch(await self._json("GET", f"batches/{batch}"))

    async def cancel(self, batch: str) -> dict[str, Any]:
        """Have a batch stopped; what it has answered by then stays, and is billed."""
        return _batch(await self._json("POST", f"batches/{batch}/cancel"))

    async def find(self, name: str, created: float) -> dict[str, Any] | None:
        """The batch labelled with a name, looked for among those not older than it can be."""
        after = ""
        while True:
            page = await self._json("GET", f"batches?limit={_PAGE}{after}")
            batches = [_batch(b) for b in _field(page, "data")]
            for batch in batches:
                if (batch.get("metadata") or {}).get(LABEL) == name:
                    return batch
            oldest = batches[-1].get("created_at", 0) if batches else 0
            if not batches or not page.get("has_more") or oldest < created - _CLOCKS_APART_S:
                return None
            after = f"&after={batches[-1]['id']}"

    async def lines(self, file: str) -> AsyncIterator[bytes]:
        """The lines of a file, as they come in; `Gone` where it is not there."""
        rest = b""
        try:
            async with self._pool().get(self._url(f"files/{file}/content")) as response:
                if response.status == 404:
                    raise Gone(f"the file {file} is gone", status=404)
                await self._check(response)
                async for piece in response.content.iter_chunked(_PIECE):
                    *whole, rest = (rest + piece).split(b"\n")
                    for line in whole:
                        yield line
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _transport(error) from None
        if rest:
            yield rest

    async def _json(self, method: str, path: str, **sent: Any) -> Any:
        try:
            async with self._pool().request(method, self._url(path), **sent) as response:
                await self._check(response)
                body = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _transport(error) from None
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            raise Fault(f"a body that is not JSON: {body[:300]!r}") from None

    async def _check(self, response: aiohttp.ClientResponse) -> None:
        if response.status != 200:
            raise self._refusal(response.status, await response.read(), response.headers)

    def _url(self, path: str) -> str:
        return f"{self.endpoint.url.removesuffix('/batches')}/{path}"


@dataclass(frozen=True, slots=True)
class Line:
    """What one line of an output or error file says about a request."""

    key: bytes
    body: bytes = b""
    """The answer as it came, where there is a good one."""
    error: Fault | CallError | None = None
    """A fault is worth another batch; a `CallError` is for good."""


def request_line(key: bytes, payload: Mapping[str, Any]) -> bytes:
    """A line of an input file."""
    asked = {"custom_id": key.hex(), "method": "POST", "url": CHAT, "body": payload}
    try:
        return orjson.dumps(asked) + b"\n"
    except (TypeError, orjson.JSONEncodeError):
        return dumps(clean_all(asked)).encode() + b"\n"


def read_line(line: bytes) -> Line | None:
    """What a line says; null where it cannot be read, or does not say which request it is about."""
    try:
        told = orjson.loads(line)
        key = bytes.fromhex(told["custom_id"])
        response = told.get("response") or {}
        status, body = int(response.get("status_code") or 0), response.get("body")
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        return None
    if status != 200:
        return Line(key, error=_refused(status, told.get("error") or _error_of(body)))
    try:
        read_reply(body)
    except (Fault, CallError) as error:
        return Line(key, error=error)
    return Line(key, orjson.dumps(body))


def _refused(status: int, error: Any) -> Fault | CallError:
    said = f"{error.get('code') or ''} {error.get('message') or ''}" if isinstance(error, dict) else error
    text = f"status {status or 'unknown'} in a batch: {str(said or 'no message').strip()[:300]}"
    if status in (0, 408, 409, 425, 429) or status >= 500:
        return Fault(text, status or None)
    return CallError(text, status=status)


def _error_of(body: Any) -> Any:
    return body.get("error") if isinstance(body, dict) else body


def why_failed(batch: Mapping[str, Any]) -> list[tuple[int | None, str, str]]:
    """The errors of a batch that was not accepted: line (from 1, where one is to blame), code and message."""
    errors = batch.get("errors") or {}
    told = errors.get("data") or [] if isinstance(errors, Mapping) else []
    return [(e.get("line"), str(e.get("code") or ""), str(e.get("message") or "")) for e in told]


def is_queue_limit(text: str) -> bool:
    """Whether a refusal means that too much is waiting at the provider already."""
    low = text.lower()
    return "token_limit_exceeded" in low or "enqueued" in low


def _batch(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not value.get("id") or not value.get("status"):
        raise Fault(f"an answer that is no batch: {str(value)[:300]}")
    return value


def _field(value: Any, name: str) -> Any:
    if not isinstance(value, dict) or (not value.get(name) and name != "data"):
        raise Fault(f"an answer without {name!r}: {str(value)[:300]}")
    return value.get(name) or []


def _transport(error: Exception) -> Exception:
    if isinstance(error, aiohttp.InvalidURL):
        return ServingError(f"no address: {error}")
    kind = Fault if isinstance(error, (aiohttp.ClientPayloadError, TimeoutError)) else Unreachable
    return kind(f"{type(error).__name__}: {error}")
