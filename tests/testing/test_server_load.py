"""The server under load: slots, admission, lost clients, and the counters that other tests rely on."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
import pytest
from asking_server import ask, chat, outcome, post, raw_request, raw_socket, until

from dataflow.testing.server import Faults, FaultyServer, lognormal, request_key


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
