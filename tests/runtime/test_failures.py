"""Rows that fail, operators that fail, servings that fail: what is set aside, what stops, and what goes on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flows import (
    Asks,
    Backwards,
    FirstOfEach,
    Louder,
    NotEnding,
    Steps,
    Words,
    asked_of,
    chat,
    column,
    echo,
    lines,
    numbers,
    reused,
)

from dataflow.core import Dataset, In, OperatorABC
from dataflow.core.asking import ask_all
from dataflow.core.errors import RunStopped, ServingError
from dataflow.runtime import runs
from dataflow.runtime.feeding import MODEL_PART_ROWS
from dataflow.testing.server import FaultyServer


class Moody:
    """Replies, and which of them to refuse: what a server does before and after it is mended."""

    def __init__(self) -> None:
        self.refused: set[str] = set()
        self.bad: set[str] = set()

    def __call__(self, body: dict[str, Any]) -> str:
        asked = asked_of(body)
        if any(asked.endswith(f" {r}?") for r in self.refused):
            raise ValueError("no answer to that")
        return "bad" if any(asked.endswith(f" {b}?") for b in self.bad) else echo(body)


@pytest.fixture
def moody() -> Moody:
    return Moody()


@pytest.fixture
def server(moody: Moody) -> Iterator[FaultyServer]:
    with FaultyServer(reply=moody) as running:
        yield running


def asking(source: Path, folder: Path, server: FaultyServer, temperature: float = 0.0) -> Steps:
    llm = chat(server, temperature)
    return Steps(
        source,
        folder,
        (Louder(), {}),
        (Asks(llm_serving=llm), {"output_key": "first"}),
        (Asks(llm_serving=llm), {"input_text_key": "first", "output_key": "second"}),
        (FirstOfEach(), {"input_key": "second"}),
    )


@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_failed_rows_are_set_aside_whole_and_come_back_in_order(
    tmp_path: Path, server: FaultyServer, moody: Moody, temperature: float
) -> None:
    source = lines(
        tmp_path / "in.jsonl", [{"text": t, "n": i, "tags": [i]} for i, t in enumerate(numbers(10))]
    )
    moody.refused = {"3", "8"}
    pipeline = asking(source, tmp_path, server, temperature)
    run = pipeline.run(progress=False)
    assert column(run, "n") == [0, 1, 2, 4, 5, 6, 7, 9]
    assert run.failed.select("step", "operator", "row", "kind").rows() == [
        (2, "Asks", "3", "CallError"), (2, "Asks", "8", "CallError"),
    ]  # fmt: skip
    assert [json.loads(r) for r in run.failed["record"]] == [
        {"text": "text 3", "n": 3, "tags": [3], "loud": "text 3!"},
        {"text": "text 8", "n": 8, "tags": [8], "loud": "text 8!"},
    ]
    assert run.counts["failed"] == 2

    moody.refused = {"8"}
    server.reset()
    assert pipeline.run(progress=False).failed.height == 2
    assert server.calls == 0
    run = pipeline.run(progress=False, retry_failed=True)
    assert (column(run, "n"), run.failed["row"].to_list()) == ([0, 1, 2, 3, 4, 5, 6, 7, 9], ["8"])
    assert server.calls == 3  # both that failed, and the second step of the one that came through

    moody.refused = set()
    run = pipeline.run(progress=False, retry_failed=True)
    assert (column(run, "n"), run.failed.height, server.repeated) == (list(range(10)), 0, 1)
    assert all(reused(pipeline.run(progress=False, retry_failed=True)))


def test_only_the_part_with_failures_is_done_again(
    tmp_path: Path, server: FaultyServer, moody: Moody
) -> None:
    count = MODEL_PART_ROWS + 20
    source = lines(tmp_path / "in.jsonl", numbers(count))
    moody.refused = {str(MODEL_PART_ROWS + 5)}
    pipeline = Steps(source, tmp_path, (Asks(llm_serving=chat(server)), {}))
    first = pipeline.run(progress=False)
    untouched = (first.stages[0].path / "part-000000.rows.arrow").stat().st_mtime_ns
    moody.refused = set()
    run = pipeline.run(progress=False, retry_failed=True)
    assert column(run, "text") == numbers(count)
    assert (run.stages[0].path / "part-000000.rows.arrow").stat().st_mtime_ns == untouched


def test_a_reply_that_cannot_be_read_fails_its_row(
    tmp_path: Path, server: FaultyServer, moody: Moody
) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(4))
    moody.bad = {"2"}
    pipeline = Steps(source, tmp_path, (Asks(llm_serving=chat(server)), {}))
    run = pipeline.run(progress=False)
    assert run.failed.select("row", "error", "kind").rows() == [("2", "a bad reply", "ReplyError")]
    assert run.summary["steps"][0]["errors"] == [{"error": "ReplyError: a bad reply", "count": 1}]


def test_a_retry_draws_an_unreadable_reply_anew(tmp_path: Path, server: FaultyServer, moody: Moody) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(4))
    moody.bad = {"2"}
    pipeline = Steps(source, tmp_path, (Asks(llm_serving=chat(server, 0.7)), {}))
    assert pipeline.run(progress=False).rows == 3
    moody.bad = set()
    assert pipeline.run(progress=False, retry_failed=True).rows == 4


def test_a_reply_that_is_asked_for_again_is_paid_for_once(tmp_path: Path) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(4))
    with FaultyServer(reply=lambda b: "bad" if str(b["messages"]).endswith(" 2?'}]") else echo(b)) as server:
        pipeline = Steps(source, tmp_path, (Asks(llm_serving=chat(server, 0.7)), {}))
        run = pipeline.run(progress=False)
        step = run.summary["steps"][0]
        assert (run.rows, step["calls"], step["repairs"]) == (4, 5, 1)
        assert run.report is not None
        assert "asked again" in run.report.read_text()
        shutil.rmtree(tmp_path / "p/stages")
        again = pipeline.run(progress=False)
        assert (again.rows, server.calls, again.counts["cached"]) == (4, 5, 5)


def test_a_dead_endpoint_stops_a_run_of_few_rows_too(tmp_path: Path, server: FaultyServer) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(3))
    server.down = "close"
    with pytest.raises(RunStopped):
        Steps(source, tmp_path, (Asks(llm_serving=chat(server)), {})).run(progress=False)


def test_a_kernel_that_raises_fails_its_row(tmp_path: Path) -> None:
    source = lines(tmp_path / "in.jsonl", ["a", "cannot", "b"])
    run = Steps(source, tmp_path, (Louder(), {}), (Words(), {})).run(progress=False)
    assert column(run, "loud") == ["a!", "b!"]
    assert run.failed.select("row", "error", "kind").rows() == [
        ("1", "this text cannot be loud", "ValueError")
    ]


def test_keeping_steps_after_failures_makes_later_stages_anew(
    tmp_path: Path, server: FaultyServer, moody: Moody
) -> None:
    """Making a stage anew may bring failed rows through; stages after it must see them."""
    source = lines(tmp_path / "in.jsonl", numbers(4))
    moody.refused = {"2"}
    pipeline = asking(source, tmp_path, server)
    assert pipeline.run(progress=False).rows == 3
    moody.refused = set()
    run = pipeline.run(progress=False, keep_steps=True)
    assert (run.rows, run.failed.height) == (4, 0)
    assert sorted(run.lineage["row"]) == ["0", "1", "2", "3"]


def test_a_retry_that_was_killed_half_way_loses_no_row(
    tmp_path: Path, server: FaultyServer, moody: Moody
) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(4))
    moody.refused = {"2"}
    pipeline = asking(source, tmp_path, server)
    first = pipeline.run(progress=False)
    first.stages[0].forget(first.stages[0].parts_with_failures())
    moody.refused = set()
    run = pipeline.run(progress=False)
    assert column(run, "text") == numbers(4)


@pytest.mark.parametrize("op", [Backwards("the disk is full"), Backwards()])
def test_an_operator_that_raises_stops_the_run_and_the_next_goes_on(
    tmp_path: Path, server: FaultyServer, op: Backwards
) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(5))
    ask = (Asks(llm_serving=chat(server)), {})
    broken = [ask, (Backwards("the disk is full"), {}), (Louder(), {})]
    with pytest.raises(RuntimeError, match="the disk is full"):
        Steps(source, tmp_path, *broken).run(progress=False)
    left = runs.load(tmp_path / "p")
    assert (left.summary["status"], left.summary["message"]) == ("failed", "the disk is full")
    assert left.report.exists()
    with pytest.raises(RuntimeError, match="the disk is full"):
        Steps(source, tmp_path, *broken).run(progress=False)
    run = Steps(source, tmp_path, ask, (Backwards(), {}), (Louder(), {})).run(progress=False)
    assert (run.summary["status"], run.rows, server.calls) == ("done", 5, 5)
    assert reused(run) == [True, False, False]


class Wrong(Louder):
    """Give a number where a text is declared."""

    def map(self, text: str) -> Any:
        return 7


def test_a_kernel_that_breaks_its_declaration_says_so(tmp_path: Path) -> None:
    source = lines(tmp_path / "in.jsonl", ["a"])
    run = Steps(source, tmp_path, (Wrong(), {})).run(progress=False)
    assert run.failed["error"].to_list() == ["column 'loud' is declared text, but the kernel gave int"]


def test_a_table_that_cannot_be_written_is_no_finished_run(tmp_path: Path) -> None:
    source = lines(tmp_path / "in.jsonl", ["a"])
    (tmp_path / "p_step1.jsonl").mkdir()
    pipeline = Steps(source, tmp_path, (Louder(), {}))
    with pytest.raises(Exception, match="p_step1"):
        pipeline.run(progress=False)
    left = runs.load(tmp_path / "p").summary
    assert (left["status"], left["output"]["path"]) == ("failed", "")
    (tmp_path / "p_step1.jsonl").rmdir()
    assert pipeline.run(progress=False).rows == 1
    assert reused(pipeline.run(progress=False)) == [True]


@pytest.mark.parametrize("workers", [2, 16])
def test_a_dead_endpoint_stops_the_run_and_the_next_completes_it(
    tmp_path: Path, server: FaultyServer, workers: int
) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(200))
    llm = chat(server, max_workers=workers)
    steps = [
        (Asks(llm_serving=llm), {}),
        (Asks(llm_serving=llm), {"input_text_key": "answer", "output_key": "more"}),
    ]
    half = server.reply

    def dying(body: dict[str, Any]) -> str:
        if server.calls > 150:
            server.down = "close"
        return half(body)  # type: ignore[operator]

    server.reply = dying
    with pytest.raises(RunStopped, match="run again") as stopped:
        Steps(source, tmp_path, *steps).run(progress=False)
    assert isinstance(stopped.value.__cause__, ServingError)
    left = runs.load(tmp_path / "p")
    assert left.summary["status"] == "stopped"
    assert "run again" in left.summary["message"]
    server.down, server.reply = False, half
    answered = server.answered
    assert 100 < answered < 200
    run = Steps(source, tmp_path, *steps).run(progress=False)
    assert column(run, "text") == numbers(200)
    assert run.counts["calls"] == 400 - answered
    assert server.repeated == 0
    assert run.failed.height == 0


class AsksAll(Dataset):
    """Ask about the whole table at once."""

    llm: Any = None
    input_key = In("text")

    def select(self, texts: list[str]) -> list[int]:
        return [i for i, reply in enumerate(ask_all(self.llm, texts, "AsksAll")) if isinstance(reply, str)]


class AsksItself(OperatorABC):
    """Ask a serving about all rows, as operators of 1.x do."""

    def __init__(self, llm: Any) -> None:
        super().__init__()
        self.llm = llm

    def run(self, storage: Any, input_key: str = "text", output_key: str = "reply") -> None:
        frame = storage.read("dataframe")
        frame[output_key] = self.llm.generate_from_input(frame[input_key].tolist(), "You answer.")
        storage.write(frame)


@pytest.mark.parametrize("kind", [AsksAll, AsksItself])
def test_a_dead_endpoint_also_stops_what_needs_the_whole_table(
    tmp_path: Path, server: FaultyServer, kind: type
) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(40))
    llm = chat(server)
    step = (kind(llm=llm), {})
    server.down = "close"
    with pytest.raises(RunStopped, match="Everything so far is saved"):
        Steps(source, tmp_path, step).run(progress=False)
    assert runs.load(tmp_path / "p").summary["status"] == "stopped"
    server.down = False
    run = Steps(source, tmp_path, step).run(progress=False)
    assert (run.rows, run.summary["status"]) == (40, "done")


@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_replies_to_a_free_form_operator_are_kept_too(
    tmp_path: Path, server: FaultyServer, temperature: float
) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(10))
    steps = [(AsksItself(chat(server, temperature)), {}), (NotEnding(), {})]
    first = Steps(source, tmp_path, *steps).run(progress=False)
    replies = column(first, "reply")
    assert first.counts["calls"] == server.calls == 10
    again = Steps(source, tmp_path, (Louder(), {}), *steps).run(progress=False)
    assert (server.calls, again.counts["cached"]) == (10, 10)
    assert column(again, "reply") == [r for r in replies if not r.endswith("7")]


def test_unpaired_surrogates_in_settings_do_not_break_the_account(
    tmp_path: Path, server: FaultyServer
) -> None:
    source = lines(tmp_path / "in.jsonl", ["a"])
    run = Steps(source, tmp_path, (Louder(mark="\ud800"), {})).run(progress=False)
    assert run.summary["status"] == "done"
    assert run.report.exists()
