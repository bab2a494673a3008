"""Batches outlive the run that sent them: what is found again, collected, cancelled, and never sent twice."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from quick_batches import Batch, Provider, QuickBatches, answers, make_servings, prompts, start_providers  # noqa: F401

from bench.batch import trial
from dataflow.core import background
from dataflow.core.errors import RunStopped, ServingError
from dataflow.core.protocols import Request, Scope, Usage
from dataflow.operators.core_text import PromptedGenerator
from dataflow.pipeline import PipelineABC
from dataflow.serving.batch import BatchesPending
from dataflow.serving.batch_ledger import BatchLedger
from dataflow.serving.journal import Journal
from dataflow.storage import FileStorage
from dataflow.testing.answers import answer
from dataflow.testing.batch_server import BatchServer

Act = Callable[..., Any]


def test_a_run_that_does_not_wait_is_collected_later(provider: Provider, batch: Batch, acting: Act) -> None:
    server = provider(work_s=0.3)
    with acting(), pytest.raises(BatchesPending, match=r"2 batches with 30 requests are at .* run again"):
        batch(server, wait=False, max_batch_requests=15).generate_from_input(prompts(30))
    with acting() as usage:
        assert batch(server).generate_from_input(prompts(30)) == answers(30)
    assert (usage.calls, usage.completion_tokens) == (30, 90)
    assert server.stats()["sizes"] == [15, 15]
    assert server.calls["POST batches"] == 2


def test_answers_that_nobody_asked_for_are_kept(
    provider: Provider, batch: Batch, acting: Act, tmp_path: Path
) -> None:
    server = provider(work_s=0.3)
    with acting(), pytest.raises(BatchesPending):
        batch(server, wait=False).generate_from_input(prompts(30))
    with acting():
        assert batch(server).generate_from_input(prompts(10)) == answers(10)
    with acting():
        assert batch(server).generate_from_input(prompts(30)) == answers(30)
    assert server.stats()["sizes"] == [30]


def test_a_cancelled_batch_stops_the_run_and_keeps_its_answers(
    provider: Provider, batch: Batch, acting: Act
) -> None:
    server = provider(work_s=30)
    with acting(), pytest.raises(BatchesPending):
        batch(server, wait=False).generate_from_input(prompts(20))
    (sent,) = server.batches.values()
    asyncio.run_coroutine_threadsafe(_cancel(server, sent.told["id"]), server._loop).result(10)
    server.work_s = 0.0
    with acting(), pytest.raises(ServingError, match="cancelled with 10 requests unanswered; run again"):
        batch(server).generate_from_input(prompts(20))
    with acting():
        assert batch(server).generate_from_input(prompts(20)) == answers(20)
    assert set(server.billed.values()) == {1}


async def _cancel(server: BatchServer, batch: str) -> None:
    import aiohttp

    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{server.url}/batches/{batch}/cancel") as done,
    ):
        assert done.status == 200


def test_answers_are_forgotten_once_the_journal_has_them(
    provider: Provider, batch: Batch, acting: Act, tmp_path: Path
) -> None:
    server = provider()
    with acting():
        serving = batch(server)
        serving.generate_from_input(prompts(20))
        serving.cleanup()
    ledger = BatchLedger(BatchLedger.beside(tmp_path / "journal.sqlite"))
    assert ledger.answered() == []
    (sent,) = ledger.batches()
    assert (sent.state, sent.requests, sent.answered) == ("completed", 20, 20)
    ledger.close()


def test_a_reply_that_was_set_aside_is_asked_anew(provider: Provider, batch: Batch, tmp_path: Path) -> None:
    server, journal = provider(), tmp_path / "journal.sqlite"
    serving, scope = batch(server), Scope("Op:col", journal=journal, usage=Usage())
    request = Request.of("a")
    background.run(serving.ask(request, scope, row="7"))
    Journal.at(journal).set_aside("Op:col", ["7"])
    background.run(serving.ask(request, scope, row="7"))
    assert server.stats()["sizes"] == [1, 1]
    Journal.at(journal).close()


def _set(journal: Path, **columns: Any) -> None:
    """Leave the ledger as a kill at that moment would have."""
    with sqlite3.connect(BatchLedger.beside(journal)) as db:
        assert db.execute(
            f"UPDATE batches SET {', '.join(f'{c} = ?' for c in columns)}", [*columns.values()]
        ).rowcount


def submit(serving: QuickBatches, acting: Act, n: int) -> None:
    """A run that leaves `n` requests at the provider."""
    with acting(), pytest.raises(BatchesPending):
        serving.generate_from_input(prompts(n))
    serving.cleanup()


def test_killed_before_the_batch_was_created(
    provider: Provider, batch: Batch, acting: Act, tmp_path: Path
) -> None:
    server = provider(work_s=30)
    submit(batch(server, wait=False), acting, 20)
    server.batches.clear()
    server.work_s = 0.0
    _set(tmp_path / "journal.sqlite", state="preparing", batch="", file="")
    with acting():
        assert batch(server).generate_from_input(prompts(20)) == answers(20)
    assert server.stats()["sizes"] == [20]


def test_killed_before_the_id_was_noted(
    provider: Provider, batch: Batch, acting: Act, tmp_path: Path
) -> None:
    server = provider(work_s=0.2)
    submit(batch(server, wait=False), acting, 20)
    (mine,) = server.batches.values()
    for i in range(150):  # the one that is looked for is on the second page
        server.batches[f"other-{i}"] = replace(mine, told=mine.told | {"id": f"other-{i}", "metadata": None})
    _set(tmp_path / "journal.sqlite", state="posting", batch="")
    with acting():
        assert batch(server, lost_after_s=60).generate_from_input(prompts(20)) == answers(20)
    assert (server.calls["POST batches"], set(server.billed.values())) == (1, {1})


def test_killed_while_creating_a_batch_that_never_arrived(
    provider: Provider, batch: Batch, acting: Act, tmp_path: Path
) -> None:
    server = provider(work_s=30)
    submit(batch(server, wait=False), acting, 20)
    server.batches.clear()
    server.work_s = 0.0
    _set(tmp_path / "journal.sqlite", state="posting", batch="")
    with acting():
        assert batch(server).generate_from_input(prompts(20)) == answers(20)
    assert (server.calls["POST files"], server.calls["POST batches"]) == (1, 2)
    assert set(server.billed.values()) == {1}


def test_killed_after_collecting_half(provider: Provider, batch: Batch, acting: Act, tmp_path: Path) -> None:
    server = provider(work_s=0.2)
    submit(batch(server, wait=False), acting, 20)
    path = BatchLedger.beside(tmp_path / "journal.sqlite")
    ledger = BatchLedger(path)
    (sent,) = ledger.batches()
    body = answer({"messages": []}, "0" * 32, "from the ledger", 16, empty=False)
    ledger.answer(sent.name, {key: orjson.dumps(body) for key in ledger.left(sent.name)[:10]})
    ledger.close()
    with acting():
        replies = batch(server).generate_from_input(prompts(20))
    assert replies == ["from the ledger"] * 10 + answers(20)[10:]
    assert server.stats()["sizes"] == [20]


def test_an_output_file_that_is_gone_is_asked_again(provider: Provider, batch: Batch, acting: Act) -> None:
    server = provider(work_s=0.1)
    submit(batch(server, wait=False), acting, 20)
    serving = batch(server)
    while next(iter(server.batches.values())).told["status"] != "completed":
        time.sleep(0.01)
    server.files.clear()
    with acting():
        assert serving.generate_from_input(prompts(20)) == answers(20)
    assert server.stats()["sizes"] == [20, 20]


def test_a_batch_at_another_address_is_not_sent_there(provider: Provider, batch: Batch, acting: Act) -> None:
    here, there = provider(work_s=30), provider()
    submit(batch(here, wait=False), acting, 5)
    with acting(), pytest.raises(ServingError, match=f"5 requests are in a batch at {here.url}"):
        batch(there).generate_from_input(prompts(5))
    assert there.billed == {}


def test_two_servings_share_a_ledger(provider: Provider, batch: Batch, tmp_path: Path) -> None:
    server = provider(work_s=0.1)
    scope = Scope("Op:col", journal=tmp_path / "journal.sqlite", usage=Usage())
    servings = [batch(server), batch(server)]

    async def both() -> list[str]:
        asks = [s.ask(Request.of(p), scope) for s in servings for p in prompts(20)]
        return [reply.text for reply in await asyncio.gather(*asks)]

    assert background.run(both()) == answers(20) * 2
    assert set(server.billed.values()) == {1}
    Journal.at(tmp_path / "journal.sqlite").close()


def test_an_interrupted_run_finds_its_batches_again(
    provider: Provider, batch: Batch, acting: Act, caplog: pytest.LogCaptureFixture
) -> None:
    server = provider(work_s=1.0)
    serving = batch(server)

    async def interrupted() -> None:
        asking = asyncio.create_task(serving.agenerate_from_input(prompts(20)))
        while server.calls["GET batches"] < 3 or "1 batch with 20 requests are at" not in caplog.text:
            if server.calls["GET batches"] >= 3:
                asking.cancel()
            await asyncio.sleep(0.01)

    with acting():
        asyncio.run(asyncio.wait_for(interrupted(), 30))
        assert serving.generate_from_input(prompts(20)) == answers(20)
    assert server.stats()["sizes"] == [20]


class TwoSteps(PipelineABC):
    """Two dependent model steps."""

    def __init__(self, source: Path, cache: Path, serving: QuickBatches) -> None:
        super().__init__()
        self.storage = FileStorage(str(source), cache_path=str(cache), file_name_prefix="two")
        self.first = PromptedGenerator(serving, system_prompt="one")
        self.second = PromptedGenerator(serving, system_prompt="two")

    def forward(self) -> None:
        self.first.run(self.storage.step(), input_key="text", output_key="first")
        self.second.run(self.storage.step(), input_key="first", output_key="second")


def test_a_pipeline_that_does_not_wait_goes_on_where_it_stopped(
    provider: Provider, batch: Batch, tmp_path: Path
) -> None:
    server, source = provider(work_s=0.2), tmp_path / "in.jsonl"
    source.write_text("".join(json.dumps({"text": t}) + "\n" for t in prompts(40)))
    stops = []
    for _ in range(20):
        serving = batch(server, wait=False)
        try:
            run = TwoSteps(source, tmp_path / "cache", serving).run(progress=False)
            break
        except RunStopped as stop:
            stops.append(str(stop))
            time.sleep(0.3)
    assert [r["second"] for r in run.records] == [f"re: re: {p}" for p in prompts(40)]
    assert server.stats()["sizes"] == [40, 40]
    assert "1 batch with 40 requests are at" in stops[0]
    assert "run again to collect them" in stops[0]


@pytest.mark.slow
def test_killed_at_random_nothing_is_billed_twice() -> None:
    verdict = trial(rows=300, kills=3, work_s=0.3)
    assert verdict.same
    assert (verdict.unique, verdict.billed) == (600, 600)
    assert verdict.cost == pytest.approx(verdict.listed / 2)
