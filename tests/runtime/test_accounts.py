"""The account of a run: what became of each row, the report, the summary, and finding it all again."""

from __future__ import annotations

import logging
import os
import pty
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from flows import (
    Asks,
    Backwards,
    FirstOfEach,
    Halves,
    Lengths,
    Louder,
    NotEnding,
    Ranked,
    Steps,
    Topics,
    Words,
    asked_of,
    chat,
    echo,
    lines,
    numbers,
)

from dataflow.core.errors import StorageError
from dataflow.core.outcome import DROPPED, FAILED
from dataflow.operators.core_text import PromptedFilter
from dataflow.runtime import runs
from dataflow.runtime.files import write_json
from dataflow.runtime.progress import Progress
from dataflow.runtime.stagedir import StageDir
from dataflow.runtime.stats import StepStats
from dataflow.testing import ScriptedServing
from dataflow.testing.server import FaultyServer


def picky(body: dict[str, Any]) -> str:
    """No answer to what holds a 4, a bad one to what holds a 2."""
    asked = asked_of(body)
    if "4" in asked:
        raise ValueError("no answer to that")
    return "bad" if "2" in asked else echo(body)


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer(reply=picky) as running:
        yield running


def losing(source: Path, folder: Path, server: FaultyServer) -> Steps:
    """A pipeline that loses rows in every way there is."""
    llm = chat(server)
    return Steps(
        source,
        folder,
        (Louder(), {}),
        (NotEnding(end="7"), {}),
        (Words(), {}),
        (Asks(llm_serving=llm), {"input_text_key": "word"}),
        (Halves(llm_serving=llm), {"input_text_key": "word"}),
        (FirstOfEach(), {"input_key": "half"}),
        (PromptedFilter(llm, min_score=3), {"input_key": "half", "output_key": "score"}),
        (Ranked(last=4), {"input_key": "half"}),
        (Lengths(), {"input_key": "half"}),
    )


ROWS: list[str | None] = ["a b c", "cannot", None, "", "x7", "d4 e2 f", *numbers(20), "a g"]


@pytest.fixture
def lost(tmp_path: Path, server: FaultyServer) -> runs.Run:
    source = lines(tmp_path / "in.jsonl", [{"text": t} for t in ROWS])
    return losing(source, tmp_path, server).run(progress=False)


def test_every_row_ends_exactly_once(lost: runs.Run) -> None:
    fates = Counter(lost.lineage["row"].to_list())
    assert max(fates.values()) == 1
    ended = set(fates)
    parents = {r.rpartition("/")[0] for r in ended} - {""}
    assert not ended & parents
    assert {int(r) for r in lost.lineage["source_row"]} == set(range(len(ROWS)))
    for row in ended:
        head, _, number = row.rpartition("/")
        assert (
            not head
            or number == "0"
            or any(
                f"{head}/{int(number) - 1}" == r or r.startswith(f"{head}/{int(number) - 1}/") for r in ended
            )
        )


def test_counts_tables_and_lineage_agree(lost: runs.Run) -> None:
    fates = Counter(lost.lineage["fate"])
    assert (fates["kept"], fates["dropped"], fates["failed"]) == (
        lost.rows,
        lost.dropped.height,
        lost.failed.height,
    )
    assert (lost.counts["dropped"], lost.counts["failed"]) == (lost.dropped.height, lost.failed.height)
    assert lost.rows == 4
    for step in lost.summary["steps"]:
        at = pl.col("step") == step["step"]
        assert sum(step["dropped"].values()) == lost.dropped.filter(at).height
        assert step["failed"] == lost.failed.filter(at).height
    for before, after in zip(lost.summary["steps"], lost.summary["steps"][1:], strict=False):
        assert before["rows_out"] == after["rows_in"]
    assert lost.dropped.schema == pl.Schema({"step": pl.Int64, "operator": pl.String, **DROPPED})
    assert lost.failed.schema == pl.Schema({"step": pl.Int64, "operator": pl.String, **FAILED})
    assert set(lost.dropped["operator"]) == {"NotEnding", "Words", "FirstOfEach", "PromptedFilter", "Ranked"}
    assert set(lost.failed["operator"]) == {"Louder", "Asks"}
    assert set(lost.failed["kind"]) == {"ValueError", "CallError", "ReplyError"}


def test_lineage_names_parent_and_source(lost: runs.Run) -> None:
    kept = lost.lineage.filter(pl.col("fate") == "kept")
    assert (
        kept["row"].to_list()
        == pl.read_ipc(lost.stages[-1].path / "part-000000.rows.arrow")["__row__"].to_list()
    )
    for row, parent, source in lost.lineage.select("row", "parent", "source_row").iter_rows():
        assert source == row.split("/")[0]
        assert parent == (row.rpartition("/")[0] or None)


