"""The request engine against a real server: order, retries, the journal, slots, usage, giving up."""

from __future__ import annotations

import asyncio
import gc
import pickle
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataflow.core import background
from dataflow.core.errors import CallError, ServingError, StorageError
from dataflow.core.protocols import Reply, Request, Scope, Usage
from dataflow.serving.base import Serving
from dataflow.serving.counts import LATENCIES_KEPT, count_answered
from dataflow.serving.engine import Engine, Policy
from dataflow.serving.faults import Fault, Throttled
from dataflow.serving.journal import Journal
from dataflow.testing.server import Faults, FaultyServer, ServerProcess

Serve = Callable[..., Any]
Start = Callable[..., FaultyServer]
Act = Callable[..., Any]


def echo(body: dict[str, Any]) -> str:
    return f"re: {body['messages'][-1]['content']}"


def prompts(n: int) -> list[str]:
    return [f"question {i}" for i in range(n)]


def answers(n: int) -> list[str]:
    return [f"re: question {i}" for i in range(n)]


def test_replies_in_order(start: Start, serve: Serve) -> None:
    server = start(reply=echo, latency_s=lambda rng: rng.random() * 0.02)
    assert serve(server, max_workers=16).generate_from_input(prompts(60)) == answers(60)
    assert server.calls == 60
    assert serve(server).generate_from_input([]) == []


@pytest.mark.parametrize("fault", ["status_500", "drop", "truncated", "malformed", "empty"])
def test_faults_that_pass_are_tried_again(start: Start, serve: Serve, acting: Act, fault: str) -> None:
    server = start(reply=echo, faults=Faults(**{fault: 1.0}, first_attempts=2))
    with acting() as usage:
        assert serve(server).generate_from_input(prompts(5)) == answers(5)
    assert (server.calls, server.faulted[fault]) == (15, 10)
    assert (usage.calls, usage.retried, usage.failed) == (5, 10, 0)


@pytest.mark.parametrize("fault", ["status_500", "truncated", "malformed", "empty"])
def test_tries_run_out(start: Start, serve: Serve, acting: Act, fault: str) -> None:
    server = start(faults=Faults(**{fault: 1.0}))
    serving = serve(server, max_retries=2)
    with acting() as usage:
        assert serving.generate_from_input(["a", "b"]) == [None, None]
    assert server.calls == 6
    assert sorted(serving.errors) == [0, 1]
    assert all("(3 tries)" in error for error in serving.errors.values())
    assert (usage.calls, usage.retried, usage.failed) == (0, 4, 2)


def test_failed_rows_keep_their_error_until_the_next_call(start: Start, serve: Serve) -> None:
    def picky(body: dict[str, Any]) -> str:
        if "bad" in body["messages"][-1]["content"]:
            raise ValueError("no answer to that")
        return "fine"

    serving = serve(start(reply=picky), max_retries=0)
    assert serving.generate_from_input(["a", "bad", "c"]) == ["fine", None, "fine"]
    assert list(serving.errors) == [1]
    assert "no answer to that" in serving.errors[1]
    assert serving.generate_from_input(["a"]) == ["fine"]
    assert serving.errors == {}


def test_a_refused_request_is_never_sent_again(start: Start, serve: Serve) -> None:
    server = start(faults=Faults(status_400=1.0))
    serving = serve(server)
    assert serving.generate_from_input(["a", "b", "c"]) == [None, None, None]
    assert server.calls == 3
    assert "HTTP 400" in serving.errors[0]


def test_patience_is_no_try(start: Start, serve: Serve, acting: Act) -> None:
    server = start(reply=echo, faults=Faults(status_429=1.0, first_attempts=4, retry_after_s=0))
    with acting() as usage:
        assert serve(server, max_retries=0).generate_from_input(prompts(3)) == answers(3)
    assert (server.calls, usage.retried, usage.calls) == (15, 12, 3)


def test_retry_after_is_waited_for(start: Start, serve: Serve) -> None:
    server = start(
        reply=echo, keep_log=True, faults=Faults(status_429=1.0, first_attempts=1, retry_after_s=0.3)
    )
    assert serve(server).generate_from_input(prompts(1)) == answers(1)
    first, second = (line["time"] for line in server.log)
    assert second - first >= 0.3


