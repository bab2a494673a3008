"""Structured replies: what meets the schema passes, what does not is asked for once more, then its row fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from dataflow.core.errors import ConfigError
from dataflow.serving.structured import strict_schema
from dataflow.testing.server import FaultyServer

Serve = Callable[..., Any]
Start = Callable[..., FaultyServer]

SCHEMA = {
    "type": "object",
    "properties": {"grade": {"type": "integer", "minimum": 1, "maximum": 5}, "why": {"type": "string"}},
    "required": ["grade"],
}
MISSES = "the reply does not meet the JSON schema:"


def turns(*replies: str) -> Callable[[dict[str, Any]], str]:
    """The first reply to the question, the next when it is asked again, and so on."""
    return lambda body: replies[min(str(body["messages"][-1]).count("could not be used"), len(replies) - 1)]


@pytest.mark.parametrize(
    "reply",
    [
        '{"grade": 3}',
        ' {"grade":3}\n',
        '```json\n{"grade": 3}\n```',
        'Sure! {"grade": 3}',
        "{'grade': 3,}",
        '<think>{"grade": 9}</think>{"grade": 3}',
    ],
)
def test_replies_that_meet_the_schema(start: Start, serve: Serve, reply: str) -> None:
    server = start(reply=reply)
    assert serve(server).generate_from_input(["a"], json_schema=SCHEMA) == ['{"grade":3}']
    assert server.calls == 1


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        ("no JSON", "no JSON in the reply 'no JSON'"),
        ('{"grade": 9}', f"{MISSES} grade: 9 is greater than the maximum of 5"),
        ('{"grade": true}', f"{MISSES} grade: True is not of type 'integer'"),
        ("{}", f"{MISSES} the value: 'grade' is a required property"),
        ("[1]", f"{MISSES} the value: [1] is not of type 'object'"),
        ('"text"', f"{MISSES} the value: 'text' is not of type 'object'"),
    ],
)
def test_a_faulty_reply_is_asked_for_once_more(start: Start, serve: Serve, reply: str, fault: str) -> None:
    asked: list[Any] = []

    def answer(body: dict[str, Any]) -> str:
        asked.append(body["messages"])
        return turns(reply, '{"grade": 4}')(body)

    assert serve(start(reply=answer)).generate_from_input(["a"], json_schema=SCHEMA) == ['{"grade":4}']
    first, second = asked
    assert (second[0], second[1]["content"][0]) == (first[0], "a")
    assert f"could not be used: {fault}. Avoid" in second[1]["content"]
    assert orjson.dumps(SCHEMA).decode() in second[1]["content"]


def test_a_reply_that_stays_faulty_fails_its_row(start: Start, serve: Serve) -> None:
    server = start(reply=turns('{"grade": 9}', '{"grade": 8}', '{"grade": 1}'))
    serving = serve(server)
    assert serving.generate_from_input(["a"], json_schema=SCHEMA) == [None]
    assert server.calls == 2
    assert serving.errors[0] == f"{MISSES} grade: 8 is greater than the maximum of 5"


@pytest.mark.parametrize("repairs", [0, 2])
def test_a_serving_says_how_often_a_reply_is_asked_for_again(
    start: Start, serve: Serve, repairs: int
) -> None:
    server = start(reply=turns("no", "none", '{"grade": 1}'))
    serving = serve(server)
    serving.repairs = repairs
    assert serving.generate_from_input(["a"], json_schema=SCHEMA) == ['{"grade":1}' if repairs else None]
    assert server.calls == repairs + 1


def test_both_turns_are_kept(start: Start, serve: Serve, acting: Any) -> None:
    server = start(reply=turns("no", '{"grade": 2}'))
    for _ in range(2):
        with acting() as usage:
            assert serve(server).generate_from_input(["a"], json_schema=SCHEMA) == ['{"grade":2}']
    assert server.calls == 2
    assert (usage.calls, usage.cached) == (0, 2)


def test_the_server_makes_an_instance(start: Start, serve: Serve) -> None:
    assert serve(start()).generate_from_input(["a"], json_schema=SCHEMA) == ['{"grade":1}']


@pytest.mark.parametrize(
    ("schema", "reply", "value"),
    [
        ({"type": "array", "items": {"type": "string"}}, '["a"]', '["a"]'),
        ({"type": "string"}, '"a"', '"a"'),
        ({"type": "number"}, "1.5", "1.5"),
        ({"type": "boolean"}, "true", "true"),
        ({}, '{"a": 1}', '{"a":1}'),
        ({"$defs": {"p": {"type": "integer"}}, "$ref": "#/$defs/p"}, "3", "3"),
    ],
    ids=str,
)
def test_schemas_of_any_type(start: Start, serve: Serve, schema: Any, reply: str, value: str) -> None:
    assert serve(start(reply=reply)).generate_from_input(["a"], json_schema=schema) == [value]


def test_a_schema_that_is_none(start: Start, serve: Serve) -> None:
    with pytest.raises(ConfigError, match="no valid JSON schema"):
        serve(start(reply="{}")).generate_from_input(["a"], json_schema={"type": "objekt"})


CLOSED = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        (CLOSED, True),
        ({"type": "object", "properties": {}, "additionalProperties": False}, True),
        (CLOSED | {"additionalProperties": True}, False),
        (CLOSED | {"required": []}, False),
        ({k: v for k, v in CLOSED.items() if k != "additionalProperties"}, False),
        (CLOSED | {"properties": {"a": {"type": "object"}}}, False),
        (CLOSED | {"properties": {"a": CLOSED}}, True),
        ({"type": "array", "items": {"type": "object"}}, False),
        ({"anyOf": [CLOSED, {"type": "null"}]}, True),
        ({"anyOf": [CLOSED, {"type": "object"}]}, False),
        (SCHEMA, False),
        ({"type": "string"}, True),
    ],
)
def test_strict_schema(schema: Any, strict: bool) -> None:
    assert strict_schema(schema) is strict
