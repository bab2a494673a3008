"""Stages without model calls keep only the ids of their rows beside the table that they leave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flows import FirstOfEach, Louder, NotEnding, Steps, lines, numbers

from dataflow.runtime import feeding, runs
from dataflow.storage import FileSource, trailing, verbatim
from dataflow.testing import FaultyServer


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return lines(tmp_path / "in.jsonl", numbers(40))


def rows_only(source: Path, folder: Path, *more: Any, **settings: Any) -> Steps:
    return Steps(source, folder, (Louder(), {}), (NotEnding(), {}), *more, **settings)


def test_the_rows_lie_in_the_table_alone(source: Path, tmp_path: Path) -> None:
    run = rows_only(source, tmp_path).run(progress=False)
    (stage,) = run.stages
    assert stage.lean
    assert next(iter(stage.frames())).columns == ["__row__"]
    assert run.table["loud"].to_list() == [f"{t}!" for t in numbers(40) if not t.endswith("7")]
    assert run.lineage.height == 40


def test_parts_that_the_writer_is_far_from_keep_their_rows(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trailing, "HELD", 0)
    monkeypatch.setattr(feeding, "PART_ROWS", 7)
    run = rows_only(source, tmp_path).run(progress=False)
    (stage,) = run.stages
    assert (stage.lean, len(stage.parts())) == (True, 6)
    assert run.table["loud"].to_list() == [f"{t}!" for t in numbers(40) if not t.endswith("7")]
    assert sum(f.height for f in run.frames_of(stage)) == 36


def test_it_is_used_again_while_the_table_is_as_it_was(source: Path, tmp_path: Path) -> None:
    first = rows_only(source, tmp_path).run(progress=False)
    assert first.path is not None
    again = rows_only(source, tmp_path).run(progress=False)
    assert [s["reused"] for s in again.summary["steps"]] == [True, True]
    written = first.path.read_bytes()
    first.path.write_text("mine now")
    third = rows_only(source, tmp_path).run(progress=False)
    assert [s["reused"] for s in third.summary["steps"]] == [False, False]
    assert first.path.read_bytes() == written
    first.path.unlink()
    assert rows_only(source, tmp_path).run(progress=False).rows == 36
    assert first.path.read_bytes() == written


def test_a_stage_that_others_read_has_its_rows(source: Path, tmp_path: Path) -> None:
    from flows import FirstOfEach

    rows_only(source, tmp_path).run(progress=False)
    run = rows_only(source, tmp_path, (FirstOfEach(), {})).run(progress=False)
    assert (run.rows, [s.lean for s in run.stages]) == (36, [False, True])
    assert run.table.height == 36


def test_what_needs_the_rows_has_them(source: Path, tmp_path: Path) -> None:
    rows_only(source, tmp_path).run(progress=False)
    told: list[int] = []
    run = rows_only(source, tmp_path).run(progress=False, on_rows=lambda frame: told.append(frame.height))
    assert (sum(told), run.rows, run.stages[0].lean) == (36, 36, False)


def test_a_row_can_be_traced(source: Path, tmp_path: Path) -> None:
    run = rows_only(source, tmp_path).run(progress=False)
    events = run.trace("8")
    assert [(e["step"], e["fate"]) for e in events] == [(0, "passed"), (1, "passed"), (2, "passed")]
    assert events[1]["values"] == {"loud": "text 8!"}


def test_failed_rows_are_tried_again(tmp_path: Path) -> None:
    source = lines(tmp_path / "in.jsonl", ["fine", "cannot", "good"])
    first = rows_only(source, tmp_path).run(progress=False)
    assert (first.rows, first.counts["failed"]) == (2, 1)
    again = rows_only(source, tmp_path).run(progress=False, retry_failed=True)
    assert (again.rows, again.counts["failed"]) == (2, 1)


def test_no_rows_are_a_table_too(tmp_path: Path) -> None:
    source = lines(tmp_path / "in.jsonl", ["a 7"])
    run = rows_only(source, tmp_path).run(progress=False)
    assert (run.rows, run.table.columns, runs.load(run.run_dir).records) == (0, ["text", "loud"], [])


def test_stages_with_calls_keep_their_rows(source: Path, tmp_path: Path) -> None:
    from flows import Asks

    from dataflow.serving import APILLMServing

    with FaultyServer(reply="yes") as server:
        run = Steps(source, tmp_path, (Asks(llm_serving=APILLMServing(server.url, model_name="m")), {})).run(
            progress=False
        )
    assert not run.stages[0].lean
    assert run.path is not None
    assert json.loads(run.path.read_text().splitlines()[0])["answer"] == "yes"


def test_a_first_step_that_needs_the_whole_table_reads_its_source_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [f"{'again ' * (i % 3)}{i // 2}" for i in range(40)]
    source = lines(tmp_path / "in.jsonl", texts)
    monkeypatch.setattr(feeding, "PART_ROWS", 7)
    read: list[int] = []
    parts = feeding.Feed.parts

    def counted(self: feeding.Feed, *args: Any) -> Any:
        for number, frame in parts(self, *args):
            read.append(number)
            yield number, frame

    monkeypatch.setattr(feeding.Feed, "parts", counted)
    run = Steps(source, tmp_path, (FirstOfEach(), {})).run(progress=False)
    assert run.table["text"].to_list() == list(dict.fromkeys(texts))
    assert read == [*range(6), *range(6)]


@pytest.mark.parametrize("operator", [NotEnding, FirstOfEach], ids=["filter", "dataset"])
def test_a_table_that_only_lost_rows_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operator: type[Any]
) -> None:
    monkeypatch.setattr(verbatim, "PART_ROWS", 60)
    texts = [f"text {i // 3}" for i in range(200)]
    source = tmp_path / "in.jsonl"
    source.write_text("".join(f'{{"n":{i},"text":"{t}","tags":["é",null]}}\n' for i, t in enumerate(texts)))
    copied: list[int] = []
    write = verbatim.Verbatim.write

    def counted(self: Any, frame: Any, to: Any) -> None:
        copied.append(frame.height)
        write(self, frame, to)

    monkeypatch.setattr(verbatim.Verbatim, "write", counted)
    one = Steps(source, tmp_path / "a", (operator(), {})).run(progress=False)
    assert sum(copied) == one.rows < 200
    monkeypatch.setattr(FileSource, "lines", None)
    other = Steps(source, tmp_path / "b", (operator(), {})).run(progress=False)
    assert sum(copied) == one.rows
    assert one.path is not None
    assert other.path is not None
    assert one.path.read_bytes() == other.path.read_bytes()
    assert one.dropped.equals(other.dropped)
    assert one.lineage.equals(other.lineage)
    samples = [run.summary["steps"][0]["samples"] for run in (one, other)]
    assert all(None not in (s["before"] | (s["after"] or {})).values() for s in samples[0] + samples[1])


def test_who_listens_is_told_of_whole_rows_where_lines_are_copied(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text("".join(f'{{"n":{i},"text":"text {i // 3}"}}\n' for i in range(60)))
    told: list[Any] = []
    run = Steps(source, tmp_path / "a", (FirstOfEach(), {})).run(
        progress=False, on_rows=lambda frame: told.extend(frame.rows())
    )
    assert told == [(i, f"text {i // 3}") for i in range(0, 60, 3)]
    assert run.table.rows() == told