def test_a_server_that_admits_few(start: Start, serve: Serve) -> None:
    server = start(reply=echo, admit=2, latency_s=0.002, faults=Faults(retry_after_s=0.01))
    assert serve(server, max_workers=8, max_retries=0).generate_from_input(prompts(30)) == answers(30)


def test_a_wait_beyond_the_deadline_is_not_waited(start: Start, serve: Serve) -> None:
    server = start(faults=Faults(status_429=1.0, retry_after_s=300))
    serving = serve(server, deadline_s=2)
    assert serving.generate_from_input(["a"]) == [None]
    assert "no answer within the deadline" in serving.errors[0]
    assert server.calls == 1


def test_a_wait_beyond_all_patience_stops_the_run(start: Start, serve: Serve) -> None:
    server = start(faults=Faults(status_429=1.0, retry_after_s=3600))
    with pytest.raises(ServingError, match=r"refused every call for .* asks for 3600 s more .* run again"):
        serve(server).generate_from_input(["a"])
    assert server.calls == 1


def test_the_deadline_starts_with_the_first_slot() -> None:
    """A call that waited long for its turn still has all its tries."""

    class Backend:
        identity = {"model": "m", "deterministic": True}
        tries = 0

        async def chat(self, request: Request) -> Reply:
            if request.messages[0]["content"] == "slow":
                await asyncio.sleep(0.4)
                return Reply("slow")
            self.tries += 1
            if self.tries < 3:
                raise Fault("not yet")
            return Reply("late")

        async def close(self) -> None: ...

    engine, backend = Engine(Policy(workers=1, backoff_s=0.001, deadline_s=0.3), "toy"), Backend()

    async def work() -> list[Reply]:
        calls = (engine.chat(backend, Request.of(p), Scope(), "0", 0) for p in ("slow", "late"))
        return await asyncio.gather(*calls)

    assert [r.text for r in background.run(work())] == ["slow", "late"]


def test_a_hanging_server(start: Start, serve: Serve) -> None:
    server = start(reply=echo, faults=Faults(hang=1.0, first_attempts=1, hang_s=30))
    assert serve(server, read_timeout=0.1).generate_from_input(prompts(2)) == answers(2)
    serving = serve(start(faults=Faults(hang=1.0, hang_s=30)), read_timeout=0.05, max_retries=1)
    with pytest.raises(ServingError, match=r"nothing so far, in 2 tries \(no answer within 0.05 s\)"):
        serving.generate_from_input(["a"])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("count", [1, 40])
def test_nothing_listens(serve: Serve, count: int) -> None:
    serving = serve(f"http://127.0.0.1:{free_port()}/v1", max_retries=1)
    with pytest.raises(ServingError, match=r"answered nothing so far.* \(.*Connect.*run again when"):
        serving.generate_from_input(prompts(count))


def test_a_server_that_drops_every_connection(start: Start, serve: Serve) -> None:
    serving = serve(start(faults=Faults(drop=1.0)), max_retries=2)
    with pytest.raises(ServingError, match="answered nothing so far, in 3 tries"):
        serving.generate_from_input(["a", "b"])


def test_a_server_that_fails_for_good(start: Start, serve: Serve) -> None:
    server = start(reply=echo)
    serving = serve(server, max_retries=1)
    assert serving.generate_from_input(prompts(2)) == answers(2)
    server.down = True
    with pytest.raises(
        ServingError, match=r"answered nothing for 0 s, since \d\d:\d\d:\d\d \(HTTP 503.*run again"
    ):
        serving.generate_from_input(prompts(40))


def test_good_answers_in_between_keep_a_run_going(start: Start, serve: Serve) -> None:
    server = start(reply=echo, faults=Faults(status_500=0.5), seed=3)
    serving = serve(server, max_retries=0, max_workers=1)
    replies = serving.generate_from_input(prompts(60))
    failed = [i for i, r in enumerate(replies) if r is None]
    assert len(failed) > 8
    assert sorted(serving.errors) == failed


def test_an_outage_that_passes(start: Start, serve: Serve) -> None:
    server = start(reply=echo)
    serving = serve(server, max_retries=0)
    server.down = True
    assert serving.generate_from_input(["question 0"]) == [None]
    server.down = "close"
    assert serving.generate_from_input(["question 0"]) == [None]
    server.down = False
    assert serving.generate_from_input(["question 0"]) == ["re: question 0"]


