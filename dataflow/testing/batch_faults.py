"""What goes wrong at a batch server, and the lines of its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from dataflow.testing.answers import read_body


@dataclass(frozen=True)
class BatchFaults:
    """What goes wrong at a batch server."""

    failed_lines: float = 0.0
    """Probability that a request meets status 500 or 429 in its first batch."""
    refused_lines: float = 0.0
    """Probability that a request has status 400, in whatever batch."""
    malformed_lines: float = 0.0
    """Probability that the answer to a request in its first batch is half a line."""
    expired: tuple[int, ...] = ()
    """Which batches (from 1) expire with half of their requests answered."""
    invalid: tuple[int, ...] = ()
    """Which batches fail their validation, without a word about a line."""
    errors: float = 0.0
    """Probability that any request to the server has status 500 or 429, or is dropped, without effect."""
    lost_answers: float = 0.0
    """Probability that a `POST` has its effect, and its connection is closed without an answer."""
    queue_limit: int = 0
    """Requests that may wait in unfinished batches; a batch beyond it fails its validation. 0 for no limit."""
    refuse_full: bool = False
    """Whether a batch beyond the limit is refused with 429 when it is created, rather than failed later."""


def output_line(line: Mapping[str, Any], status: int, body: Any) -> bytes:
    response = {"status_code": status, "request_id": f"req-{line['custom_id']}", "body": body}
    return orjson.dumps(
        {"id": "batch_req", "custom_id": line["custom_id"], "response": response, "error": None}
    )


def mistake_in(lines: list[dict[str, Any]]) -> dict[str, Any] | None:
    """What is wrong with an input file."""
    if len({line["custom_id"] for line in lines}) < len(lines):
        return {"code": "duplicate_custom_id", "message": "a custom_id is there twice", "line": None}
    for number, line in enumerate(lines, 1):
        if not read_body(orjson.dumps(line["body"]), "messages"):
            return {"code": "invalid_request", "message": "no messages", "line": number}
        if line["body"].get("model") == "unknown":
            return {"code": "model_not_found", "message": "no such model", "line": number}
    return None


def drop(request: web.Request) -> None:
    """Close the connection: whatever is answered does not arrive."""
    if request.transport is not None:
        request.transport.abort()
