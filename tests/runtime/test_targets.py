"""A wanted number of rows: exactly so many, the first ones, for little more than it takes."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pytest
from flows import (
    Asks,
    FirstOfEach,
    Halves,
    Louder,
    NotEnding,
    Ranked,
    Steps,
    Topics,
    Words,
    chat,
    column,
    lines,
    numbers,
)

from dataflow.core import In, Judge, Out, Prompt
from dataflow.core.errors import ConfigError
from dataflow.runtime import runs
from dataflow.testing.server import FaultyServer, ServerProcess


class Third(Judge):
    """Keep a text where the model says 5, as it does of every third."""

    filters: ClassVar[bool] = True
    default_prompt: ClassVar[Prompt] = Prompt("Judge {text}.")
    input_text_key = In("text")
    output_key = Out("score", type="int")

    def keeps(self, score: Any) -> bool:
        return bool(score == 5)


def third(body: dict[str, Any]) -> str:
    """A good score for every third text, whatever else is asked an echo."""
    asked = str(body["messages"][-1]["content"])
    number = int(asked.rstrip(".").rsplit(" ", 1)[-1]) if asked.startswith("Judge") else 0
    return ("5" if number % 3 == 0 else "1") if asked.startswith("Judge") else f"echo of {asked}"


def thirds(count: int) -> list[str]:
    """The first texts of which the judge thinks well."""
    return [f"text {3 * i}" for i in range(count)]


def uneven(rng: random.Random) -> float:
    return rng.random() * 0.03


@pytest.fixture(scope="module")
def server() -> Iterator[FaultyServer]:
    with FaultyServer(reply=third) as running:
        yield running


@pytest.fixture
def llm(server: FaultyServer) -> Any:
    server.reset()
    return chat(server)


def test_a_judge_that_takes_a_third_needs_three_times_as_many_rows(
    tmp_path: Path, llm: Any, server: Any
) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(4000))
    pipeline = Steps(source, tmp_path, (Third(llm_serving=llm), {}))
    run = pipeline.run(progress=False, target_rows=500)
    assert run.rows == run.table.height == 500
    assert column(run, "text") == thirds(500)
    assert run.path is not None
    assert pl.read_ndjson(run.path)["text"].to_list() == thirds(500)
    assert server.calls == run.summary["candidates"] <= 1650
    assert run.summary["message"] == ""
    fates = run.lineage["fate"].value_counts()
    assert dict(fates.iter_rows())["kept"] == 500
    assert run.lineage.height == run.summary["candidates"]


@pytest.mark.parametrize("workers", [1, 4, 32])
def test_the_rows_hang_on_neither_timing_nor_workers(tmp_path: Path, workers: int) -> None:
    """Even where an operator after the judge sees all rows begun."""
    source = lines(tmp_path / "in.jsonl", numbers(400))
    latency = 0.0 if workers == 1 else uneven
    with FaultyServer(reply=third, latency_s=latency, seed=workers) as server:
        judge = Third(llm_serving=chat(server, max_workers=workers))
        run = Steps(source, tmp_path, (judge, {}), (Ranked(), {})).run(progress=False, target_rows=40)
        assert column(run, "text") == sorted(thirds(40))
        assert server.calls == run.summary["candidates"] == 120


def test_too_few_candidates(tmp_path: Path, llm: Any, server: Any) -> None:
    pipeline = Steps(lines(tmp_path / "in.jsonl", numbers(400)), tmp_path, (Third(llm_serving=llm), {}))
    run = pipeline.run(progress=False, target_rows=50, max_candidates=100)
    assert (run.summary["status"], run.rows, server.calls) == ("done", 34, 100)
    assert run.summary["message"] == "34 of 50 rows came through: all 100 candidates are used up"
    more = pipeline.run(progress=False, target_rows=50, max_candidates=130)
    assert (more.rows, column(more, "text"), server.calls) == (44, thirds(44), 130)
    enough = pipeline.run(progress=False, target_rows=50)
    assert (enough.rows, column(enough, "text"), enough.summary["message"]) == (50, thirds(50), "")
    assert server.repeated == 0


def test_a_source_that_has_too_few(tmp_path: Path, llm: Any) -> None:
    pipeline = Steps(lines(tmp_path / "in.jsonl", numbers(5)), tmp_path, (Third(llm_serving=llm), {}))
    run = pipeline.run(progress=False, target_rows=50)
    assert (run.rows, run.summary["candidates"]) == (2, 5)
    assert run.summary["message"] == "2 of 50 rows came through: all 5 candidates are used up"


def test_an_empty_source(tmp_path: Path) -> None:
    pl.DataFrame(schema={"text": pl.String}).write_parquet(tmp_path / "in.parquet")
    run = Steps(tmp_path / "in.parquet", tmp_path, (Louder(), {})).run(progress=False, target_rows=5)
    assert (run.rows, run.table.columns) == (0, ["text", "loud"])


def test_a_step_that_keeps_nothing(tmp_path: Path) -> None:
    source = lines(tmp_path / "in.jsonl", ["a 7"] * 300)
    run = Steps(source, tmp_path, (NotEnding(), {}), (Louder(), {})).run(progress=False, target_rows=10)
    assert (run.rows, run.summary["candidates"]) == (0, 300)


def test_rows_made_of_others_count(tmp_path: Path, llm: Any) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(200))
    steps = (Halves(llm_serving=llm), {}), (Words(), {"input_key": "half"}), (Louder(), {"input_key": "word"})
    run = Steps(source, tmp_path / "c", *steps).run(progress=False, target_rows=25)
    whole = Steps(source, tmp_path / "w", *steps).run(progress=False)
    assert run.rows == 25
    assert run.table.equals(whole.table.head(25))
    assert run.summary["candidates"] <= 32
    fates = run.lineage["fate"].to_list()
    assert fates[:25] == ["kept"] * 25
    assert set(fates[25:]) == {"surplus"}


def test_duplicates_do_not_count(tmp_path: Path, llm: Any) -> None:
    texts = [f"text {i // 4}" for i in range(2000)]
    source = lines(tmp_path / "in.jsonl", texts)
    run = Steps(source, tmp_path, (Third(llm_serving=llm), {}), (FirstOfEach(), {}), (Louder(), {})).run(
        progress=False, target_rows=60
    )
    assert column(run, "text") == thirds(60)
    assert run.summary["candidates"] <= 60 * 12 * 1.1


@pytest.mark.parametrize("first", ["dataset", "source"])
def test_where_the_first_step_sees_or_makes_the_whole_table(
    tmp_path: Path, llm: Any, server: Any, first: str
) -> None:
    if first == "dataset":
        source = lines(tmp_path / "in.jsonl", [f"text {i // 2}" for i in range(500)])
        pipeline = Steps(source, tmp_path, (FirstOfEach(), {}), (Third(llm_serving=llm), {}))
        expected = thirds(20)
    else:
        pipeline = Steps(
            "", tmp_path, (Topics(llm_serving=llm, number=300), {}), (NotEnding(), {"input_key": "topic"})
        )
        expected = [f"echo of topic number {i}" for i in range(30) if i % 10 != 7][:20]
    run = pipeline.run(progress=False, target_rows=20)
    assert column(run, "text" if first == "dataset" else "topic") == expected
    calls = server.calls
    assert calls < 120
    assert pipeline.run(progress=False, target_rows=20).table.equals(run.table)
    assert server.calls == calls


def test_running_again_costs_nothing_and_wanting_more_only_the_rest(
    tmp_path: Path, llm: Any, server: Any
) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(1000))
    steps = (Third(llm_serving=llm), {}), (FirstOfEach(), {}), (Asks(llm_serving=llm), {})
    run = Steps(source, tmp_path, *steps).run(progress=False, target_rows=40)
    calls, written = server.calls, run.path.read_bytes()  # type: ignore[union-attr]
    again = Steps(source, tmp_path, *steps).run(progress=False, target_rows=40)
    assert (server.calls, again.path.read_bytes()) == (calls, written)  # type: ignore[union-attr]
    assert all(s["reused"] for s in again.summary["steps"])
    assert again.summary["candidates"] == run.summary["candidates"]
    more = Steps(source, tmp_path, *steps).run(progress=False, target_rows=100)
    assert column(more, "text") == thirds(100)
    assert server.repeated == 0
    less = Steps(source, tmp_path, *steps).run(progress=False, target_rows=40)
    assert less.path.read_bytes() == written  # type: ignore[union-attr]
    whole = Steps(source, tmp_path, *steps).run(progress=False)
    assert whole.rows == 334
    assert server.repeated == 0


def test_another_prompt_begins_as_a_new_run_does(tmp_path: Path, llm: Any, server: Any) -> None:
    """How many rows an earlier run began is no business of a pipeline that has changed."""
    source = lines(tmp_path / "in.jsonl", numbers(1000))
    Steps(source, tmp_path, (Third(llm_serving=llm), {})).run(progress=False, target_rows=40)
    run = Steps(source, tmp_path, (Louder(), {})).run(progress=False, target_rows=40)
    assert run.summary["candidates"] == 40


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {folder!r})
from flows import Asks, Ranked, Steps, chat
from test_targets import Third
class Server: url = sys.argv[3]
llm = chat(Server, max_workers=8)
steps = (Third(llm_serving=llm), {{}}), (Ranked(), {{}}), (Asks(llm_serving=llm), {{}})
Steps(sys.argv[1], Path(sys.argv[2]), *steps).run(progress=False, target_rows=60)
"""


