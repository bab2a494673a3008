"""Structured replies: validated on return."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import jsonschema
import orjson

from dataflow.core.errors import ConfigError, ReplyError
from dataflow.core.frames import dumps
from dataflow.core.protocols import Reply
from dataflow.core.replies import parse_json


def valid(schema: Mapping[str, Any], reply: Reply) -> Reply:
    """The reply as one JSON text that meets the schema.

    Raises:
        ReplyError: it breaks off, has no JSON, or such as does not meet the schema.
    """
    value = parse_json(reply.whole().text, (dict, list, str, int, float, bool))
    if (fault := next(_validator(orjson.dumps(schema)).iter_errors(value), None)) is not None:
        where = "/".join(map(str, fault.absolute_path)) or "the value"
        raise ReplyError(f"the reply does not meet the JSON schema: {where}: {_shortened(fault.message)}")
    return replace(reply, text=dumps(value))


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
