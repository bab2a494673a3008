"""A real OpenAI-compatible server on 127.0.0.1 that fails on purpose, for tests and benchmarks.

`FaultyServer` runs in a thread of this process; `ServerProcess` runs the same server in a process of its own
(``python -m dataflow.testing.server --latency 0.05``), where its CPU is not the client's and it outlives a
killed client. Faults and latencies are drawn per (seed, request, attempt), so a run repeats exactly whatever
the order in which its requests arrive.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import http.client
import logging
import math
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from hashlib import blake2b, sha256, shake_128
from http import HTTPStatus
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal, Self

import orjson

from dataflow.core.errors import ConfigError

logger = logging.getLogger(__name__)

Body = dict[str, Any]
Reply = str | Sequence[str] | Callable[[Body], str] | None
Latency = float | Callable[[random.Random], float]

MAX_BODY = 64 * 2**20
MAX_HEAD = 64 * 2**10
_REQUIRED_FIELD = {b"POST /v1/chat/completions": "messages", b"POST /v1/embeddings": "input"}
_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}


# ---- faults: what goes wrong, decided by the request alone


@dataclass(frozen=True)
class Faults:
    """What goes wrong, as the probability that one attempt at one request meets it; at most one fault each."""

    status_400: float = 0.0
    """Rejected at once."""
    status_429: float = 0.0
    """Rejected at once, with `Retry-After: retry_after_s`."""
    status_500: float = 0.0
    """Fails after the latency."""
    drop: float = 0.0
    """The connection closes without a response."""
    truncated: float = 0.0
    """The connection closes before the announced end of the body."""
    malformed: float = 0.0
    """200 with half a JSON document."""
    empty: float = 0.0
    """200 with null content, or without embeddings."""
    hang: float = 0.0
    """A good answer, `hang_s` late."""
    slow_tail: float = 0.0
    """A good answer after 20 times the latency."""
    hang_s: float = 60.0
    retry_after_s: float = 1.0
    first_attempts: int | None = None
    """Only the first so many attempts at a request can fail; None for no limit."""

    def __post_init__(self) -> None:
        chances = [getattr(self, name) for name in _FAULTS]
        if min(chances) < 0 or sum(chances) > 1 + 1e-9:
            raise ConfigError(f"Faults: probabilities are >= 0 and sum to at most 1; there are {self}")

    @cached_property
    def _bounds(self) -> list[tuple[float, str]]:
        chances = {name: getattr(self, name) for name in _FAULTS if getattr(self, name)}
        return list(zip(accumulate(chances.values()), chances, strict=True))

    def draw(self, seed: int, key: str, attempt: int) -> str:
        """Name the fault that the `attempt`-th try (from 0) at a request meets, or ''."""
        if not self._bounds or (self.first_attempts is not None and attempt >= self.first_attempts):
            return ""
        digest = blake2b(f"{seed}/{key}/{attempt}".encode(), digest_size=8).digest()
        chance = int.from_bytes(digest) / 2**64
        return next((name for bound, name in self._bounds if chance < bound), "")


_FAULTS = tuple(f.name for f in fields(Faults) if not f.name.endswith(("_s", "_attempts")))


def lognormal(median_s: float, sigma: float) -> Callable[[random.Random], float]:
    """Draw latencies from a log-normal distribution, the usual shape of a model server's."""
    return lambda rng: rng.lognormvariate(math.log(median_s), sigma)


# ---- answers: pure functions of the request


def request_key(body: Mapping[str, Any]) -> str:
    """Hash a request body to 32 hex digits that do not depend on the order of its keys."""
    return sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def unit_vector(text: str, dim: int) -> list[float]:
    """Derive a vector of length 1 from a text; the same text always gives the same vector."""
    raw = struct.unpack(f"<{dim}h", shake_128(text.encode()).digest(2 * dim))
    norm = math.hypot(*raw) or 1.0
    return [x / norm for x in raw]


