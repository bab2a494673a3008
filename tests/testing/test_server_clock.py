"""Limits, quotas and outages of the server that change with time."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from asking_server import ask, chat, client, post, until

from dataflow.testing.clock import Clock
from dataflow.testing.server import FaultyServer, ServerProcess


def test_a_schedule_of_limits_goes_round(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("dataflow.testing.clock.time.monotonic", lambda: now[0])
    clock = Clock(((5, 8), (2, 64)), None, ((1, 3), (10, 11)))
    seen = []
    for at in (0, 1, 4.9, 5, 6.9, 7, 10, 12):
        now[0] = 100.0 + at
        seen.append((clock.admits(1), clock.is_outage()))
    assert [admit for admit, _ in seen] == [8, 8, 8, 64, 64, 8, 8, 64]
    assert [out for _, out in seen] == [False, True, False, False, False, False, True, False]
    clock.reset()
    assert (clock.admits(1), clock.is_outage()) == (8, False)
    assert Clock((), None, ()).admits(7) == 7


def test_a_quota_is_told_and_kept() -> None:
    with FaultyServer(quota=(2, 60.0)) as server:
        found = [post(server, chat(str(i))) for i in range(3)]
        assert [status for status, _, _ in found] == [200, 200, 429]
        left = [headers["x-ratelimit-remaining-requests"] for _, _, headers in found]
        assert left == ["1", "0", "0"]
        assert 50 < float(found[1][2]["x-ratelimit-reset-requests"].removesuffix("s")) <= 60
        assert (server.limited, server.stats()["limited"]) == (1, 1)


def test_an_outage_by_schedule_passes() -> None:
    with FaultyServer(outages=[(0.0, 0.2)]) as server:
        assert post(server, chat())[0] == 503
        until(lambda: post(server, chat())[0] == 200)


def test_a_server_that_hangs_answers_nobody() -> None:
    with FaultyServer() as server:
        server.down = "hang"
        with client(server) as connection:
            connection.timeout = 0.1
            connection.request("POST", "/v1/chat/completions", "{}")
            with pytest.raises(TimeoutError):
                connection.getresponse()
        server.down = False
        assert ask(server)


def test_a_process_is_told_what_changes() -> None:
    schedule = [(60.0, 1), (1.0, 9)]
    with ServerProcess(latency_s=0.3, admit_schedule=schedule, quota=(100, 60.0)) as server:
        with ThreadPoolExecutor(3) as pool:
            found = list(pool.map(lambda i: post(server, chat(str(i)))[0], range(3)))
        assert sorted(found) == [200, 429, 429]
    with ServerProcess(admit=0, outages=[(50.0, 60.0)]) as server:
        assert post(server, chat())[0] == 429
        server.set_admit(None)
        assert post(server, chat())[0] == 200