@pytest.mark.parametrize("path", ["/v2/chat/completions", "/nothing"])
def test_a_wrong_address_stops_at_once(start: Start, serve: Serve, path: str) -> None:
    server = start()
    with pytest.raises(ServingError, match="HTTP 404"):
        serve(f"http://127.0.0.1:{server.port}{path}").generate_from_input(prompts(3))


# ---- asked once


def test_equal_deterministic_prompts_are_asked_once(start: Start, serve: Serve, acting: Act) -> None:
    server = start(reply=echo, latency_s=0.01)
    with acting(journal=None) as usage:
        assert serve(server).generate_from_input(["a", "b", "a", "a"]) == ["re: a", "re: b", "re: a", "re: a"]
    assert server.calls == 2
    assert (usage.calls, usage.cached) == (2, 2)


def test_equal_prompts_fail_together(start: Start, serve: Serve) -> None:
    server = start(faults=Faults(status_400=1.0))
    serving = serve(server)
    assert serving.generate_from_input(["a", "a", "a"]) == [None] * 3
    assert (server.calls, len(serving.errors)) == (1, 3)


def test_samples_are_asked_each(start: Start, serve: Serve) -> None:
    server = start()
    serve(server, temperature=0.7).generate_from_input(["a"] * 5)
    assert server.calls == 5


def test_a_restart_pays_for_nothing_again(start: Start, serve: Serve, acting: Act) -> None:
    count = iter(range(1000))
    server = start(reply=lambda body: f"draw {next(count)}")
    asked = ["a", "a", "b", "a"]
    with acting():
        first = serve(server, temperature=1).generate_from_input(asked)
    assert (len(set(first)), server.calls) == (4, 4)
    with acting() as usage:
        assert serve(server, temperature=1).generate_from_input(asked) == first
        assert (usage.calls, usage.cached) == (0, 4)
        more = serve(server, temperature=1).generate_from_input(asked)
    assert server.calls == 8
    assert not set(more) & set(first)


def test_samples_belong_to_operator_row_and_number(
    start: Start, serve: Serve, acting: Act, tmp_path: Path
) -> None:
    count = iter(range(1000))
    server = start(reply=lambda body: f"draw {next(count)}")
    serving = serve(server, temperature=1)
    request = Request.of("a")

    def ask(operator: str, row: str, sample: int) -> str:
        scope = Scope(operator, journal=tmp_path / "journal.sqlite")
        reply: str = background.run(serving.ask(request, scope, row, sample)).text
        return reply

    with acting():
        calls = [("A", "0", 0), ("A", "1", 0), ("A", "0", 1), ("B", "0", 0)]
        first = [ask(*c) for c in calls]
        assert len(set(first)) == 4
        assert [ask(*c) for c in reversed(calls)] == first[::-1]
    assert server.calls == 4


@pytest.mark.parametrize(
    ("change", "calls"),
    [
        ({}, 0),
        ({"max_workers": 3}, 0),
        ({"max_retries": 1, "read_timeout": 5, "connect_timeout": 1}, 0),
        ({"price": (1, 1)}, 0),
        ({"temperature": 0}, 0),
        ({"model_name": "other"}, 2),
        ({"temperature": 0.5}, 2),
        ({"max_tokens": 100}, 2),
    ],
    ids=str,
)
def test_what_asks_again(start: Start, serve: Serve, acting: Act, change: dict[str, Any], calls: int) -> None:
    server = start(reply=echo)
    with acting():
        serve(server).generate_from_input(["a", "b"])
        server.reset()
        assert serve(server, **change).generate_from_input(["a", "b"]) == ["re: a", "re: b"]
    assert server.calls == calls


def test_other_words_ask_again(start: Start, serve: Serve, acting: Act) -> None:
    server = start(reply="{}")
    serving = serve(server)
    with acting():
        for _ in range(2):
            serving.generate_from_input(["a"])
            serving.generate_from_input(["a"], "Another system")
            serving.generate_from_input(["a"], json_schema={"type": "object"})
            serving.generate_from_input(["a"], json_schema={"type": "object", "title": "t"})
            serving.generate_from_input(["a "])
    assert server.calls == 5