def minimal_instance(schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> object:
    """Build the smallest value that a JSON schema allows; `pattern`, `format` and `multipleOf` are ignored."""
    root = schema if root is None else root
    if "$ref" in schema:
        target: Any = root
        for part in schema["$ref"].removeprefix("#").strip("/").split("/"):
            target = target[part]
        return minimal_instance(target, root)
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    for union in ("anyOf", "oneOf", "allOf"):
        if union in schema:
            return minimal_instance(schema[union][0], root)
    return _minimal_of_type(schema, root)


def _minimal_of_type(schema: Mapping[str, Any], root: Mapping[str, Any]) -> object:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    match kind[0] if isinstance(kind, list) else kind:
        case "object":
            known = schema.get("properties", {})
            return {name: minimal_instance(known.get(name, {}), root) for name in schema.get("required", ())}
        case "array":
            return [minimal_instance(schema.get("items", {}), root) for _ in range(schema.get("minItems", 0))]
        case "string":
            return "text".ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]
        case "integer" | "number" as number:
            step = 1 if number == "integer" else 1e-6
            low = max(0, schema.get("minimum", 0), schema.get("exclusiveMinimum", -step) + step)
            return min(low, schema.get("maximum", low), schema.get("exclusiveMaximum", low + step) - step)
        case "boolean":
            return False
        case _:
            return None


def _words(value: object) -> int:
    match value:
        case str():
            return len(value.split())
        case list():
            return sum(map(_words, value))
        case dict():
            return _words(value.get("content") or value.get("text"))
        case _:
            return int(isinstance(value, int))


def _usage(prompt: object, reply: str | None = None) -> dict[str, int]:
    asked, said = _words(prompt), _words(reply)
    return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}


def _reply_text(reply: Reply, body: Body, key: str) -> str:
    if callable(reply):
        return reply(body)
    if isinstance(reply, str):
        return reply
    if reply is not None:
        return reply[int(key, 16) % len(reply)]
    wanted = body.get("response_format") or {}
    match wanted.get("type"):
        case "json_schema":
            return orjson.dumps(minimal_instance(wanted["json_schema"]["schema"])).decode()
        case "json_object":
            return "{}"
        case _:
            return f"reply {key[:8]}"


def _completion(body: Body, key: str, text: str | None) -> Body:
    message = {"role": "assistant", "content": text}
    choices = [{"index": i, "message": message, "finish_reason": "stop"} for i in range(body.get("n") or 1)]
    usage = _usage(body["messages"], text)
    head = {
        "id": f"chatcmpl-{key}",
        "object": "chat.completion",
        "created": 0,
        "model": body.get("model", ""),
    }
    return head | {"choices": choices, "usage": usage}


def _embeddings(body: Body, dim: int, *, empty: bool) -> Body:
    given = body["input"]
    one = isinstance(given, str) or (bool(given) and isinstance(given[0], int))
    items = [] if empty else [given] if one else given
    texts = (item if isinstance(item, str) else orjson.dumps(item).decode() for item in items)
    vectors = (unit_vector(text, body.get("dimensions") or dim) for text in texts)
    packed = body.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": i, "embedding": _base64_floats(v) if packed else v}
        for i, v in enumerate(vectors)
    ]
    return {"object": "list", "model": body.get("model", ""), "data": data, "usage": _usage(given)}


