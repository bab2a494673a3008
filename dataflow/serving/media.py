"""Pictures and sound in messages: local files become data URLs when the message is sent, addresses stay as they are."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from dataflow.core.errors import CallError
from dataflow.core.protocols import Message, Request

MAX_BYTES = 25 * 2**20
"""The largest file sent; hosted services refuse larger ones."""
_REMOTE = ("http://", "https://", "data:")
_HEAD = 16
Kind = Literal["image", "audio"]


def image_part(source: object) -> dict[str, Any]:
    """A picture as a part of a message's content: a path, a `file:` or http address, or a data URL."""
    return {"type": "image_url", "image_url": {"url": _address(source)}}


def audio_part(source: object) -> dict[str, Any]:
    """Sound as a part of a message's content, in the form that vLLM and SGLang read; sources as for `image_part`."""
    return {"type": "audio_url", "audio_url": {"url": _address(source)}}


def input_audio_part(source: object) -> dict[str, Any]:
    """Sound in the form that OpenAI reads: a local wav or mp3 file."""
    return {"type": "input_audio", "input_audio": {"url": _address(source)}}


def text_part(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def has_media(request: Request) -> bool:
    """Whether a message has parts that `inlined` would read."""
    return any(isinstance(turn.get("content"), list) for turn in request.messages)


def inlined(request: Request) -> Request:
    """The request with the bytes of its local files in it. Reads files, so call it on a thread.

    Raises:
        CallError: a file is not there, is no picture or sound by its first bytes, or is larger than `MAX_BYTES`.
    """
    return Request(tuple(_turn(turn) for turn in request.messages), request.schema)


def _turn(turn: Message) -> Message:
    content = turn.get("content")
    if not isinstance(content, Sequence) or isinstance(content, str):
        return turn
    return {**turn, "content": [_part(part) for part in content]}


def _part(part: Any) -> Any:
    match part:
        case {"type": "image_url", "image_url": {"url": str(url), **rest}}:
            return {"type": "image_url", "image_url": {"url": _sent(url, "image"), **rest}}
        case {"type": "image_url", "image_url": str(url)}:
            return image_part(_sent(url, "image"))
        case {"type": "audio_url", "audio_url": {"url": str(url)}}:
            return audio_part(_sent(url, "audio"))
        case {"type": "input_audio", "input_audio": {"url": str(url)}}:
            return {"type": "input_audio", "input_audio": _sound(url)}
        case _:
            return part


def _address(source: object) -> str:
    """A source as text; blank where the row has none, which fails when it is sent and not before."""
    return str(source).strip() if isinstance(source, str | Path) else ""


def _sent(source: str, kind: Kind) -> str:
    if source.startswith(_REMOTE):
        return source
    mime, data = _read(source, kind)
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


def _sound(source: str) -> Mapping[str, str]:
    if source.startswith(_REMOTE):
        raise CallError("input_audio takes the path of a wav or mp3 file, no address")
    mime, data = _read(source, "audio")
    form = {"audio/wav": "wav", "audio/mpeg": "mp3"}.get(mime)
    if form is None:
        raise CallError(f"{source}: input_audio takes wav and mp3, and this is {mime}")
    return {"data": base64.b64encode(data).decode(), "format": form}


def _read(source: str, kind: Kind) -> tuple[str, bytes]:
    if not source:
        raise CallError(f"the row names no {kind} file")
    path = Path(unquote(urlsplit(source).path) if source.startswith("file:") else source).expanduser()
    try:
        # a pipe or a device would never end
        if not path.is_file():
            raise CallError(f"there is no {kind} file {_short(source)}")
        if (size := path.stat().st_size) > MAX_BYTES:
            raise CallError(
                f"{_short(source)} has {size / 2**20:.1f} MB; at most {MAX_BYTES // 2**20} are sent"
            )
        data = path.read_bytes()
    except (OSError, ValueError, RuntimeError) as error:
        if isinstance(error, CallError):
            raise
        raise CallError(f"{_short(source)} cannot be read: {_why(error)}") from error
    mime = sniff(data)
    if mime is None or not mime.startswith(f"{kind}/"):
        raise CallError(f"{_short(source)} is no {kind} file that models read, by its first bytes")
    return mime, data


def sniff(data: bytes) -> str | None:
    """The media type that the first bytes of a file tell; null for anything but common pictures and sound.

    That a row's path must lead to a picture or to sound also keeps a table from sending other files away.
    """
    head = data[:_HEAD]
    for start, mime in _STARTS:
        if head.startswith(start):
            return mime
    if head[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(head[8:12])
    if head[4:8] == b"ftyp":
        return {b"M4A ": "audio/mp4", b"avif": "image/avif", b"heic": "image/heic"}.get(head[8:12])
    # an MPEG audio frame without tags: eleven set bits, then a layer that is not reserved
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] & 0x06:
        return "audio/mpeg"
    return None


_STARTS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
)


def _short(source: str) -> str:
    return repr(source if len(source) <= 200 else f"{source[:200]}…")


def _why(error: Exception) -> str:
    """What the system says, without the path, which may be as long as a row."""
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
