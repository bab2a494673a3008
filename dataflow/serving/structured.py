"""Structured replies: validated on return, with one repair turn before the row fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Any

import jsonschema
import orjson

from dataflow.core.errors import ConfigError, ReplyError
from dataflow.core.frames import dumps
from dataflow.core.protocols import Reply, Request
from dataflow.core.replies import parse_json

_REPAIR = (
    "That reply does not meet the JSON schema: {fault}. Send the corrected JSON value alone, without a code fence "
    "or any other words. The schema:\n{schema}"
)


async def checked(request: Request, reply: Reply, again: Callable[[Request], Awaitable[Reply]]) -> Reply:
    """The reply as one JSON text that meets the request's schema; a faulty one is sent back once.

    Raises:
        ReplyError: the second reply does not meet the schema either.
    """
    assert request.schema is not None
    fault, text = _examine(reply.text, request.schema)
    if fault is None:
        return _with_text(reply, text)
    words = _REPAIR.format(fault=fault, schema=dumps(request.schema))
    turns = ({"role": "assistant", "content": reply.text}, {"role": "user", "content": words})
    reply = await again(Request((*request.messages, *turns), request.schema))
    fault, text = _examine(reply.text, request.schema)
    if fault is not None:
        raise ReplyError(f"the reply does not meet the JSON schema, not even when sent back: {fault}")
    return _with_text(reply, text)


def _with_text(reply: Reply, text: str) -> Reply:
    return Reply(text, reply.prompt_tokens, reply.completion_tokens, reply.cached, reply.truncated)


def _examine(text: str, schema: Mapping[str, Any]) -> tuple[str | None, str]:
    try:
        value = parse_json(text, (dict, list, str, int, float, bool))
    except ReplyError as error:
        return str(error), text
    fault = next(_validator(orjson.dumps(schema)).iter_errors(value), None)
    if fault is None:
        return None, dumps(value)
    where = "/".join(map(str, fault.absolute_path)) or "the value"
    return f"{where}: {_shortened(fault.message)}", text


def _shortened(message: str) -> str:
    """A long message without its middle: it begins with the value, and ends with what is wrong with it."""
    return message if len(message) <= 200 else f"{message[:120]} … {message[-80:]}"


@lru_cache(maxsize=64)
def _validator(schema: bytes) -> Any:
    given = orjson.loads(schema)
    try:
        jsonschema.Draft202012Validator.check_schema(given)
    except jsonschema.SchemaError as error:
        raise ConfigError(f"no valid JSON schema: {error.message}") from error
    return jsonschema.Draft202012Validator(given)


def strict_schema(schema: Any) -> bool:
    """Whether a schema meets the rules of OpenAI's strict mode: every object closed, every property required."""
    if isinstance(schema, list):
        return all(map(strict_schema, schema))
    if not isinstance(schema, Mapping):
        return True
    if schema.get("type") == "object":
        named = set(schema.get("properties", {}))
        if schema.get("additionalProperties") is not False or set(schema.get("required", ())) != named:
            return False
    return all(strict_schema(v) for v in schema.values())
