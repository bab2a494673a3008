"""Asking about a file of pictures or sound: the file's address goes into the message, and the serving reads it."""

from __future__ import annotations

from typing import Any

from dataflow.core.asking import Ask
from dataflow.core.frames import as_text
from dataflow.core.protocols import Message, Request


def part(kind: str, address: object) -> dict[str, Any]:
    """A file as a part of a message: `image_url`, `audio_url` or `input_audio`."""
    return {"type": kind, kind: {"url": as_text(address).strip()}}


def about(file: dict[str, Any], question: str = "", system: str = "") -> Request:
    """What is asked about one file; the question comes after it."""
    content = [file, {"type": "text", "text": question}] if question else [file]
    turns: list[Message] = [{"role": "system", "content": system}] if system else []
    return Request((*turns, {"role": "user", "content": content}))


async def asked(ask: Ask, request: Request, address: object, system: str) -> str:
    """The reply, from a serving that takes messages or from one that answers lists of addresses."""
    if hasattr(ask.serving, "ask"):
        return await ask(request)
    return await ask(Request.of(as_text(address).strip(), system))
