"""Every fault of the server, seen from a client."""

import http.client
import json
import time

import pytest
from asking_server import EMBED, ask, chat, outcome, post

from dataflow.core.errors import ConfigError
from dataflow.testing.server import Faults, FaultyServer, request_key


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
