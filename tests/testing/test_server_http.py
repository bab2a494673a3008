"""The server's HTTP: connections, pipelining, requests that cannot be read."""

import json

import pytest
from asking_server import CHAT, ask, chat, client, post, raw_request, raw_socket

from dataflow.testing.server import FaultyServer


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