def test_two_runs_at_once_have_a_journal_each(
    start: Start, serve: Serve, acting: Act, tmp_path: Path
) -> None:
    server = start(reply=echo, latency_s=0.05)
    serving = serve(server)

    def run_in(name: str) -> Any:
        with acting(journal=name):
            return serving.generate_from_input(["a"])

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(run_in, ["one.sqlite", "two.sqlite"])) == [["re: a"], ["re: a"]]
    assert server.calls == 1
    assert [len(Journal.at(tmp_path / name)) for name in ("one.sqlite", "two.sqlite")] == [1, 1]


def test_a_follower_outlives_a_cancelled_leader(start: Start, serve: Serve) -> None:
    server = start(reply=echo, latency_s=0.05)
    serving = serve(server)

    async def work() -> str:
        def call() -> asyncio.Task[Reply]:
            return asyncio.create_task(serving.ask(Request.of("a"), Scope()))

        leader = call()
        await asyncio.sleep(0.01)
        followers = [call(), call()]
        await asyncio.sleep(0.01)
        leader.cancel()
        return "".join(r.text for r in await asyncio.wait_for(asyncio.gather(*followers), 10))

    assert background.run(work()) == "re: are: a"


def test_a_cancelled_follower_is_cancelled(start: Start, serve: Serve) -> None:
    server = start(reply=echo, latency_s=0.05)
    serving = serve(server)

    async def work() -> tuple[str, bool]:
        leader = asyncio.create_task(serving.ask(Request.of("a"), Scope()))
        await asyncio.sleep(0.01)
        follower = asyncio.create_task(serving.ask(Request.of("a"), Scope()))
        await asyncio.sleep(0.01)
        follower.cancel()
        await asyncio.wait([follower], timeout=10)
        return (await leader).text, follower.cancelled()

    assert background.run(work()) == ("re: a", True)


