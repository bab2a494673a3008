"""A real OpenAI-compatible server on 127.0.0.1 that fails on purpose, for tests and benchmarks.

`FaultyServer` runs in a thread of this process; `ServerProcess` runs the same server in a process of its own
(``python -m dataflow.testing.server --latency 0.05``), where its CPU is not the client's and it outlives a
killed client. Faults and latencies are drawn per (seed, request, attempt), so a run repeats exactly whatever
the order in which its requests arrive.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Literal, Self

import orjson

from dataflow.testing.answers import (
    Body,
    Reply,
    answer,
    error_body,
    minimal_instance,
    read_body,
    request_key,
    unit_vector,
)
from dataflow.testing.clock import Clock
from dataflow.testing.counters import Counters
from dataflow.testing.faults import Faults, Latency, lognormal
from dataflow.testing.process import ServerProcess, read_arguments
from dataflow.testing.wire import REASONS, Link, Listener

logger = logging.getLogger(__name__)

Down = bool | Literal["close", "hang"]

_REQUIRED_FIELD = {b"POST /v1/chat/completions": "messages", b"POST /v1/embeddings": "input"}


@dataclass(slots=True, eq=False)
class _Job:
    """One request from its arrival to its answer."""

    link: Link
    body: Body
    key: str
    attempt: int
    fault: str = ""
    timer: asyncio.Handle | None = None
    """Set while the request holds a service slot."""


@dataclass(eq=False)
class FaultyServer(Counters):
    """Serve chat completions and embeddings on 127.0.0.1, with faults; `with FaultyServer() as server`."""

    reply: Reply = None
    """A text, texts of which the request's hash picks one, or a function of the request body, which must not
    block. None: an instance of the requested JSON schema, else `reply <8 hex digits of request_key>`."""
    latency_s: Latency = 0.0
    faults: Faults = field(default_factory=Faults)
    slots: int | None = None
    """Requests served at once; the others wait their turn, as in vLLM."""
    admit: int | None = None
    """Requests under way at once; one more gets 429 with `Retry-After: faults.retry_after_s`. May be set at run time."""
    admit_schedule: Sequence[tuple[float, int]] = ()
    """What `admit` is: (seconds, requests) one after the other, over and over, from the first request on."""
    quota: tuple[int, float] | None = None
    """Requests in each so many seconds, as (requests, seconds); one more gets 429. Answers tell what is left, in the
    headers `x-ratelimit-remaining-requests` and `x-ratelimit-reset-requests`."""
    outages: Sequence[tuple[float, float]] = ()
    """Seconds from the first request on at which an outage begins, and ends."""
    seed: int = 0
    dim: int = 16
    """Length of an embedding when the request has no `dimensions`."""
    port: int = 0
    keep_log: bool = False
    count_file: Path | None = None
    """A file to which the key of each request is appended, a line each, as the request arrives."""

    down: Down = field(default=False, init=False)
    """An outage, to be set at run time: True answers 503, "close" closes the connection, "hang" never answers."""

    def __post_init__(self) -> None:
        self._listener: Listener | None = None
        self._waiting: deque[_Job] = deque()
        self._busy = 0
        self._count_fd = -1
        self.clock = Clock(self.admit_schedule, self.quota, self.outages)
        self.reset()

    def reset(self) -> None:
        """Set every counter to zero and every request back to its first attempt; call it between runs."""
        self.reset_counters()
        self.clock.reset()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def url(self) -> str:
        return f"{self.base_url}/chat/completions"

    def start(self) -> None:
        """Listen, on a thread of its own; on the same port as before where it was stopped."""
        if self._listener is not None:
            return
        self._listener = Listener(self.port, self._receive, self._abandon)
        self.port, self._loop = self._listener.port, self._listener.loop
        if self.count_file:
            self._count_fd = os.open(self.count_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def stop(self) -> None:
        """Close the connections and end the thread; the counters stay."""
        if self._listener is None:
            return
        self._listener.stop()
        self._listener = None
        if self._count_fd >= 0:
            os.close(self._count_fd)
            self._count_fd = -1

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def _receive(self, link: Link, route: bytes, raw: bytes) -> None:
        if route not in _REQUIRED_FIELD:
            self._control(link, route, raw)
        elif self.down or self.clock.is_outage():
            self._turn_away(link)
        else:
            self._accept(link, _REQUIRED_FIELD[route], raw)

    def _turn_away(self, link: Link) -> None:
        self.refused += 1
        if self.down == "close":
            link.transport.close()
        elif self.down != "hang":
            link.send(503, error_body(503, "down"))

    def _control(self, link: Link, route: bytes, raw: bytes) -> None:
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
            case b"POST /admit":
                self.admit = orjson.loads(raw)
                link.send(200, b"{}")
            case _:
                link.send(404, error_body(404, f"no such endpoint: {route.decode(errors='replace')}"))

    def _accept(self, link: Link, required: str, raw: bytes) -> None:
        """Count a request, then reject it, queue it or start on it."""
        body = read_body(raw, required)
        key = request_key(body) if body else sha256(raw).hexdigest()[:32]
        job = link.job = _Job(link, body, key, self.prompts[key])
        self.calls += 1
        self.prompts[key] += 1
        self.in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)
        if self._count_fd >= 0:
            os.write(self._count_fd, key.encode() + b"\n")
        if not body:
            self._answer(job, 400, error_body(400, f"not a JSON object with {required!r}"))
        elif self._is_over_limit():
            self.limited += 1
            self._reject(job, 429)
        else:
            self._admit(job)

    def _is_over_limit(self) -> bool:
        admit = self.clock.admits(self.admit)
        return (admit is not None and self.in_flight > admit) or not self.clock.take()

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
        self._answer(job, status, error_body(status, REASONS[status].decode()), headers=wait)

    def _start(self, job: _Job) -> None:
        delay = self.faults.delay(job.fault, self.latency_s, self.seed, job.key, job.attempt)
        if delay <= 0 and self.slots is None:
            self._finish(job)
        else:
            self._busy += 1
            job.timer = self._loop.call_later(delay, self._finish, job)

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
        try:
            payload = orjson.dumps(
                answer(job.body, job.key, self.reply, self.dim, empty=job.fault == "empty")
            )
        except Exception as error:
            logger.exception("no reply to request %s", job.key)
            return 500, error_body(500, f"{type(error).__name__}: {error}")
        if job.fault == "malformed":
            return 200, payload[: len(payload) // 2]
        self.answered += job.fault in ("", "hang", "slow_tail")
        return 200, payload

    def _answer(self, job: _Job, status: int, body: bytes, *, headers: bytes = b"", missing: int = 0) -> None:
        self._settle(job, status)
        job.link.send(status, body, headers=headers + self.clock.quota_headers(), missing=missing)

    def _abandon(self, link: Link) -> None:
        """Drop the request of a client that went away, as a model server does."""
        job: _Job | None = link.job
        if job is None:
            return
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


def main(argv: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM or the end of standard input; the first line printed is the URL."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with FaultyServer(**read_arguments(argv)) as server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        sys.stdin.buffer.read()


__all__ = [
    "Faults",
    "FaultyServer",
    "ServerProcess",
    "lognormal",
    "minimal_instance",
    "request_key",
    "unit_vector",
]

if __name__ == "__main__":
    main()