def _base64_floats(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _error(status: int, message: str) -> bytes:
    return orjson.dumps({"error": {"message": message, "type": "faulty_server", "code": status}})


# ---- the wire: HTTP/1.1, one request of a connection at a time


def _header(head: bytes, name: bytes) -> bytes:
    _, _, rest = head.partition(b"\r\n" + name + b":")
    return rest[: rest.find(b"\r\n")].strip()


def _body_length(head: bytes) -> tuple[int, int]:
    """Return the length of the body and 0, or 0 and the status that rejects the request."""
    length = _header(head, b"content-length") or b"0"
    if _header(head, b"transfer-encoding"):
        return 0, 411
    if not length.isdigit():
        return 0, 400
    too_long = len(length) > 12 or int(length) > MAX_BODY
    return (0, 413) if too_long else (int(length), 0)


class _Link(asyncio.Protocol):
    """One client connection; what is pipelined waits in the buffer until the answer before it is out."""

    transport: asyncio.Transport

    def __init__(self, server: FaultyServer) -> None:
        self.job: _Job | None = None
        self._server = server
        self._buffer = bytearray()
        self._need = 0
        self._last = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._server._links.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server._links.discard(self)
        if self.job:
            self._server._abandon(self.job)

    def data_received(self, data: bytes) -> None:
        if not self._last:
            self._buffer += data
            self._pump()

    def _pump(self) -> None:
        if self.job or self._last or len(self._buffer) < self._need or self.transport.is_closing():
            return
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MAX_HEAD:
                self._refuse(431)
            return
        head = bytes(self._buffer[: end + 2])
        lower = head.lower()
        length, refusal = _body_length(lower)
        if refusal:
            self._refuse(refusal)
            return
        self._need = end + 4 + length
        if len(self._buffer) >= self._need:
            self._take(head, lower, bytes(self._buffer[end + 4 : self._need]))

    def _take(self, head: bytes, lower: bytes, body: bytes) -> None:
        del self._buffer[: self._need]
        self._need = 0
        method, target, version = [*head[: head.find(b"\r\n")].split(b" "), b"", b""][:3]
        self._last = version != b"HTTP/1.1" or _header(lower, b"connection") == b"close"
        self._server._receive(self, method + b" " + target.partition(b"?")[0], body)

    def _refuse(self, status: int) -> None:
        """Answer a request that was not read to its end, and discard the rest before closing."""
        self._buffer.clear()
        self._last = True
        self.send(status, _error(status, "the request cannot be read"), linger_s=0.5)

    def send(
        self, status: int, body: bytes, *, headers: bytes = b"", missing: int = 0, linger_s: float = 0.0
    ) -> None:
        """Write a response that announces `missing` more bytes than it has."""
        close = self._last or missing > 0
        extra = headers + b"Connection: close\r\n" if close else headers
        head = b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%b\r\n"
        self.transport.write(head % (status, _REASONS[status], len(body) + missing, extra) + body)
        if linger_s:
            self._server._loop.call_later(linger_s, self.transport.close)
        elif close:
            self.transport.close()
        elif self._buffer:
            self._server._loop.call_soon(self._pump)


@dataclass(slots=True, eq=False)
class _Job:
    """One request from its arrival to its answer."""

    link: _Link
    body: Body
    key: str
    attempt: int
    fault: str = ""
    timer: asyncio.Handle | None = None
    """Set while the request holds a service slot."""


# ---- the server


@dataclass(eq=False)
class FaultyServer:
    """Serve chat completions and embeddings on 127.0.0.1, with faults; `with FaultyServer() as server`."""

    reply: Reply = None
    """A text, texts of which the request's hash picks one, or a function of the request body, which must not
    block. None: an instance of the requested JSON schema, else `reply <8 hex digits of request_key>`."""
    latency_s: Latency = 0.0
    faults: Faults = field(default_factory=Faults)
    slots: int | None = None
    """Requests served at once; the others wait their turn, as in vLLM."""
    admit: int | None = None
    """Requests under way at once; one more gets 429 with `Retry-After: faults.retry_after_s`."""
    seed: int = 0
    dim: int = 16
    """Length of an embedding when the request has no `dimensions`."""
    port: int = 0
    keep_log: bool = False
    count_file: Path | None = None
    """A file to which the key of each request is appended, a line each, as the request arrives."""

    down: bool | Literal["close"] = field(default=False, init=False)
    """An outage, to be set at run time: True answers 503, "close" closes the connection."""
    in_flight: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._links: set[_Link] = set()
        self._waiting: deque[_Job] = deque()
        self._busy = 0
        self._count_fd = -1
        self.reset()

    def reset(self) -> None:
        """Set every counter to zero and every request back to its first attempt; call it between runs."""
        self.calls = 0
        """Complete chat and embedding requests that arrived, whatever became of them, outages aside."""
        self.answered = 0
        """Requests answered 200 with a good body."""
        self.refused = 0
        """Requests turned away while `down`."""
        self.prompts: Counter[str] = Counter()
        """How often each request was asked, by `request_key`."""
        self.faulted: Counter[str] = Counter()
        """How often each fault was met."""
        self.log: list[dict[str, Any]] = []
        """With `keep_log`, the time, status, key and fault of each request; 0 for a drop, 499 for a lost client."""
        self.peak_in_flight = self.in_flight

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def url(self) -> str:
        return f"{self.base_url}/chat/completions"

    @property
    def repeated(self) -> int:
        """Count the calls beyond the first of each request."""
        return self.calls - len(self.prompts)

    def stats(self) -> dict[str, Any]:
        """Return the counters as plain values; `cpu_s` is that of the whole process."""
        names = ("calls", "answered", "refused", "repeated", "in_flight", "peak_in_flight")
        counts = {name: getattr(self, name) for name in names}
        return counts | {
            "unique": len(self.prompts),
            "faulted": dict(self.faulted),
            "cpu_s": time.process_time(),
        }

    def __enter__(self) -> Self:
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        if self.count_file:
            self._count_fd = os.open(self.count_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._loop = asyncio.new_event_loop()
        start = self._loop.create_server(lambda: _Link(self), sock=listener, backlog=4096)
        self._listener = self._loop.run_until_complete(start)
        self._thread = threading.Thread(target=self._loop.run_forever, name="faulty-server", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._close)
        self._thread.join()
        self._loop.close()
        if self._count_fd >= 0:
            os.close(self._count_fd)

    def _close(self) -> None:
        self._listener.close()
        for link in self._links:
            link.transport.abort()
        self._loop.call_soon(self._loop.stop)

    def _receive(self, link: _Link, route: bytes, raw: bytes) -> None:
        if route not in _REQUIRED_FIELD:
            self._control(link, route, raw)
        elif self.down:
            self._turn_away(link)
        else:
            self._accept(link, _REQUIRED_FIELD[route], raw)

    def _turn_away(self, link: _Link) -> None:
        self.refused += 1
        if self.down == "close":
            link.transport.close()
        else:
            link.send(503, _error(503, "down"))

    def _control(self, link: _Link, route: bytes, raw: bytes) -> None:
        """Serve what is not counted: the model list, and the endpoints that steer the server."""
        match route:
            case b"GET /v1/models" if self.down:
                self._turn_away(link)
            case b"GET /v1/models":
                link.send(200, b'{"object":"list","data":[{"id":"faulty","object":"model"}]}')
            case b"GET /stats":
                link.send(200, orjson.dumps(self.stats()))
            case b"POST /reset":
                self.reset()
                link.send(200, b"{}")
            case b"POST /down":
                self.down = orjson.loads(raw)
                link.send(200, b"{}")
            case _:
                link.send(404, _error(404, f"no such endpoint: {route.decode(errors='replace')}"))

    def _accept(self, link: _Link, required: str, raw: bytes) -> None:
        """Count a request, then reject it, queue it or start on it."""
        body = _read(raw, required)
        key = request_key(body) if body else sha256(raw).hexdigest()[:32]
        job = link.job = _Job(link, body, key, self.prompts[key])
        self.calls += 1
        self.prompts[key] += 1
        self.in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)
        if self._count_fd >= 0:
            os.write(self._count_fd, key.encode() + b"\n")
        if not body:
            self._answer(job, 400, _error(400, f"not a JSON object with {required!r}"))
        elif self.admit is not None and self.in_flight > self.admit:
            self._reject(job, 429)
        else:
            self._admit(job)

    def _admit(self, job: _Job) -> None:
        job.fault = self.faults.draw(self.seed, job.key, job.attempt)
        if job.fault:
            self.faulted[job.fault] += 1
        if job.fault in ("status_400", "status_429"):
            self._reject(job, int(job.fault[-3:]))
        elif self.slots is not None and self._busy >= self.slots:
            self._waiting.append(job)
        else:
            self._start(job)

    def _reject(self, job: _Job, status: int) -> None:
        wait = b"Retry-After: %g\r\n" % self.faults.retry_after_s if status == 429 else b""
        self._answer(job, status, _error(status, _REASONS[status].decode()), headers=wait)

    def _start(self, job: _Job) -> None:
        delay = self._delay(job)
        if delay <= 0 and self.slots is None:
            self._finish(job)
        else:
            self._busy += 1
            job.timer = self._loop.call_later(delay, self._finish, job)

    def _delay(self, job: _Job) -> float:
        delay = self.latency_s
        if callable(delay):
            delay = delay(random.Random(f"{self.seed}/{job.key}/{job.attempt}"))
        if job.fault == "hang":
            return delay + self.faults.hang_s
        return delay * 20 if job.fault == "slow_tail" else delay

    def _finish(self, job: _Job) -> None:
        if job.fault == "drop":
            self._settle(job, 0)
            job.link.transport.close()
        elif job.fault == "status_500":
            self._reject(job, 500)
        else:
            self._answer(job, *self._compose(job), missing=64 * (job.fault == "truncated"))

    def _compose(self, job: _Job) -> tuple[int, bytes]:
        """Return the status and the body of the answer; a `reply` that raises is a 500, and logged."""
        empty = job.fault == "empty"
        try:
            if "messages" in job.body:
                text = None if empty else _reply_text(self.reply, job.body, job.key)
                payload = orjson.dumps(_completion(job.body, job.key, text))
            else:
                payload = orjson.dumps(_embeddings(job.body, self.dim, empty=empty))
        except Exception as error:
            logger.exception("no reply to request %s", job.key)
            return 500, _error(500, f"{type(error).__name__}: {error}")
        if job.fault == "malformed":
            return 200, payload[: len(payload) // 2]
        self.answered += job.fault in ("", "hang", "slow_tail")
        return 200, payload

    def _answer(self, job: _Job, status: int, body: bytes, *, headers: bytes = b"", missing: int = 0) -> None:
        self._settle(job, status)
        job.link.send(status, body, headers=headers, missing=missing)

    def _abandon(self, job: _Job) -> None:
        """Drop the request of a client that went away, as a model server does."""
        if job.timer:
            job.timer.cancel()
        else:
            self._waiting.remove(job)
        self._settle(job, 499)

    def _settle(self, job: _Job, status: int) -> None:
        """Free what the request held, before its answer is written: a client never sees stale counters."""
        job.link.job = None
        self.in_flight -= 1
        if self.keep_log:
            self.log.append({"time": time.time(), "status": status, "key": job.key, "fault": job.fault})
        if job.timer:
            self._busy -= 1
            if self._waiting:
                self._start(self._waiting.popleft())


def _read(raw: bytes, required: str) -> Body:
    """Parse a request body; {} when it is not a JSON object with the required field."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return {}
    wanted = list if required == "messages" else (str, list)
    return body if isinstance(body, dict) and isinstance(body.get(required), wanted) else {}


# ---- the same server in a process of its own


@dataclass(eq=False)
class ServerProcess:
    """Run a `FaultyServer` in a process of its own; it ends with this block, or with this process."""

    reply: str | Sequence[str] | None = None
    latency_s: float = 0.0
    sigma: float = 0.0
    """Spread of a log-normal latency with the median `latency_s`; 0 for a constant one."""
    faults: Faults = field(default_factory=Faults)
    slots: int | None = None
    admit: int | None = None
    seed: int = 0
    dim: int = 16
    port: int = 0
    count_file: Path | None = None

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "dataflow.testing.server", *self._arguments()]
        env = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=env)  # noqa: S603
        assert self._process.stdout
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            self.__exit__()
            raise ConfigError(f"ServerProcess: the server did not start; {' '.join(command)}")
        self.base_url = self.url.removesuffix("/chat/completions")
        self.pid = self._process.pid
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        self._process.communicate()

    def _arguments(self) -> list[str]:
        replies = [self.reply] if isinstance(self.reply, str) else self.reply or ()
        names = ("latency_s", "sigma", "slots", "admit", "seed", "dim", "port", "count_file")
        given = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        faults = {f.name: getattr(self.faults, f.name) for f in fields(Faults)}
        return [
            *(f"--{name.replace('_', '-')}={value}" for name, value in given.items()),
            *(f"--fault={name}={value}" for name, value in faults.items() if value is not None),
            *(f"--reply={text}" for text in replies),
        ]

    def _request(self, method: str, path: str, body: object = None) -> Any:
        connection = http.client.HTTPConnection(self.base_url.split("/")[2], timeout=30)
        try:
            connection.request(method, path, body=orjson.dumps(body))
            return orjson.loads(connection.getresponse().read())
        finally:
            connection.close()

    def stats(self) -> dict[str, Any]:
        """Return `FaultyServer.stats()` of the other process."""
        return dict(self._request("GET", "/stats"))

    def reset(self) -> None:
        """Set the counters to zero."""
        self._request("POST", "/reset")

    def set_down(self, down: bool | Literal["close"]) -> None:
        """Start or end an outage."""
        self._request("POST", "/down", down)


def _fault(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    return name, int(value) if name == "first_attempts" else float(value)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m dataflow.testing.server", description=FaultyServer.__doc__
    )
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", "--latency-s", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--sigma", type=float, default=0.0, help="spread of a log-normal latency")
    parser.add_argument("--fault", type=_fault, action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--reply", action="append", help="repeat it to have the request's hash pick one")
    parser.add_argument("--slots", type=int)
    parser.add_argument("--admit", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dim", type=int, default=16)
    parser.add_argument("--count-file", type=Path, help="append the key of each request to this file")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM or the end of standard input; the first line printed is the URL."""
    options = vars(_parser().parse_args(argv))
    latency, sigma = options.pop("latency"), options.pop("sigma")
    options["latency_s"] = lognormal(latency, sigma) if sigma else latency
    options["faults"] = Faults(**dict(options.pop("fault")))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with FaultyServer(**options) as server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
