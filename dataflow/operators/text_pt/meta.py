"""Texts scored by a model in several respects at once."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import Field, field_validator

from dataflow.core.errors import ReplyError
from dataflow.core.frames import as_text
from dataflow.core.generate import Generate
from dataflow.core.ports import In, NoPort, Out
from dataflow.core.prompt import prompt_restrict
from dataflow.core.protocols import Request
from dataflow.core.replies import clip, parse_json, without_thinking
from dataflow.prompts.text_pt import DIMENSIONS, Dimension, MetaPrompt


@prompt_restrict(MetaPrompt)
class MetaSampleEvaluator(Generate):
    """Score texts from 1 to 5 in any number of dimensions, a column each: one model call a row.

    The columns have the names of the dimensions. These are, unless others are given, Text Structure, Diversity and
    Complexity, Fluency and Understandability, Safety, Educational Value, and Content Accuracy and Effectiveness. A reply
    without a number from 1 to 5 for each dimension fails its row.
    """

    dimensions: tuple[Dimension, ...] | None = Field(None, min_length=1)
    """What is scored: of each `dimension_name`, `description` and `example_list` (dicts with `text` and `score`)."""

    input_key = In("raw_content", "the text")
    output_key = NoPort()  # type: ignore[assignment]

    @field_validator("dimensions")
    @classmethod
    def _named_apart(cls, dimensions: tuple[Dimension, ...] | None) -> tuple[Dimension, ...] | None:
        names = [d.dimension_name for d in dimensions or ()]
        if len(set(names)) < len(names):
            raise ValueError("two dimensions have the same name")
        return dimensions

    def model_post_init(self, context: Any) -> None:
        """Give this operator an output port a dimension: they hang on the settings, not on the class."""
        names = (d.dimension_name for d in self.dimensions or DIMENSIONS)
        vars(self)["outputs"] = {name: Out(name, "1 to 5", type="float") for name in names}

    def request(self, text: Any) -> Request:
        prompt = _prompt(self.dimensions or DIMENSIONS)
        return Request.of(prompt.build_prompt(as_text(text)), prompt.build_system_prompt(), prompt.schema())

    def parse(self, reply: str) -> tuple[float, ...] | float:
        scores = [_score(value, reply) for value in self._values(reply)]
        return tuple(scores) if len(scores) > 1 else scores[0]

    def _values(self, reply: str) -> list[Any]:
        """What a reply gives for each dimension: by name in an object, or by place in a list on its last line."""
        found = _found(reply)
        if isinstance(found, dict):
            by_name = {_plain(name): value for name, value in found.items()}
            found = [found.get(name, by_name.get(_plain(name))) for name in self.outputs]
        if len(found) != len(self.outputs):
            raise ReplyError(
                f"{len(found)} scores for {len(self.outputs)} dimensions in the reply {clip(reply)}"
            )
        return list(found)


@cache
def _prompt(dimensions: tuple[Dimension, ...]) -> MetaPrompt:
    return MetaPrompt(dimensions)


def _found(reply: str) -> Any:
    last = without_thinking(reply).strip("`\n ").rpartition("\n")[2]
    try:
        return parse_json(last, (dict, list))
    except ReplyError:
        return parse_json(reply, (dict, list))


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name.lower()))


def _score(value: Any, reply: str) -> float:
    if isinstance(value, dict):
        value = value.get("score")
    if isinstance(value, str):
        value = _number(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 1 <= value <= 5:
        raise ReplyError(f"a score is not a number from 1 to 5 in the reply {clip(reply)}")
    return float(value)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
