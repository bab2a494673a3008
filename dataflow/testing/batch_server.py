"""A real server of OpenAI's files and batches on 127.0.0.1 that fails on purpose, for tests and benchmarks.

`BatchServer` runs in a thread of this process; `BatchServerProcess` runs it in a process of its own
(``python -m dataflow.testing.batch_server '{"work_s": 0.5}'``), where it outlives a killed client. It counts every
request that it answered: an answered request is a billed one.
"""

from __future__ import annotations

import asyncio
import http.client
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Any, Self
from urllib.parse import urlsplit

import orjson
from aiohttp import web

from dataflow.testing.answers import Reply, answer, error_body, request_key
from dataflow.testing.batch_faults import BatchFaults, drop, mistake_in, output_line

_LIMIT_BYTES = 256 << 20
_UNFINISHED = ("validating", "in_progress")


@dataclass(eq=False)
class _Batch:
    told: dict[str, Any]
    lines: list[dict[str, Any]]
    ended: asyncio.Handle | None = None


@dataclass(eq=False)
class BatchServer:
    """Serve files and batches on 127.0.0.1, with faults; `with BatchServer() as server`."""

    reply: Reply = None
    """As of `FaultyServer`."""
    validate_s: float = 0.0
    work_s: float = 0.0
    """How long a batch is worked on after its validation."""
    faults: BatchFaults = field(default_factory=BatchFaults)
    seed: int = 0
    port: int = 0

    def __post_init__(self) -> None:
        self.billed: Counter[str] = Counter()
        """How often each request was answered, by `request_key`."""
        self.tokens: Counter[str] = Counter()
        """Prompt and completion tokens of all answers."""
        self.calls: Counter[str] = Counter()
        """Requests to the server, by method and first part of the path."""
        self.seen: Counter[str] = Counter()
        """How often each request was in a batch that was worked on."""
        self.batches: dict[str, _Batch] = {}
        self.files: dict[str, bytes] = {}
        self._numbers, self._draw = count(1), random.Random(self.seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="batch-server", daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(30)
        return self

    def __exit__(self, *error: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    async def _start(self) -> None:
        app = web.Application(client_max_size=_LIMIT_BYTES, middlewares=[self._faulty])
        app.router.add_post("/v1/files", self._upload)
        app.router.add_get("/v1/files/{id}/content", self._content)
        app.router.add_post("/v1/batches", self._create)
        app.router.add_get("/v1/batches", self._list)
        app.router.add_get("/v1/batches/{id}", self._get)
        app.router.add_post("/v1/batches/{id}/cancel", self._cancel)
        app.router.add_get("/stats", self._tell)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = int(self._runner.addresses[0][1])

    async def _stop(self) -> None:
        await self._runner.cleanup()
        rest = asyncio.all_tasks() - {asyncio.current_task()}  # of connections that were dropped on purpose
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    def stats(self) -> dict[str, Any]:
        """Counts as plain values: `billed` requests in all, `unique` ones, batches by status, calls by path."""
        states = Counter(b.told["status"] for b in self.batches.values())
        return {
            "billed": sum(self.billed.values()), "unique": len(self.billed), "batches": dict(states),
            "calls": dict(self.calls), "tokens": dict(self.tokens), "sizes": [len(b.lines) for b in self.batches.values()],
        }  # fmt: skip

    @web.middleware
    async def _faulty(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        self.calls[f"{request.method} {'/'.join(request.path.split('/')[2:3])}"] += 1
        if request.path != "/stats" and self._draw.random() < self.faults.errors:
            return self._fault(request)
        response = await handler(request)
        if request.method == "POST" and self._draw.random() < self.faults.lost_answers:
            drop(request)
        return response

    def _fault(self, request: web.Request) -> web.Response:
        kind = self._draw.choice((429, 500, 0))
        if not kind:
            drop(request)
        return _error(kind or 500, "on purpose", {"Retry-After": "0.02"} if kind == 429 else {})

    async def _upload(self, request: web.Request) -> web.Response:
        parts = await request.post()
        file = parts.get("file")
        if parts.get("purpose") != "batch" or not isinstance(file, web.FileField):
            return _error(400, "a file with the purpose 'batch' is needed")
        name = f"file-{next(self._numbers)}"
        self.files[name] = file.file.read()
        return _json({"id": name, "object": "file", "bytes": len(self.files[name]), "purpose": "batch"})

    async def _content(self, request: web.Request) -> web.StreamResponse:
        data = self.files.get(request.match_info["id"])
        return _error(404, "No such File object") if data is None else web.Response(body=data)

    async def _create(self, request: web.Request) -> web.Response:
        asked = orjson.loads(await request.read())
        if (data := self.files.get(asked["input_file_id"])) is None:
            return _error(400, f"no file {asked['input_file_id']}")
        lines = [orjson.loads(line) for line in data.splitlines()]
        if self.faults.refuse_full and self._overfull(len(lines)):
            return _error(429, "Enqueued token limit reached", {"Retry-After": "0.02"})
        told = {
            "id": f"batch-{next(self._numbers)}", "object": "batch", "endpoint": asked["endpoint"], "errors": None,
            "input_file_id": asked["input_file_id"], "completion_window": asked["completion_window"],
            "status": "validating", "output_file_id": None, "error_file_id": None, "created_at": int(time.time()),
            "request_counts": {"total": len(lines), "completed": 0, "failed": 0}, "metadata": asked.get("metadata"),
        }  # fmt: skip
        batch = self.batches[told["id"]] = _Batch(told, lines)
        batch.ended = self._loop.call_later(self.validate_s, self._validated, batch, len(self.batches))
        return _json(told)

    def _overfull(self, more: int) -> bool:
        waiting = sum(len(b.lines) for b in self.batches.values() if b.told["status"] in _UNFINISHED)
        return bool(self.faults.queue_limit) and waiting + more > self.faults.queue_limit

    def _validated(self, batch: _Batch, number: int) -> None:
        fault = mistake_in(batch.lines)
        if number in self.faults.invalid:
            fault = {"code": "invalid_batch", "message": "on purpose", "line": None}
        if self._overfull(0):
            fault = {"code": "token_limit_exceeded", "message": "Enqueued token limit reached", "line": None}
        if fault:
            batch.told |= {"status": "failed", "errors": {"object": "list", "data": [fault]}}
            return
        batch.told["status"] = "in_progress"
        expires = number in self.faults.expired
        batch.ended = self._loop.call_later(
            self.work_s, self._end, batch, "expired" if expires else "completed"
        )

    def _end(self, batch: _Batch, status: str) -> None:
        worked = batch.lines if status == "completed" else batch.lines[: len(batch.lines) // 2]
        good, bad = list[bytes](), list[bytes]()
        for line in worked:
            status_code, text = self._answered(line)
            (good if status_code == 200 else bad).append(text)
        for line in batch.lines[len(worked) :]:
            error = {"code": f"batch_{status}", "message": f"This request was in a batch that is {status}."}
            bad.append(orjson.dumps({"custom_id": line["custom_id"], "response": None, "error": error}))
        self._draw.shuffle(good)
        for name, texts in (("output_file_id", good), ("error_file_id", bad)):
            if texts:
                batch.told[name] = f"file-{next(self._numbers)}"
                self.files[batch.told[name]] = b"\n".join(texts) + b"\n"
        counts = {"total": len(batch.lines), "completed": len(good), "failed": len(bad)}
        batch.told |= {"status": status, "request_counts": counts}

    def _answered(self, line: Mapping[str, Any]) -> tuple[int, bytes]:
        """The status of one request and the line about it."""
        key = request_key(line["body"])
        draw = random.Random(f"{self.seed}/{key}")
        first, self.seen[key] = not self.seen[key], self.seen[key] + 1
        refused, failed, broken = (draw.random() for _ in range(3))
        if refused < self.faults.refused_lines:
            return 400, output_line(line, 400, orjson.loads(error_body(400, "refused on purpose")))
        if first and failed < self.faults.failed_lines:
            status = draw.choice((429, 500))
            return status, output_line(line, status, orjson.loads(error_body(status, "failed on purpose")))
        self.billed[key] += 1
        body = answer(line["body"], key, self.reply, 16, empty=False)
        self.tokens.update(body["usage"])
        text = output_line(line, 200, body)
        return 200, text[: len(text) // 2] if first and broken < self.faults.malformed_lines else text

    async def _list(self, request: web.Request) -> web.Response:
        newest = list(reversed(self.batches.values()))
        limit, after = int(request.query.get("limit", 20)), request.query.get("after")
        first = next((i for i, b in enumerate(newest, 1) if b.told["id"] == after), 0)
        page = [b.told for b in newest[first : first + limit]]
        return _json({"object": "list", "data": page, "has_more": first + limit < len(newest)})

    async def _get(self, request: web.Request) -> web.Response:
        batch = self.batches.get(request.match_info["id"])
        return _error(404, "No batch found") if batch is None else _json(batch.told)

    async def _cancel(self, request: web.Request) -> web.Response:
        batch = self.batches.get(request.match_info["id"])
        if batch is None:
            return _error(404, "No batch found")
        if batch.told["status"] in _UNFINISHED and batch.ended:
            batch.ended.cancel()
            self._end(batch, "cancelled")
        return _json(batch.told)

    async def _tell(self, request: web.Request) -> web.Response:
        return _json(self.stats())


class BatchServerProcess:
    """Run a `BatchServer` in a process of its own; it ends with this block, or with this process."""

    def __init__(self, faults: BatchFaults | None = None, **settings: Any) -> None:
        self.settings = settings | {"faults": asdict(faults or BatchFaults())}

    def __enter__(self) -> Self:
        command = [
            sys.executable,
            "-m",
            "dataflow.testing.batch_server",
            orjson.dumps(self.settings).decode(),
        ]
        env = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=env)  # noqa: S603
        assert self._process.stdout
        self.url = self._process.stdout.readline().strip()
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        self._process.communicate()

    def stats(self) -> dict[str, Any]:
        """Return `BatchServer.stats()` of the other process."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        try:
            connection.request("GET", "/stats")
            return dict(orjson.loads(connection.getresponse().read()))
        finally:
            connection.close()


def _json(value: Any) -> web.Response:
    return web.Response(body=orjson.dumps(value), content_type="application/json")


def _error(status: int, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        status=status, body=error_body(status, message), content_type="application/json", headers=headers
    )


def main(argv: list[str] | None = None) -> None:
    """Serve until the end of standard input; the first line printed is the base URL."""
    settings = orjson.loads((argv or sys.argv[1:])[0])
    faults = settings.pop("faults", {})
    faults |= {name: tuple(faults.get(name, ())) for name in ("expired", "invalid")}
    with BatchServer(faults=BatchFaults(**faults), **settings) as server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
