"""The good answers of a faulty server: pure functions of the request."""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256, shake_128
from typing import Any

import orjson

Body = dict[str, Any]
Reply = str | Sequence[str] | Callable[[Body], str] | None


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


def read_body(raw: bytes, required: str) -> Body:
    """Parse a request body; {} when it is not a JSON object with the required field."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return {}
    wanted = list if required == "messages" else (str, list)
    return body if isinstance(body, dict) and isinstance(body.get(required), wanted) else {}


def answer(body: Body, key: str, reply: Reply, dim: int, *, empty: bool) -> Body:
    """Build the answer to a request: a completion, or the embeddings of its texts."""
    if "messages" not in body:
        return _embeddings(body, dim, empty=empty)
    return _completion(body, key, None if empty else _reply_text(reply, body, key))


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


def error_body(status: int, message: str) -> bytes:
    return orjson.dumps({"error": {"message": message, "type": "faulty_server", "code": status}})
