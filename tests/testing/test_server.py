"""Every fault of the server seen from a client, and the counters that other tests rely on."""

import asyncio
import base64
import http.client
import json
import math
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import aiohttp
import jsonschema
import pytest

from dataflow.core.errors import ConfigError
from dataflow.testing.server import (
    Faults,
    FaultyServer,
    ServerProcess,
    lognormal,
    minimal_instance,
    request_key,
    unit_vector,
)

CHAT, EMBED = "/v1/chat/completions", "/v1/embeddings"


def chat(text: str = "hello there", **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": text}]} | more


@contextmanager
def client(server: FaultyServer | ServerProcess) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(server.base_url.split("/")[2], timeout=10)
    try:
        yield connection
    finally:
        connection.close()


def post(server: FaultyServer | ServerProcess, body: object, path: str = CHAT) -> tuple[int, bytes, Any]:
    with client(server) as connection:
        raw = body if isinstance(body, bytes) else json.dumps(body)
        connection.request("POST", path, raw)
        response = connection.getresponse()
        return response.status, response.read(), response.headers


def ask(server: FaultyServer | ServerProcess, text: str = "hello there", **more: Any) -> Any:
    status, raw, _ = post(server, chat(text, **more))
    assert status == 200, raw
    return json.loads(raw)["choices"][0]["message"]["content"]


def outcome(server: FaultyServer, text: str) -> str:
    try:
        status, raw, _ = post(server, chat(text))
        return f"{status} {raw.decode()}"
    except http.client.HTTPException as error:
        return type(error).__name__


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "waited 5 s in vain"
        time.sleep(0.005)


def raw_socket(server: FaultyServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=5)


def raw_request(body: dict[str, Any], *headers: str) -> bytes:
    data = json.dumps(body)
    lines = [f"POST {CHAT} HTTP/1.1", "Host: x", f"CONTENT-LENGTH: {len(data)}", *headers, "", data]
    return "\r\n".join(lines).encode()


# ---- good answers


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


# ---- faults


@pytest.mark.parametrize("status", [400, 429, 500])
def test_status_faults(status: int) -> None:
    faults = Faults(**{f"status_{status}": 1.0}, retry_after_s=0.25)
    with FaultyServer(faults=faults) as server:
        got, raw, headers = post(server, chat())
        assert (server.calls, server.answered, server.faulted) == (1, 0, {f"status_{status}": 1})
    assert got == json.loads(raw)["error"]["code"] == status
    assert headers["Retry-After"] == ("0.25" if status == 429 else None)


def test_drop_closes_without_a_response() -> None:
    with FaultyServer(faults=Faults(drop=1)) as server:
        with pytest.raises(http.client.RemoteDisconnected):
            post(server, chat())
        assert (server.calls, server.answered, server.in_flight) == (1, 0, 0)


def test_truncated_closes_inside_the_body() -> None:
    with FaultyServer(faults=Faults(truncated=1)) as server:
        with pytest.raises(http.client.IncompleteRead):
            post(server, chat())
        assert (server.calls, server.answered) == (1, 0)


def test_malformed_is_not_json_and_empty_has_no_content() -> None:
    with FaultyServer(faults=Faults(malformed=1)) as server:
        status, raw, _ = post(server, chat())
        assert (status, server.answered) == (200, 0)
        with pytest.raises(json.JSONDecodeError):
            json.loads(raw)
    with FaultyServer(faults=Faults(empty=1)) as server:
        assert ask(server) is None
        assert json.loads(post(server, {"input": "a"}, EMBED)[1])["data"] == []
        assert server.answered == 0


def test_hang_and_slow_tail_answer_late() -> None:
    for faults in (Faults(hang=1, hang_s=0.2), Faults(slow_tail=1)):
        with FaultyServer(latency_s=0.01, faults=faults) as server:
            start = time.monotonic()
            ask(server)
            assert 0.19 < time.monotonic() - start < 2
            assert server.answered == 1


def test_first_attempts_bounds_the_failures_of_a_request() -> None:
    with FaultyServer(faults=Faults(status_500=1, first_attempts=2)) as server:
        assert [post(server, chat("a"))[0] for _ in range(4)] == [500, 500, 200, 200]
        assert post(server, chat("b"))[0] == 500
        assert (server.calls, server.repeated, server.prompts[request_key(chat("a"))]) == (5, 3, 4)


def test_outcomes_do_not_depend_on_the_order() -> None:
    faults = Faults(status_500=0.2, status_429=0.2, drop=0.1, malformed=0.1, empty=0.1, truncated=0.1)
    tries = [f"question {i}" for i in range(30)] * 2

    def run(order: list[str], seed: int) -> dict[str, list[str]]:
        with FaultyServer(faults=faults, seed=seed) as server:
            found: dict[str, list[str]] = {}
            for text in order:
                found.setdefault(text, []).append(outcome(server, text))
            return found

    forward = run(tries, 1)
    assert forward == run(tries[::-1], 1)
    assert forward != run(tries, 2)
    assert any(first != second for first, second in forward.values()), "an attempt is drawn by itself"


def test_draw_meets_its_probabilities() -> None:
    faults = Faults(status_500=0.1, drop=0.3)
    drawn = [faults.draw(0, str(i), 0) for i in range(4000)]
    assert drawn.count("status_500") / 4000 == pytest.approx(0.1, abs=0.02)
    assert drawn.count("drop") / 4000 == pytest.approx(0.3, abs=0.03)
    assert set(drawn) == {"status_500", "drop", ""}


@pytest.mark.parametrize("chances", [{"drop": 0.7, "empty": 0.7}, {"drop": -0.1}])
def test_impossible_probabilities_are_refused(chances: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="at most 1"):
        Faults(**chances)


def test_outage() -> None:
    with FaultyServer() as server:
        server.down = True
        assert post(server, chat())[0] == 503
        server.down = "close"
        with pytest.raises(http.client.RemoteDisconnected):
            post(server, chat())
        server.down = False
        assert post(server, chat())[0] == 200
        assert (server.calls, server.refused) == (1, 2)


# ---- load: slots, admission, lost clients


def test_slots_serve_so_many_at_once() -> None:
    with FaultyServer(latency_s=0.1, slots=2) as server, ThreadPoolExecutor(6) as pool:
        start = time.monotonic()
        list(pool.map(lambda i: ask(server, str(i)), range(6)))
        assert 0.29 < time.monotonic() - start < 2
        assert (server.peak_in_flight, server.answered, server.in_flight) == (6, 6, 0)


def test_admit_rejects_the_rest() -> None:
    faults = Faults(retry_after_s=3)
    with FaultyServer(latency_s=0.3, admit=2, faults=faults) as server, ThreadPoolExecutor(5) as pool:
        found = list(pool.map(lambda i: post(server, chat(str(i))), range(5)))
        assert sorted(status for status, _, _ in found) == [200, 200, 429, 429, 429]
        assert {h["Retry-After"] for status, _, h in found if status == 429} == {"3"}
        assert (server.calls, server.answered) == (5, 2)


def test_latency_may_be_drawn() -> None:
    draws: list[float] = []

    def latency(rng: Any) -> float:
        draws.append(lognormal(0.001, 0.5)(rng))
        return draws[-1]

    with FaultyServer(latency_s=latency) as server:
        for text in "abcabc":
            ask(server, text)
        assert len(set(draws)) == 6
        server.reset()
        for text in "cba":
            ask(server, text)
    assert draws[6:] == draws[2::-1]


@pytest.mark.parametrize("slots", [None, 1])
def test_a_client_that_dies_is_counted_and_frees_its_slot(slots: int | None) -> None:
    with FaultyServer(latency_s=30, slots=slots, keep_log=True) as server:
        clients = [raw_socket(server) for _ in range(3)]
        for i, one in enumerate(clients):
            one.sendall(raw_request(chat(str(i))))
        partial = raw_socket(server)
        partial.sendall(raw_request(chat("cut"))[:-5])
        until(lambda: server.in_flight == 3)
        for one in [*reversed(clients), partial]:
            one.close()
        until(lambda: server.in_flight == 0)
        assert (server.calls, server.answered, server.peak_in_flight) == (3, 0, 3)
        assert [entry["status"] for entry in server.log] == [499] * 3
        server.latency_s = 0
        assert ask(server)


def test_concurrent_clients_are_counted_exactly() -> None:
    async def run(url: str) -> None:
        async def one(session: aiohttp.ClientSession, i: int) -> None:
            async with session.post(url, json=chat(str(i % 150))) as response:
                assert (await response.json())["object"] == "chat.completion"

        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=32)) as session:
            await asyncio.gather(*(one(session, i) for i in range(300)))

    with FaultyServer(latency_s=0.005) as server:
        asyncio.run(run(server.url))
        assert (server.calls, server.answered, server.repeated) == (300, 300, 150)
        assert 1 < server.peak_in_flight <= 32
        assert server.in_flight == 0
        server.reset()
        assert (server.calls, server.answered, server.peak_in_flight, len(server.prompts)) == (0, 0, 0, 0)


