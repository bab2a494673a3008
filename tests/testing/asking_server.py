"""Clients of the faulty server, good and bad."""

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from dataflow.testing.server import FaultyServer, ServerProcess

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
