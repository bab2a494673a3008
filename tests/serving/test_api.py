"""`APILLMServing`: addresses, keys, settings, and how each answer of an endpoint is taken."""

from __future__ import annotations

import copy
import logging
import pickle
import threading
from collections.abc import Callable, Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest

import dataflow.serving
from dataflow.core.errors import CallError, ConfigError, ServingError
from dataflow.core.protocols import Reply
from dataflow.serving.api import APILLMServing, APILLMServing_request
from dataflow.serving.backends.headers import retry_after
from dataflow.serving.backends.openai import read_reply
from dataflow.serving.faults import Fault
from dataflow.serving.local import LocalEmbeddingServing, LocalLLMServing, LocalRerankServing
from dataflow.serving.prices import is_local, price_of
from dataflow.testing.server import FaultyServer

Serve = Callable[..., Any]
Start = Callable[..., FaultyServer]


class Scripted(ThreadingHTTPServer):
    """Gives the answers it was told to, in turn (the last repeats), and keeps what it was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.sent: list[tuple[str, dict[str, str], Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def will_answer(self, body: Any, status: int = 200, **headers: str) -> None:
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        self.answers.append((status, {k.replace("_", "-"): v for k, v in headers.items()}, raw))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Scripted

    def do_POST(self) -> None:
        body = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.sent.append((self.path, dict(self.headers), body))
        queue = self.server.answers
        status, headers, raw = queue.pop(0) if len(queue) > 1 else queue[0]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def endpoint() -> Iterator[Scripted]:
    with Scripted() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def said(text: str | None, **more: Any) -> dict[str, Any]:
    finish = more.pop("finish_reason", "stop")
    usage = more.pop("usage", {"prompt_tokens": 1, "completion_tokens": 2})
    return {"choices": [{"message": {"content": text} | more, "finish_reason": finish}], "usage": usage}


# ---- addresses and settings


@pytest.mark.parametrize(
    "tail", ["", "/", "/chat/completions", "/chat/completions/", "/embeddings", "/completions"]
)
def test_every_form_of_the_address(start: Start, serve: Serve, tail: str) -> None:
    server = start(reply="hi")
    serving = serve(server.base_url + tail)
    assert serving.generate_from_input(["a"]) == ["hi"]
    assert len(serving.generate_embedding_from_input(["a"])[0]) == 16


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("", "api_url='' is no http address"),
        ("localhost:8000/v1", "api_url='localhost:8000/v1' is no http address"),
        ("ftp://example.com", "api_url='ftp://example.com' is no http address"),
        ("http:///v1", "api_url='http:///v1' is no http address"),
        ("http://[::1/v1", "api_url='http://[::1/v1' is no http address"),
        ("http://localhost:x/v1", "api_url='http://localhost:x/v1' is no http address"),
        ("http://localhost:99999/v1", "api_url='http://localhost:99999/v1' is no http address"),
        ("http://localhost:8000/v1", None),
        ("http://127.0.0.5/v1", None),
        ("http://[::1]:8000/v1", None),
        (
            "https://example.com/v1",
            "the environment variable NO_SUCH_KEY holds no key for example.com; set it, or name another with key_name_of_api_key",
        ),
    ],
)
def test_check(url: str, fault: str | None) -> None:
    serving = APILLMServing(url, key_name_of_api_key="NO_SUCH_KEY", model_name="toy")
    assert serving.check() == fault
    if fault:
        for call in (serving.generate_from_input, serving.generate_embedding_from_input):
            with pytest.raises(ServingError) as caught:
                call(["a"])
            assert str(caught.value) == f"toy: {fault}"


def test_a_blank_key_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLANK", " \n")
    assert "holds no key" in str(APILLMServing("https://example.com/v1", "BLANK").check())
    monkeypatch.setenv("BLANK", "sk-x")
    assert APILLMServing("https://example.com/v1", "BLANK").check() is None


def test_what_is_sent(endpoint: Scripted, serve: Serve, secret: str) -> None:
    endpoint.will_answer(said("hi"))
    schema = {"type": "object", "properties": {}, "additionalProperties": False, "required": []}
    serving = serve(endpoint.url, max_tokens=5, top_p=0.5)
    serving.generate_from_input(["a\ud800{b}"], "")
    path, headers, body = endpoint.sent[0]
    assert (path, headers["Authorization"]) == ("/v1/chat/completions", f"Bearer {secret}")
    assert body == {
        "model": "toy",
        "temperature": 0,
        "max_tokens": 5,
        "top_p": 0.5,
        "messages": [{"role": "user", "content": "a\ufffd{b}"}],
    }
    endpoint.answers = []
    endpoint.will_answer(said("{}"))
    serving.generate_from_input(["a"], "system", schema)
    assert endpoint.sent[-1][2]["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "reply", "schema": schema, "strict": True},
    }
    assert endpoint.sent[-1][2]["messages"][0] == {"role": "system", "content": "system"}


def test_embeddings_are_asked_for_without_sampling(endpoint: Scripted, serve: Serve) -> None:
    endpoint.will_answer({"data": [{"index": 1, "embedding": [2, 3]}, {"index": 0, "embedding": [0, 1]}]})
    serving = serve(endpoint.url, embedding_model="e", dimensions=2, max_tokens=5)
    assert serving.generate_embedding_from_input(["a", "b"]) == [[0.0, 1.0], [2.0, 3.0]]
    assert endpoint.sent[0][2] == {
        "model": "e",
        "dimensions": 2,
        "input": ["a", "b"],
        "encoding_format": "float",
    }


@pytest.mark.parametrize(
    "answer",
    [{}, [], {"data": None}, {"data": [{}]}, {"data": [{"index": 0, "embedding": "x"}]}, {"data": []}],
    ids=str,
)
def test_answers_without_embeddings(endpoint: Scripted, serve: Serve, answer: Any) -> None:
    endpoint.will_answer(answer)
    assert serve(endpoint.url, max_retries=1).generate_embedding_from_input(["a"]) == [None]
    assert len(endpoint.sent) == 2


def test_a_key_from_a_file_has_a_line_end(
    endpoint: Scripted, serve: Serve, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DF_API_KEY", secret + "\n")
    endpoint.will_answer(said("hi"))
    assert serve(endpoint.url).generate_from_input(["a"]) == ["hi"]
    assert endpoint.sent[0][1]["Authorization"] == f"Bearer {secret}"


def test_no_key_no_header(endpoint: Scripted, serve: Serve) -> None:
    endpoint.will_answer(said("hi"))
    serve(endpoint.url, key_name_of_api_key="NO_SUCH_KEY").generate_from_input(["a"])
    assert "Authorization" not in endpoint.sent[0][1]


@pytest.mark.parametrize("settings", [{"max_workers": 0}, {"max_retries": -1}])
def test_settings_that_cannot_be(settings: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="must be at least"):
        APILLMServing(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["timeout", "request_timeout"])
def test_old_names_of_the_timeout(name: str) -> None:
    with pytest.warns(DeprecationWarning, match=f"{name} is now read_timeout"):
        serving = APILLMServing(**{name: 7})  # type: ignore[arg-type]
    assert serving.timeouts == (10.0, 7.0)
    assert name not in serving.sampling


def test_the_old_name_of_the_class(start: Start) -> None:
    serving = APILLMServing_request(start(reply="x").url)
    assert serving.generate_from_input(["a"]) == ["x"]
    serving.cleanup()
    assert dataflow.serving.APILLMServing_request is APILLMServing_request
    assert "APILLMServing" in dir(dataflow.serving)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        dataflow.serving.Nothing


def test_the_fingerprint_is_all_that_decides_a_reply() -> None:
    def of(**settings: Any) -> Any:
        return APILLMServing(**settings).fingerprint

    assert of(max_workers=3, read_timeout=1, price=(1, 1), key_name_of_api_key="X") == of()
    changes: list[dict[str, Any]] = [
        {"model_name": "m"},
        {"temperature": 1},
        {"top_p": 0.5},
        {"api_url": "http://localhost"},
        {"embedding_model": "e"},
    ]
    for settings in changes:
        assert of(**settings) != of()


# ---- secrets


def test_the_key_is_nowhere_to_be_seen(
    endpoint: Scripted,
    serve: Serve,
    acting: Any,
    secret: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    endpoint.will_answer({"error": {"message": f"busy, {secret}"}}, 500)
    endpoint.will_answer(said("hi"))
    endpoint.will_answer({"error": {"message": f"bad request by {secret}", "code": "x"}}, 400)
    endpoint.will_answer({"error": {"message": f"Incorrect API key provided: {secret}"}}, 401)
    serving = serve(endpoint.url, max_retries=1)
    with acting():
        assert serving.generate_from_input(["a"]) == ["hi"]
        assert serving.generate_from_input(["b"]) == [None]
        with pytest.raises(ServingError, match="Incorrect API key provided: …") as caught:
            serving.generate_from_input(["c"])
    logging.getLogger().warning("%r %s", serving, vars(serving))
    seen = [
        repr(serving),
        str(vars(serving)),
        str(vars(serving._chat)),
        str(serving.errors),
        str(caught.value),
    ]
    assert secret not in "".join(seen) + repr(vars(serving._chat.connection))
    assert secret.encode() not in pickle.dumps(serving)
    assert secret not in str(vars(copy.deepcopy(serving)))
    assert secret.encode() not in b"".join(p.read_bytes() for p in tmp_path.glob("journal*"))
    assert secret not in caplog.text


# ---- answers


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, {"error": {"message": "no such key"}}, "HTTP 401 from .*: no such key"),
        (403, {"error": "forbidden"}, "HTTP 403 from .*: forbidden"),
        (
            404,
            {"error": {"code": "model_not_found", "message": "no toy"}},
            "HTTP 404 from .*: model_not_found no toy",
        ),
        (405, b"", "HTTP 405 from .*: no message"),
        (
            429,
            {"error": {"code": "insufficient_quota", "message": "pay"}},
            "HTTP 429 from .*: insufficient_quota pay",
        ),
    ],
)
def test_answers_that_stop_a_run(
    endpoint: Scripted, serve: Serve, status: int, body: Any, error: str
) -> None:
    endpoint.will_answer(body, status)
    with pytest.raises(ServingError, match=error):
        serve(endpoint.url).generate_from_input(["a"])
    assert len(endpoint.sent) == 1


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"error": {"message": "too long"}}, "too long"),
        (422, b"<html>" + b"x" * 1000, "<html>x"),
        (413, ["no object"], "no object"),
        (418, b"\xff\xfe", "\ufffd"),
    ],
)
def test_answers_that_fail_a_row(
    endpoint: Scripted, serve: Serve, status: int, body: Any, error: str
) -> None:
    endpoint.will_answer(body, status)
    serving = serve(endpoint.url)
    assert serving.generate_from_input(["a"]) == [None]
    assert f"HTTP {status}" in serving.errors[0]
    assert error in serving.errors[0]
    assert len(serving.errors[0]) < 500
    assert len(endpoint.sent) == 1


@pytest.mark.parametrize("status", [408, 409, 425, 500, 502, 503, 504, 529])
def test_answers_that_are_asked_for_again(endpoint: Scripted, serve: Serve, status: int) -> None:
    endpoint.will_answer({"error": {"message": "later"}}, status)
    endpoint.will_answer(said("hi"))
    assert serve(endpoint.url).generate_from_input(["a"]) == ["hi"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"data: {",
        b"null",
        b"[]",
        {},
        {"choices": []},
        {"choices": None},
        {"choices": [{"message": None}]},
        {"choices": ["x"]},
        {"error": {"message": "upstream"}},
        said(None),
        said(""),
    ],
    ids=str,
)
def test_bodies_that_are_no_answers(endpoint: Scripted, serve: Serve, body: Any) -> None:
    endpoint.will_answer(body)
    endpoint.will_answer(said("hi"))
    assert serve(endpoint.url).generate_from_input(["a"]) == ["hi"]
    assert len(endpoint.sent) == 2


def test_blank_lines_that_keep_a_connection_alive(endpoint: Scripted, serve: Serve) -> None:
    endpoint.will_answer(b"\n\n\r\n  " + orjson.dumps(said("hi")) + b"\n")
    assert serve(endpoint.url).generate_from_input(["a"]) == ["hi"]


@pytest.mark.parametrize(
    ("answer", "reply"),
    [
        (said("a"), Reply("a", 1, 2)),
        (said("a", usage=None), Reply("a")),
        (said("a", usage={"prompt_tokens": None}), Reply("a")),
        (said("a", usage="unknown"), Reply("a")),
        (said("a", usage={"prompt_tokens": "many", "completion_tokens": 2}), Reply("a", 0, 2)),
        (said("a", finish_reason="length"), Reply("a", 1, 2, truncated=True)),
        (said("", finish_reason="length"), Reply("", 1, 2, truncated=True)),
        (said("a", reasoning_content="why"), Reply("<think>why</think>\n<answer>a</answer>", 1, 2)),
        (said("a", reasoning="why"), Reply("<think>why</think>\n<answer>a</answer>", 1, 2)),
        (said("a", reasoning_content=""), Reply("a", 1, 2)),
        (said("\ud83d\ude00\x00"), Reply("\ud83d\ude00\x00", 1, 2)),
    ],
    ids=ascii,
)
def test_read_reply(answer: Any, reply: Reply) -> None:
    assert read_reply(answer) == reply


def test_replies_that_are_none() -> None:
    with pytest.raises(CallError, match="the model refused: no way"):
        read_reply(said(None, refusal="no way"))
    with pytest.raises(Fault, match="an answer without text"):
        read_reply(said(None))


def test_a_reply_that_is_cut_off_is_none(endpoint: Scripted, serve: Serve) -> None:
    """Nor is JSON that could be mended: what it would have held is not known."""
    for asked in ({}, {"json_schema": {"type": "array", "items": {"type": "integer"}}}):
        endpoint.will_answer(said("[1, 2, 3", finish_reason="length"))
        serving = serve(endpoint.url)
        assert serving.generate_from_input(["a"], **asked) == [None]
        assert "breaks off at the model's length limit" in serving.errors[0]
    assert len(endpoint.sent) == 3  # what must meet a schema is asked for once more


def test_a_reply_cut_off_before_it_began(endpoint: Scripted, serve: Serve) -> None:
    endpoint.will_answer(said(None, finish_reason="length"))
    serving = serve(endpoint.url)
    assert serving.generate_from_input(["a"]) == [None]
    assert "length limit" in serving.errors[0]
    assert len(endpoint.sent) == 1


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"Retry-After": "2"}, 2.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"Retry-After": "-1"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": ""}, None),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"Retry-After": "Wed, 99 Oct 2015 07:28:00 GMT"}, None),
        ({"retry-after-ms": "250", "Retry-After": "9"}, 0.25),
        ({"retry-after-ms": "x", "Retry-After": "9"}, 9.0),
    ],
    ids=str,
)
def test_retry_after(headers: dict[str, str], wait: float | None) -> None:
    assert retry_after(headers) == wait


def test_retry_after_a_date() -> None:
    import time

    wait = retry_after({"Retry-After": formatdate(time.time() + 100, usegmt=True)})
    assert wait is not None
    assert 0 < wait <= 100


# ---- prices and the servings on this machine


def test_prices() -> None:
    assert price_of("gpt-4o-mini") == price_of("openai/gpt-4o-mini") != (0, 0)
    assert price_of("gpt-4o-mini", "http://localhost:1") == (0, 0)
    assert price_of("unknown-model") == (0, 0)
    assert [is_local(u) for u in ("http://127.8.0.1", "http://[::1]/", "http://localhost.evil.com", "")] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("make", [LocalLLMServing, LocalEmbeddingServing, LocalRerankServing])
def test_local_servings_are_checked_without_loading(make: Any, tmp_path: Path) -> None:
    assert make().check() is None
    (tmp_path / "own.gguf").write_bytes(b"x")
    assert make(str(tmp_path / "own.gguf")).check() is None
    assert "'nothing' is neither a built-in model" in make("nothing").check()
    assert make().fingerprint == make().fingerprint
    assert make().fingerprint["model"] == make().model_name
    make().start_serving()
    make().cleanup()


def test_names_of_old_embedding_models() -> None:
    assert LocalEmbeddingServing("all-MiniLM-L6-v2").model_name == LocalEmbeddingServing().model_name
    assert LocalEmbeddingServing(batch_size=7).embed_batch == 7