def test_a_row_tells_its_history(lost: runs.Run) -> None:
    folder = lost.run_dir
    story = [(e["step"], e["row"], e["fate"]) for e in runs.trace(folder, "5")]
    assert (4, "5/0", "failed: m: HTTP 500") in [(s, r, f[:19]) for s, r, f in story]
    assert (4, "5/1", "failed: a bad reply") in story
    assert any(r.startswith("5/2/") for _, r, _ in story)
    (gone,) = runs.trace(folder, "4")
    assert (gone["step"], gone["operator"], gone["fate"], gone["values"]) == (
        2,
        "NotEnding",
        "dropped: ends in 7",
        {"value": "x7"},
    )
    (failed,) = runs.trace(folder, "1")
    assert (failed["fate"], failed["values"]) == ("failed: this text cannot be loud", {"text": "cannot"})
    assert runs.trace(folder, "999") == []
    above = {e["row"] for e in runs.trace(folder, "0/1/0")}
    assert above <= {"0", "0/1", "0/1/0"}
    assert "0/1/0" in above


def test_metrics_of_the_whole_table_are_in_the_account(lost: runs.Run) -> None:
    summary = runs.load(lost.run_dir).summary
    halves = [r["half"] for r in lost.records]
    assert summary["steps"][8]["metrics"] == {"rows": 4, "characters": sum(map(len, halves))}
    assert summary["steps"][7]["metrics"] == {"ranked": 4}


def test_the_summary_says_what_ran(lost: runs.Run) -> None:
    summary = lost.summary
    assert (summary["pipeline"], summary["status"], summary["limit"]) == ("Steps", "done", None)
    assert summary["source"]["rows"] == len(ROWS)
    assert summary["source"]["columns"] == {"text": "text"}
    assert summary["steps"][3] | {"samples": 0, "latency": 0, "latencies": 0, "errors": 0} == summary["steps"][3] | {
        "operator": "Asks", "kind": "Generate", "headline": "Ask about a text.", "reads": {"input_text_key": "word"},
        "writes": {"output_key": "answer"}, "samples": 0, "latency": 0, "latencies": 0, "errors": 0,
    }  # fmt: skip
    assert summary["output"]["rows"] == 4
    assert summary["output"]["path"] == str(lost.path)
    assert repr(lost).startswith(f"<Run Steps: done, {len(ROWS)} rows in, 4 out, ")
    assert "PromptedFilter" in lost.report.read_text(encoding="utf-8")
    steps = summary["steps"]
    assert lost.counts["calls"] == sum(s["calls"] for s in steps) > 0
    assert {s["fate"].partition(":")[0] for s in steps[1]["samples"]} == {"kept", "dropped"}


def test_a_run_is_found_and_loaded(lost: runs.Run, tmp_path: Path) -> None:
    assert runs.find(tmp_path) == [lost.run_dir]
    loaded = runs.load(lost.run_dir)
    assert loaded.summary == lost.summary | {"stages": loaded.summary["stages"]}
    assert loaded.records == lost.records
    (tmp_path / "other").mkdir()
    (tmp_path / "other/run.json").write_text("{}")
    assert runs.find(tmp_path) == [lost.run_dir]
    with pytest.raises(StorageError, match="holds no run"):
        runs.load(tmp_path)


def test_runs_are_found_latest_first(tmp_path: Path) -> None:
    source = lines(tmp_path / "in.jsonl", ["a"])
    for at, name in enumerate(["one", "two", "three"]):
        run = Steps(source, tmp_path, (Louder(), {}), file_name_prefix=name).run(progress=False)
        for file in run.run_dir.glob("*.json"):
            os.utime(file, (at, at))
    assert [f.name for f in runs.find(tmp_path)] == ["three", "two", "one"]


def test_a_preview_alone_can_be_loaded(tmp_path: Path) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(9))
    Steps(source, tmp_path, (Louder(), {})).preview(2)
    loaded = runs.load(tmp_path / "p")
    assert (loaded.rows, loaded.path, loaded.report.exists()) == (2, None, True)
    assert runs.find(tmp_path) == [tmp_path / "p"]


def test_a_table_is_read_from_its_file_where_the_parts_are_gone(lost: runs.Run) -> None:
    whole = lost.table
    loaded = runs.load(lost.run_dir)
    loaded.stages[-1].remove()
    assert loaded.table.equals(whole)
    assert loaded.head(2).equals(whole.head(2))


def test_a_table_that_is_gone_says_so(lost: runs.Run) -> None:
    loaded = runs.load(lost.run_dir)
    loaded.stages[-1].remove()
    assert loaded.path is not None
    loaded.path.unlink()
    with pytest.raises(StorageError, match="holds no finished table"):
        _ = loaded.table


def test_bad_lines_of_the_source_are_accounted_for(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "a"}\nnot json\n{"text": "b"}\n')
    run = Steps(tmp_path / "in.jsonl", tmp_path, (Louder(), {})).run(progress=False)
    assert (run.rows, run.summary["source"]["bad_lines"]) == (2, 1)
    assert run.summary["source"]["bad_line_samples"][0]["line"] == 2


