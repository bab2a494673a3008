"""How prompts begin, for endpoints that keep the beginnings of recent prompts and charge less for them."""

from __future__ import annotations

from dataflow.core.protocols import Request

PREFIX_CHARS = 2000
"""Endpoints cache from about a thousand tokens on; shorter beginnings are not worth an order."""


def prefix_of(request: Request) -> int:
    """A hash of the first `PREFIX_CHARS` characters of a prompt; 0 where it is shorter."""
    left, parts = PREFIX_CHARS, []
    for message in request.messages:
        text = message.get("content")
        if not isinstance(text, str):
            return 0
        parts.append(text[:left])
        left -= len(text)
        if left <= 0:
            return hash(tuple(parts)) or 1
    return 0