def test_log_tells_status_and_fault() -> None:
    with FaultyServer(faults=Faults(drop=1, first_attempts=1), keep_log=True) as server:
        outcome(server, "a")
        ask(server, "a")
    assert [(e["status"], e["fault"]) for e in server.log] == [(0, "drop"), (200, "")]
    assert {e["key"] for e in server.log} == {request_key(chat("a"))}


# ---- HTTP


def test_keep_alive_and_connection_close() -> None:
    with FaultyServer() as server, client(server) as connection:
        ports = set()
        for i in range(3):
            connection.request("POST", CHAT, json.dumps(chat(str(i))))
            connection.getresponse().read()
            ports.add(connection.sock.getsockname()[1])
        assert len(ports) == 1
        connection.request("POST", CHAT, json.dumps(chat()), {"Connection": "Close"})
        response = connection.getresponse()
        assert response.headers["Connection"] == "close"
        response.read()
        assert connection.sock is None


def test_pipelined_requests_are_answered_in_order() -> None:
    with FaultyServer(reply=lambda body: body["messages"][0]["content"]) as server:
        with raw_socket(server) as one:
            texts = [f"<{i}>" for i in range(50)]
            one.sendall(
                b"".join(raw_request(chat(t)) for t in texts) + raw_request(chat("end"), "Connection: close")
            )
            received = b"".join(iter(lambda: one.recv(65536), b"")).decode()
        assert [received.index(t) for t in texts] == sorted(received.index(t) for t in texts)
        assert server.answered == 51


