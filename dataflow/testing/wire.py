"""HTTP/1.1 as a faulty server speaks it: one request of a connection at a time, and bodies that break off."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from dataflow.testing.answers import error_body

MAX_BODY = 64 * 2**20
MAX_HEAD = 64 * 2**10
REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}


class Listener:
    """Accepts connections on a port of 127.0.0.1, on a thread and an event loop of its own; 0 takes a free port."""

    def __init__(
        self, port: int, receive: Callable[[Link, bytes, bytes], None], lose: Callable[[Link], None]
    ) -> None:
        sock = socket.create_server(("127.0.0.1", port))
        self.port: int = sock.getsockname()[1]
        self.loop = asyncio.new_event_loop()
        self._links: set[Link] = set()
        self._thread = threading.Thread(target=self._serve, name="faulty-server", daemon=True)
        self._thread.start()
        # on the new thread, for the one that calls this may be running an event loop already
        start = self.loop.create_server(lambda: Link(self._links, receive, lose), sock=sock, backlog=4096)
        self._server = asyncio.run_coroutine_threadsafe(start, self.loop).result()

    def _serve(self) -> None:
        self.loop.run_forever()
        self.loop.close()

    def stop(self) -> None:
        """Abort the connections and wait for the end of the thread.

        The garbage collector may call this on any thread, the one that is to end and one that holds a lock
        which that one needs included; hence no wait there, and none without an end here.
        """
        self.loop.call_soon_threadsafe(self._close)
        if threading.current_thread() is not self._thread:
            self._thread.join(10)

    def _close(self) -> None:
        self._server.close()
        for link in self._links:
            link.transport.abort()
        self.loop.call_soon(self.loop.stop)


class Link(asyncio.Protocol):
    """One client connection; what is pipelined waits in the buffer until the answer before it is out."""

    transport: asyncio.Transport

    def __init__(
        self,
        links: set[Link],
        receive: Callable[[Link, bytes, bytes], None],
        lose: Callable[[Link], None],
    ) -> None:
        self.job: Any = None
        """The request under way. It is the server's to set, and to clear before it sends the answer."""
        self._links, self._receive, self._lose = links, receive, lose
        self._buffer = bytearray()
        self._need = 0
        self._last = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._links.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._links.discard(self)
        self._lose(self)

    def data_received(self, data: bytes) -> None:
        if not self._last:
            self._buffer += data
            self._pump()

    def _pump(self) -> None:
        if self.job or self._last or len(self._buffer) < self._need or self.transport.is_closing():
            return
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MAX_HEAD:
                self._refuse(431)
            return
        head = bytes(self._buffer[: end + 2])
        lower = head.lower()
        length, refusal = _body_length(lower)
        if refusal:
            self._refuse(refusal)
            return
        self._need = end + 4 + length
        if len(self._buffer) >= self._need:
            self._take(head, lower, bytes(self._buffer[end + 4 : self._need]))

    def _take(self, head: bytes, lower: bytes, body: bytes) -> None:
        del self._buffer[: self._need]
        self._need = 0
        method, target, version = [*head[: head.find(b"\r\n")].split(b" "), b"", b""][:3]
        self._last = version != b"HTTP/1.1" or _header(lower, b"connection") == b"close"
        self._receive(self, method + b" " + target.partition(b"?")[0], body)

    def _refuse(self, status: int) -> None:
        """Answer a request that was not read to its end, and discard the rest before closing."""
        self._buffer.clear()
        self._last = True
        self.send(status, error_body(status, "the request cannot be read"), linger_s=0.5)

    def send(
        self, status: int, body: bytes, *, headers: bytes = b"", missing: int = 0, linger_s: float = 0.0
    ) -> None:
        """Write a response that announces `missing` more bytes than it has."""
        close = self._last or missing > 0
        extra = headers + b"Connection: close\r\n" if close else headers
        head = b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%b\r\n"
        self.transport.write(head % (status, REASONS[status], len(body) + missing, extra) + body)
        if linger_s:
            asyncio.get_running_loop().call_later(linger_s, self.transport.close)
        elif close:
            self.transport.close()
        elif self._buffer:
            asyncio.get_running_loop().call_soon(self._pump)


def _header(head: bytes, name: bytes) -> bytes:
    _, _, rest = head.partition(b"\r\n" + name + b":")
    return rest[: rest.find(b"\r\n")].strip()


def _body_length(head: bytes) -> tuple[int, int]:
    """Return the length of the body and 0, or 0 and the status that rejects the request."""
    length = _header(head, b"content-length") or b"0"
    if _header(head, b"transfer-encoding"):
        return 0, 411
    if not length.isdigit():
        return 0, 400
    too_long = len(length) > 12 or int(length) > MAX_BODY
    return (0, 413) if too_long else (int(length), 0)
