"""What a good answer of the faulty server is made of."""

import base64
import json
import math
import struct
from typing import Any

import jsonschema
import pytest
from asking_server import EMBED, ask, chat, post

from dataflow.testing.server import FaultyServer, minimal_instance, request_key, unit_vector


def test_a_completion_has_the_fields_of_the_protocol() -> None:
    with FaultyServer(reply="one two three") as server:
        status, raw, headers = post(server, chat("hello there", n=2))
    answer = json.loads(raw)
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert answer["object"] == "chat.completion"
    assert answer["model"] == "m"
    assert [c["index"] for c in answer["choices"]] == [0, 1]
    assert answer["choices"][0]["message"] == {"role": "assistant", "content": "one two three"}
    assert answer["usage"] == {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}


def test_the_default_reply_depends_on_the_request_alone() -> None:
    with FaultyServer() as server:
        first, again, other = ask(server, "a"), ask(server, "a"), ask(server, "b")
    assert first == again == f"reply {request_key(chat('a'))[:8]}"
    assert other != first


def test_key_ignores_the_order_of_the_fields() -> None:
    assert request_key({"a": 1, "b": {"c": 2, "d": 3}}) == request_key({"b": {"d": 3, "c": 2}, "a": 1})


def test_a_list_of_replies_is_picked_from_by_the_request() -> None:
    prompts = [f"question {i}" for i in range(20)]
    with FaultyServer(reply=["x", "y", "z"]) as server:
        forward = {p: ask(server, p) for p in prompts}
        backward = {p: ask(server, p) for p in reversed(prompts)}
    assert forward == backward
    assert set(forward.values()) == {"x", "y", "z"}


def test_a_reply_function_reads_the_body_and_may_raise(caplog: pytest.LogCaptureFixture) -> None:
    with FaultyServer(reply=lambda body: body["messages"][0]["content"].upper()) as server:
        assert ask(server, "ciao") == "CIAO"
    with FaultyServer(reply=lambda body: body["absent"]) as server:
        status, raw, _ = post(server, chat())
        assert (status, server.answered, server.in_flight) == (500, 0, 0)
    assert b"KeyError" in raw
    assert "no reply to request" in caplog.text


def test_multimodal_parts_count_their_text() -> None:
    parts = [{"type": "text", "text": "one two"}, {"type": "image_url", "image_url": {"url": "data:,x y z"}}]
    with FaultyServer() as server:
        _, raw, _ = post(server, {"messages": [{"role": "user", "content": parts}]})
    assert json.loads(raw)["usage"]["prompt_tokens"] == 2


SCHEMAS: list[dict[str, Any]] = [
    {"type": "object", "properties": {"a": {"type": "string"}, "b": {}}, "required": ["a"]},
    {"type": "array", "items": {"type": "integer", "minimum": 3}, "minItems": 2},
    {"type": "string", "minLength": 9},
    {"type": "string", "maxLength": 2},
    {"type": "integer", "exclusiveMinimum": 4, "maximum": 5},
    {"type": "integer", "maximum": -2},
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.5},
    {"type": "boolean"},
    {"type": "null"},
    {"type": ["integer", "null"]},
    {"enum": ["x", "y"]},
    {"const": 7},
    {"anyOf": [{"type": "integer"}, {"type": "null"}]},
    {
        "$defs": {"P": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}},
        "$ref": "#/$defs/P",
    },
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=json.dumps)
def test_minimal_instance_is_valid(schema: dict[str, Any]) -> None:
    jsonschema.validate(minimal_instance(schema), schema)


def test_a_requested_schema_is_answered_with_an_instance() -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "s", "schema": SCHEMAS[0]}}
    with FaultyServer() as server:
        assert json.loads(ask(server, response_format=wanted)) == {"a": "text"}
        assert json.loads(ask(server, response_format={"type": "json_object"})) == {}


def test_embeddings_are_unit_vectors_of_the_text() -> None:
    with FaultyServer(dim=8) as server:
        _, raw, _ = post(server, {"input": ["a b", "c", "a b"]}, EMBED)
        _, one, _ = post(server, {"input": "a b", "encoding_format": "base64", "dimensions": 4}, EMBED)
        assert (server.calls, server.answered, server.repeated) == (2, 2, 0)
    data = json.loads(raw)["data"]
    assert [d["index"] for d in data] == [0, 1, 2]
    assert data[0]["embedding"] == data[2]["embedding"] == unit_vector("a b", 8)
    assert data[0]["embedding"] != data[1]["embedding"]
    assert math.hypot(*data[0]["embedding"]) == pytest.approx(1)
    assert json.loads(raw)["usage"]["prompt_tokens"] == 5
    packed = base64.b64decode(json.loads(one)["data"][0]["embedding"])
    assert struct.unpack("<4f", packed) == pytest.approx(unit_vector("a b", 4))