def test_a_request_may_arrive_byte_by_byte() -> None:
    with FaultyServer() as server, raw_socket(server) as one:
        for byte in raw_request(chat()):
            one.sendall(bytes([byte]))
        assert one.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")
        assert server.calls == 1


def test_large_bodies() -> None:
    with FaultyServer(reply=lambda body: str(len(body["messages"][0]["content"]))) as server:
        assert ask(server, "x" * 20_000_000) == "20000000"


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("Content-Length: 999999999", 413),
        ("Content-Length: " + "9" * 5000, 413),
        ("Content-Length: many", 400),
        ("Transfer-Encoding: chunked", 411),
        ("X: " + "y" * 70_000, 431),
    ],
)
def test_unreadable_requests_are_refused(head: str, status: int) -> None:
    end = "" if status == 431 else "\r\n\r\n"
    with FaultyServer() as server, raw_socket(server) as one:
        one.sendall(f"POST {CHAT} HTTP/1.1\r\n{head}{end}".encode())
        assert one.recv(65536).startswith(f"HTTP/1.1 {status} ".encode())
        assert server.calls == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"messages": 3}', b'{"input": "x"}', b"\xff"])
def test_bodies_that_are_no_request_get_400(body: bytes) -> None:
    with FaultyServer() as server:
        assert post(server, body)[0] == 400
        assert (server.calls, server.answered) == (1, 0)


def test_other_endpoints() -> None:
    with FaultyServer() as server, client(server) as connection:
        for method, path, status in [("GET", "/v1/models?x=1", 200), ("GET", CHAT, 404), ("POST", "/", 404)]:
            connection.request(method, path)
            response = connection.getresponse()
            response.read()
            assert response.status == status
        assert server.calls == 0


def test_leaving_the_block_ends_the_thread_and_the_connections() -> None:
    with FaultyServer(latency_s=30) as server:
        one = raw_socket(server)
        one.sendall(raw_request(chat()))
        until(lambda: server.in_flight == 1)
    with one:
        assert one.recv(1) == b""
    assert not [t for t in threading.enumerate() if t.name == "faulty-server"]
    with pytest.raises(ConnectionRefusedError):
        raw_socket(server)


# ---- a process of its own


def test_server_process_counts_and_steers(tmp_path: Any) -> None:
    counts = tmp_path / "counts"
    faults = Faults(status_500=1, first_attempts=1)
    with ServerProcess(
        reply=["-x"], latency_s=0.01, sigma=0.1, faults=faults, slots=4, count_file=counts
    ) as server:
        assert post(server, chat("a"))[0] == 500
        assert [ask(server, "a"), ask(server, "a")] == ["-x", "-x"]
        stats = server.stats()
        assert stats["cpu_s"] > 0
        known = {"calls": 3, "answered": 2, "repeated": 2, "unique": 1, "faulted": {"status_500": 1}}
        assert {name: stats[name] for name in known} == known
        server.set_down(True)
        assert post(server, chat("b"))[0] == 503
        server.set_down(False)
        server.reset()
        assert server.stats()["calls"] == 0
    assert counts.read_text().split() == [request_key(chat("a"))] * 3


@pytest.mark.parametrize("ending", ["SIGTERM", "EOF"])
def test_the_command_ends_on_sigterm_and_at_the_end_of_stdin(ending: str) -> None:
    command = [sys.executable, "-m", "dataflow.testing.server", "--port", "0", "--latency", "0.05"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        process.send_signal(signal.SIGTERM) if ending == "SIGTERM" else process.stdin.close()
        assert process.wait(10) == 0


def test_a_process_that_cannot_start_says_so() -> None:
    with (
        FaultyServer() as server,
        pytest.raises(ConfigError, match="did not start"),
        ServerProcess(port=server.port),
    ):
        pass
