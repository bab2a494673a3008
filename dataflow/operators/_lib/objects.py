"""Reading JSON objects of a known shape out of replies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from dataflow.core.errors import ReplyError
from dataflow.core.replies import clip, parse_json, without_thinking

M = TypeVar("M", bound=BaseModel)
_DECODER = json.JSONDecoder(strict=False)


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