def test_a_broken_journal_stops_the_run(start: Start, serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_bytes(b"no database" * 200)
    server = start()
    call = serve(server).ask(Request.of("a"), Scope(journal=tmp_path / "journal.sqlite"))
    with pytest.raises(StorageError, match="is no journal"):
        background.run(call)
    assert server.calls == 0


# ---- slots


@pytest.mark.parametrize("workers", [1, 3, 20])
def test_no_more_in_flight_than_allowed(start: Start, serve: Serve, acting: Act, workers: int) -> None:
    faults = Faults(status_500=0.2, drop=0.1, status_429=0.1, retry_after_s=0.001)
    server = start(reply=echo, latency_s=0.002, faults=faults)
    with acting():
        assert serve(server, max_workers=workers, max_retries=50).generate_from_input(prompts(60)) == answers(
            60
        )
    assert server.peak_in_flight <= workers
    assert server.peak_in_flight >= min(workers, 2)


def test_deeper_calls_go_first(start: Start, serve: Serve) -> None:
    order: list[str] = []
    server = start(reply=lambda body: order.append(body["messages"][0]["content"]) or "x", latency_s=0.02)
    serving = serve(server, max_workers=1)

    async def work() -> None:
        calls = [serving.ask(Request.of(f"depth {d}"), Scope(depth=d)) for d in (1, 0, 2, 3)]
        await asyncio.gather(*calls)

    background.run(work())
    assert order == ["depth 1", "depth 3", "depth 2", "depth 0"]


def test_cancelled_calls_free_their_slot(start: Start, serve: Serve) -> None:
    server = start(reply=echo, faults=Faults(hang=0.5, hang_s=60), seed=1)
    serving = serve(server, max_workers=2)

    async def work() -> None:
        calls = [asyncio.create_task(serving.ask(Request.of(f"x{i}"), Scope())) for i in range(20)]
        await asyncio.sleep(0.2)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        server.faults = Faults()
        replies = (serving.ask(Request.of(f"y{i}"), Scope()) for i in range(5))
        await asyncio.wait_for(asyncio.gather(*replies), 10)

    background.run(work())
    assert server.peak_in_flight <= 2


# ---- usage


def test_usage(start: Start, serve: Serve, acting: Act) -> None:
    server = start(reply="three words here", faults=Faults(status_500=1.0, first_attempts=1))
    serving = serve(server, price=(1_000_000, 2_000_000))
    with acting() as usage:
        serving.generate_from_input(["one two", "one two", "three"], "sys")
    assert (usage.calls, usage.cached, usage.failed, usage.retried) == (2, 1, 0, 2)
    assert (usage.prompt_tokens, usage.completion_tokens) == (5, 6)
    assert usage.cost == pytest.approx(5 + 12)
    assert (usage.saved_prompt_tokens, usage.saved_completion_tokens) == (3, 3)
    assert usage.saved_cost == pytest.approx(3 + 6)
    assert (len(usage.latencies), usage.models) == (2, {"toy"})
    with acting() as again:
        serving.generate_from_input(["one two"], "sys")
    assert (again.calls, again.cached, again.cost, again.saved_prompt_tokens) == (0, 1, 0, 3)


def test_latencies_are_a_sample() -> None:
    usage = Usage()
    for i in range(LATENCIES_KEPT + 500):
        count_answered(usage, "m", float(i))
    assert (usage.calls, len(usage.latencies)) == (LATENCIES_KEPT + 500, LATENCIES_KEPT)
    assert max(usage.latencies) >= LATENCIES_KEPT


# ---- embeddings


def vector(server: FaultyServer, text: str) -> np.ndarray:
    from dataflow.testing.server import unit_vector

    return np.asarray(unit_vector(text, server.dim), np.float32)


def test_embeddings_in_order_and_in_batches(start: Start, serve: Serve, acting: Act) -> None:
    server = start(latency_s=lambda rng: rng.random() * 0.02)
    texts = [f"text {i}" for i in range(150)] + ["text 3"]
    with acting() as usage:
        vectors = serve(server).generate_embedding_from_input(texts)
    assert all(np.array_equal(np.float32(v), vector(server, t)) for t, v in zip(texts, vectors, strict=True))
    assert server.calls == 3
    assert (usage.calls, usage.prompt_tokens) == (3, pytest.approx(300, abs=3))
    with acting() as usage:
        assert serve(server).generate_embedding_from_input(texts) == vectors
        assert usage.cached == 150
        assert serve(server).generate_embedding_from_input(["new", "text 1"])[1] == vectors[1]
    assert server.calls == 4
    assert serve(server).generate_embedding_from_input([]) == []


def test_cached_vectors_are_exact(start: Start, serve: Serve, acting: Act) -> None:
    server = start()
    with acting():
        for _ in range(2):
            (got,) = background.run(serve(server).embed(["a"], background.current_scope.get()))
            assert got.dtype == np.float32
            assert got.tobytes() == vector(server, "a").tobytes()
    assert server.calls == 1


def test_some_texts_are_not_embedded(start: Start, serve: Serve) -> None:
    server = start(faults=Faults(status_400=0.5), seed=5)
    serving = serve(server)
    texts = [f"text {i}" for i in range(640)]
    vectors = serving.generate_embedding_from_input(texts)
    failed = [i for i, v in enumerate(vectors) if v is None]
    assert 0 < len(failed) < 640
    assert len(failed) % 64 == 0
    assert sorted(serving.errors) == failed
    assert "HTTP 400" in serving.errors[failed[0]]
    assert server.calls == 10
    server.faults = Faults()
    assert None not in serving.generate_embedding_from_input(texts[:3])
    assert serving.errors == {}


def test_embedding_faults_that_pass(start: Start, serve: Serve) -> None:
    server = start(faults=Faults(empty=0.3, malformed=0.3, drop=0.3, first_attempts=3))
    assert None not in serve(server).generate_embedding_from_input(["a", "b"])


class Vectors(Serving):
    """Gives whatever number of vectors it likes."""

    def __init__(self, count: int) -> None:
        super().__init__("vectors", Policy(workers=1, max_retries=0))
        self.count = count

    def make_embed(self) -> Any:
        serving = self

        class Backend:
            identity = {"model": "v"}

            async def embed(self, texts: list[str]) -> tuple[np.ndarray, int]:
                return np.zeros((serving.count, 2), np.float32), 0

            async def close(self) -> None: ...

        return Backend()


def test_a_wrong_number_of_vectors_takes_no_slot() -> None:
    serving = Vectors(1)
    for _ in range(2):
        assert serving.generate_embedding_from_input(["a", "b"]) == [None, None]
    assert "1 vectors for 2 texts" in serving.errors[1]
    assert serving.generate_embedding_from_input(["a"]) == [[0.0, 0.0]]


def test_a_serving_answers_only_what_it_can() -> None:
    serving = Vectors(1)
    with pytest.raises(ValueError, match="Vectors answers no prompts"):
        serving.generate_from_input(["a"])
    with pytest.raises(ValueError, match="Serving gives no embeddings"):
        Serving("bare", Policy()).generate_embedding_from_input(["a"])
    assert serving.check() is None
    assert serving.fingerprint == {"serving": "Vectors", "name": "vectors"}


# ---- lifetime


def test_pickled_servings_answer(start: Start, serve: Serve) -> None:
    server = start(reply=echo)
    serving = serve(server)
    serving.generate_from_input(["a"])
    copy = pickle.loads(pickle.dumps(serving))
    assert copy.generate_from_input(["b"]) == ["re: b"]
    assert copy.fingerprint == serving.fingerprint
    assert copy.policy == serving.policy
    copy.cleanup()


def test_cleanup_and_use_again(start: Start, serve: Serve) -> None:
    serving = serve(start(reply=echo))
    serving.start_serving()
    for _ in range(3):
        assert serving.generate_from_input(["a"]) == ["re: a"]
        assert serving.generate_embedding_from_input(["a"]) != [None]
        serving.cleanup()
        serving.cleanup()


def test_a_serving_that_is_gone_closes_its_back_end() -> None:
    closed = threading.Event()

    class Held(Serving):
        def make_chat(self) -> Any:
            return Backend()

    class Backend:
        identity = {"model": "held"}

        async def chat(self, request: Request) -> Reply:
            return Reply("ok")

        async def close(self) -> None:
            closed.set()

    serving = Held("held", Policy())
    assert serving.generate_from_input(["a"]) == ["ok"]
    assert not closed.is_set()
    del serving
    gc.collect()
    assert closed.wait(10)


def test_awkward_texts_are_sent(start: Start, serve: Serve) -> None:
    texts = [
        "",
        "\x00",
        "a\ud800b",
        "{x}",
        "e\u0301",
        "\U0001f468\u200d\U0001f469",
        "\ufeff\r\n",
        "x" * 200_000,
    ]
    replies = serve(start(reply=echo)).generate_from_input(texts)
    assert replies == [f"re: {t}".replace("\ud800", "\ufffd") for t in texts]


def test_conversations(start: Start, serve: Serve) -> None:
    server = start(reply=lambda body: "|".join(f"{m['role']}={m['content']}" for m in body["messages"]))
    turns = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "u"},
        {"role": "assistant", "content": "a"},
    ]
    replies = serve(server).generate_from_conversations([turns, turns[1:2]])
    assert replies == ["system=s|user=u|assistant=a", "user=u"]