def test_rows_of_a_free_form_operator_are_new_ones(tmp_path: Path) -> None:
    source = lines(tmp_path / "in.jsonl", ["a7", "b", "c"])
    run = Steps(source, tmp_path, (NotEnding(), {}), (Backwards(), {}), (Louder(), {})).run(progress=False)
    assert run.lineage.filter(pl.col("fate") == "kept")["row"].to_list() == ["2:0", "2:1"]
    assert run.lineage.filter(pl.col("fate") == "dropped")["row"].to_list() == ["0"]


def test_one_log_line_a_step_says_what_happened(
    tmp_path: Path, server: FaultyServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "dataflow.run")
    source = lines(tmp_path / "in.jsonl", ["a", "b7", "c", "d2"])
    Steps(source, tmp_path, (NotEnding(), {}), (Asks(llm_serving=chat(server)), {})).run(progress=False)
    said = [r.getMessage() for r in caplog.records if r.name == "dataflow.run"]
    assert said[0].startswith("step 1 NotEnding: 4 rows in, 3 out, 1 dropped (ends in 7), ")
    assert said[1].startswith("step 2 Asks: 3 rows in, 2 out, 1 failed, 4 calls, 0 from the journal, ")


def test_progress_shows_rows_calls_and_time_left(tmp_path: Path) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(400))
    pipeline = Steps(source, tmp_path, (NotEnding(), {}), (Asks(llm_serving=ScriptedServing("3")), {}))
    flow = pipeline.compile().flows[0]
    totals = {1: StepStats(rows_in=100, rows_out=50), 2: StepStats(rows_in=50, rows_out=50)}
    totals[2].usage.calls, totals[2].usage.prompt_tokens, totals[2].usage.cost = 50, 1200, 0.5
    shown = Progress(flow, totals, show=False)
    shown.started -= 10
    cells = {c.step: shown._cells(c) for c in flow.calls}
    assert cells[1][:5] == ("1", "NotEnding", "100 → 50", "0", "0")
    assert (cells[2][5], cells[2][7], cells[2][8]) == ("50", "1,200", "$0.5000")
    assert cells[1][9] == "10.0/s"
    assert cells[1][10].endswith(" s")
    assert shown.table().row_count == 2
    fresh = Progress(flow, {1: StepStats(), 2: StepStats()}, show=False)
    assert fresh._pace(flow.calls[0]) == ("", "")
    slow = Progress(flow, {1: StepStats(rows_in=1), 2: StepStats()}, show=False)
    slow.started -= 100
    assert slow._pace(flow.calls[0])[1].endswith(" min")


def test_progress_on_a_terminal_and_in_a_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "dataflow.run")
    monkeypatch.setattr("dataflow.runtime.progress.LOG_EVERY_S", 0.01)
    source = lines(tmp_path / "in.jsonl", numbers(3))
    slow = ScriptedServing("3")
    pipeline = Steps(source, tmp_path, (Asks(llm_serving=slow), {}), (NotEnding(), {}))
    flow = pipeline.compile().flows[0]
    totals = {1: StepStats(rows_in=3), 2: StepStats()}
    with Progress(flow, totals, show=False) as shown:
        while len(caplog.records) < 2:
            assert shown._thread is not None
            shown._thread.join(0.01)
    assert all("step 1 Asks: 3 rows in" in r.getMessage() for r in caplog.records[:2])

    master, slave = pty.openpty()
    said = ""
    with os.fdopen(slave, "w") as terminal, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", terminal)
        with Progress(flow, totals, show=True) as drawn:
            assert drawn.live
            while "Asks" not in said:
                said += os.read(master, 100_000).decode()
    os.close(master)
    assert "operator" in said
    assert "Asks" in said


def test_what_json_cannot_hold_is_written_as_near_as_can_be(tmp_path: Path) -> None:
    write_json(
        tmp_path / "a.json", {"a": "\ud800", "b": 10**30, "c": float("nan"), "d": {1: Path("x")}, "e": 7}
    )
    assert (tmp_path / "a.json").read_text().split() == [
        "{",
        '"a":',
        '"�",',
        '"b":',
        "1e+30,",
        '"c":',
        "null,",
        '"d":',
        "{",
        '"1":',
        '"x"',
        "},",
        '"e":',
        "7",
        "}",
    ]


def test_a_stage_is_deleted_at_once(tmp_path: Path) -> None:
    folder = StageDir(tmp_path / "01-abc")
    folder.keep(
        0, pl.DataFrame({"__row__": ["0"]}), pl.DataFrame(), pl.DataFrame(), {1: StepStats(rows_in=1)}
    )
    folder.finish()
    (tmp_path / ".gone-01-abc").mkdir()
    folder.remove()
    assert list(tmp_path.iterdir()) == []
    folder.remove()


def test_a_source_operator_accounts_for_its_rows(tmp_path: Path, server: FaultyServer) -> None:
    run = Steps("", tmp_path, (Topics(llm_serving=chat(server), number=6), {})).run(progress=False)
    assert (run.rows, run.failed["row"].to_list()) == (5, ["4"])
    assert isinstance(run.summary["steps"][0]["samples"], list)
