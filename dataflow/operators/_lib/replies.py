"""Reading replies: JSON objects of a known shape, and texts without what models put around them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from dataflow.core.errors import ReplyError
from dataflow.core.replies import clip, parse_json, without_thinking

M = TypeVar("M", bound=BaseModel)
_DECODER = json.JSONDecoder(strict=False)
_FENCED = re.compile(r"```[\w+-]*[ \t]*\n(.*?)\n?[ \t]*```", re.DOTALL)


def bare(reply: str) -> str:
    """The reply without thoughts, and without a code fence that goes around all of it."""
    text = without_thinking(reply)
    fenced = _FENCED.fullmatch(text)
    return (fenced.group(1) if fenced else text).strip()


def read_object(reply: str, model: type[M]) -> M:
    """The first object of that shape in a reply: bare, fenced or inside prose, with any braces in its texts.

    Raises:
        ReplyError: there is none.
    """
    for found in _objects(without_thinking(reply)):
        try:
            return model.model_validate(found)
        except ValidationError:
            continue
    try:
        return model.model_validate(parse_json(reply, dict))
    except ValidationError as error:
        fault = error.errors()[0]
        name = ".".join(map(str, fault["loc"]))
        raise ReplyError(f"{name}: {fault['msg']}, in the reply {clip(reply)}") from error


def _objects(text: str) -> Iterator[dict[str, Any]]:
    start = text.find("{")
    while start >= 0:
        with suppress(ValueError, RecursionError):
            yield _DECODER.raw_decode(text, start)[0]
        start = text.find("{", start + 1)