def test_async_twins_on_any_loop(start: Start, serve: Serve) -> None:
    server = start(reply=echo)
    serving = serve(server)

    async def all_twins() -> list[Any]:
        return await asyncio.gather(
            serving.agenerate_from_input(["a"]),
            serving.agenerate_from_conversations([[{"role": "user", "content": "b"}]]),
            serving.agenerate_embedding_from_input(["c"]),
        )

    vectors = serving.generate_embedding_from_input(["c"])
    for run in (asyncio.run, background.run, asyncio.run):
        assert run(all_twins()) == [["re: a"], ["re: b"], vectors]
    assert serving.generate_from_input(["a"]) == ["re: a"]


def test_many_threads_share_a_serving(start: Start, serve: Serve) -> None:
    server = start(reply=echo, latency_s=0.002)
    serving = serve(server, max_workers=4)
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda i: serving.generate_from_input([f"{i} {n}" for n in range(5)]), range(8)))
    assert got == [[f"re: {i} {n}" for n in range(5)] for i in range(8)]
    assert server.peak_in_flight <= 4


def test_a_server_killed_in_the_middle(serve: Serve, acting: Act) -> None:
    with ServerProcess(reply="ok", latency_s=0.01) as server:
        serving = serve(server.url, max_retries=0, max_workers=2)
        with acting():
            assert serving.generate_from_input(prompts(5)) == ["ok"] * 5
        server.set_down("close")
        with acting(), pytest.raises(ServingError, match="All replies so far are saved"):
            serving.generate_from_input(prompts(50))
        with acting() as usage:
            assert serving.generate_from_input(prompts(5)) == ["ok"] * 5
        assert usage.cached == 5


def test_faults_say_what_they_are() -> None:
    assert Throttled("wait", 2.0).status == 429
    assert (Fault("x", 503).status, str(Fault("x"))) == (503, "x")
    assert isinstance(CallError("x"), ValueError)