def test_kill_9_on_the_way(tmp_path: Path) -> None:
    """Killed in a later round: the same table as if nothing had been, though an operator on the way sees all rows begun."""
    source = lines(tmp_path / "in.jsonl", numbers(600))
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(folder=str(Path(__file__).parent)))

    def started(cache: str, url: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, str(script), str(source), str(tmp_path / cache), url])

    with ServerProcess(reply=["1", "5", "2"], latency_s=0.02, sigma=1.0) as server:
        assert started("calm", server.url).wait(60) == 0
        calm = runs.load(tmp_path / "calm/p").summary
        assert calm["candidates"] > 64  # more than one round
        server.reset()
        for until in (30, 90, 150):
            process = started("c", server.url)
            deadline = time.monotonic() + 60
            while (
                server.stats()["answered"] < until and process.poll() is None and time.monotonic() < deadline
            ):
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
            process.wait(30)
        assert started("c", server.url).wait(60) == 0
        assert server.stats()["repeated"] <= 3 * 8
    table = "p_step3.jsonl"
    assert (tmp_path / "c" / table).read_bytes() == (tmp_path / "calm" / table).read_bytes()
    assert runs.load(tmp_path / "c/p").summary["candidates"] == calm["candidates"]


def test_a_run_can_be_read_again_from_its_folder(tmp_path: Path, llm: Any) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(200))
    run = Steps(source, tmp_path, (Third(llm_serving=llm), {})).run(progress=False, target_rows=20)
    loaded = runs.load(run.run_dir)
    assert loaded.rows == loaded.table.height == 20
    assert loaded.summary["target_rows"] == 20
    assert loaded.table.equals(run.table)


@pytest.mark.parametrize(
    "wrong",
    [{"target_rows": 0}, {"target_rows": -1}, {"target_rows": 5, "limit": 3}, {"max_candidates": 5},
     {"target_rows": 5, "max_candidates": 0}],
)  # fmt: skip
def test_what_cannot_be_wanted(tmp_path: Path, wrong: dict[str, int]) -> None:
    pipeline = Steps(lines(tmp_path / "in.jsonl", numbers(2)), tmp_path, (Louder(), {}))
    with pytest.raises(ConfigError):
        pipeline.run(progress=False, **wrong)
