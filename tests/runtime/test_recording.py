"""The replies of a run in one file, and running from it where no model answers."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flows import Asks, FirstOfEach, Halves, Louder, Steps, chat, echo, lines, numbers

from dataflow.core.errors import StorageError
from dataflow.operators.core_text import EmbeddingGenerator
from dataflow.runtime import recording
from dataflow.serving.journal import Journal
from dataflow.testing.server import FaultyServer

KEY = "sk-test-key-of-nobody"


def picky(body: dict[str, Any]) -> str:
    """No answer to what holds a 4."""
    if "4" in str(body.get("messages")):
        raise ValueError("no answer to that")
    return echo(body)


@pytest.fixture(scope="module")
def running() -> Iterator[FaultyServer]:
    with FaultyServer(reply=picky) as server:
        yield server


@pytest.fixture
def server(running: FaultyServer) -> FaultyServer:
    running.reset()
    return running


def asking(source: Path, folder: Path, server: FaultyServer, temperature: float = 0.7, **more: Any) -> Steps:
    """Draws, structured rows, a barrier and vectors: everything that is kept."""
    llm = chat(server, temperature, **more)
    return Steps(
        source,
        folder,
        (Asks(llm_serving=llm), {"output_key": "first"}),
        (Halves(llm_serving=llm), {"input_text_key": "first"}),
        (FirstOfEach(), {"input_key": "half"}),
        (EmbeddingGenerator(llm), {"input_key": "half", "output_key": "vector"}),
    )


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return lines(tmp_path / "in.jsonl", [f"text {c}" for c in "abcdefgh"])


@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_a_run_replays_elsewhere_without_a_call(
    tmp_path: Path, source: Path, server: FaultyServer, temperature: float
) -> None:
    first = asking(source, tmp_path / "here", server, temperature).run(progress=False)
    made = recording.record(first.run_dir, tmp_path / "out/run.recording")
    assert (made.replies > 8, made.pipeline, made.rows) == (True, "Steps", 8)
    moved = Path(shutil.move(tmp_path / "out/run.recording", tmp_path / "moved.recording"))
    elsewhere = tmp_path / "there"
    elsewhere.mkdir()
    other = Path(shutil.copy(source, elsewhere / "other.jsonl"))
    recording.install(moved, elsewhere / "p")
    server.reset()
    again = asking(other, elsewhere, server, temperature, max_workers=2).run(progress=False)
    assert (server.calls, again.counts["calls"]) == (0, 0)
    assert again.records == first.records
    assert len(again.records) > 8


def test_it_replays_at_another_address_where_nobody_answers(
    tmp_path: Path, source: Path, server: FaultyServer
) -> None:
    first = asking(source, tmp_path / "here", server).run(progress=False)
    recording.record(first.run_dir, tmp_path / "r")
    recording.install(tmp_path / "r", tmp_path / "there/p")
    nobody = FaultyServer(port=9)
    assert nobody.url != server.url
    again = asking(source, tmp_path / "there", nobody).run(progress=False)
    assert again.records == first.records


def test_a_recording_is_one_file_without_prompts_keys_or_addresses(
    tmp_path: Path, source: Path, server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DF_API_KEY", KEY)
    folder = tmp_path / "folder"
    first = asking(source, folder, server).run(progress=False)
    recording.record(first.run_dir, tmp_path / "out" / "r")
    assert [f.name for f in (tmp_path / "out").iterdir()] == ["r"]
    data = (tmp_path / "out" / "r").read_bytes()
    for secret in (KEY, server.base_url, str(tmp_path), "You answer."):
        assert secret.encode() not in data
    assert b"echo of" in data


def test_it_can_be_made_while_the_journal_is_open(tmp_path: Path, source: Path, server: FaultyServer) -> None:
    first = asking(source, tmp_path, server).run(progress=False)
    journal = Journal.at(first.run_dir / "journal.sqlite")
    made = recording.record(first.run_dir, tmp_path / "r")
    assert made.replies > 0
    assert recording.read(tmp_path / "r") == made
    assert len(journal) == made.replies
    journal.close()


def test_rows_that_got_no_reply_are_named(tmp_path: Path, server: FaultyServer) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(6))
    first = Steps(source, tmp_path, (Asks(llm_serving=chat(server)), {})).run(progress=False)
    made = recording.record(first.run_dir, tmp_path / "r")
    assert {s: set(rows) for s, rows in made.failed.items()} == {"1": {"4"}}
    assert "HTTP 500" in made.failed["1"]["4"]
    assert recording.read(tmp_path / "r").failed == made.failed


def test_installing_twice_goes_on_where_it_was(tmp_path: Path, source: Path, server: FaultyServer) -> None:
    first = asking(source, tmp_path / "here", server).run(progress=False)
    made = recording.record(first.run_dir, tmp_path / "r")
    assert recording.install(tmp_path / "r", tmp_path / "there/p") == made
    held = Journal.at(tmp_path / "there/p/journal.sqlite")
    assert len(held) == made.replies
    held.close()
    assert recording.install(tmp_path / "r", tmp_path / "there/p") == made


def test_replies_that_were_paid_for_are_not_overwritten(
    tmp_path: Path, source: Path, server: FaultyServer
) -> None:
    first = asking(source, tmp_path / "here", server).run(progress=False)
    recording.record(first.run_dir, tmp_path / "r")
    second = asking(source, tmp_path / "there", server).run(progress=False)
    with pytest.raises(StorageError, match="has replies of its own"):
        recording.install(tmp_path / "r", second.run_dir)
    recording.record(first.run_dir, tmp_path / "other")
    recording.install(tmp_path / "r", tmp_path / "third/p")
    with pytest.raises(StorageError, match="has replies of its own"):
        recording.install(tmp_path / "other", tmp_path / "third/p")


def test_an_empty_journal_is_in_nobodys_way(tmp_path: Path, source: Path, server: FaultyServer) -> None:
    first = asking(source, tmp_path / "here", server).run(progress=False)
    made = recording.record(first.run_dir, tmp_path / "r")
    Journal.at(tmp_path / "there/p/journal.sqlite").close()
    recording.install(tmp_path / "r", tmp_path / "there/p")
    held = Journal.at(tmp_path / "there/p/journal.sqlite")
    assert len(held) == made.replies
    held.close()


def test_what_cannot_be_recorded_is_told(tmp_path: Path, source: Path, server: FaultyServer) -> None:
    with pytest.raises(StorageError, match="holds no run"):
        recording.record(tmp_path, tmp_path / "r")
    quiet = Steps(source, tmp_path / "quiet", (Louder(), {})).run(progress=False)
    with pytest.raises(StorageError, match="holds no replies"):
        recording.record(quiet.run_dir, tmp_path / "r")
    assert not (tmp_path / "r").exists()


def test_what_is_no_recording_is_told(tmp_path: Path, source: Path, server: FaultyServer) -> None:
    first = asking(source, tmp_path, server).run(progress=False)
    (tmp_path / "text").write_text("no database")
    for path in (tmp_path / "text", first.run_dir / "journal.sqlite"):
        with pytest.raises(StorageError, match="is no recording"):
            recording.install(path, tmp_path / "x")
    with pytest.raises(StorageError, match="there is no recording"):
        recording.install(tmp_path / "nowhere", tmp_path / "x")
    recording.record(first.run_dir, tmp_path / "r")
    with closing(sqlite3.connect(tmp_path / "r")) as held, held:
        held.execute("UPDATE recording SET told = replace(told, '\"format\": 1', '\"format\": 99')")
    with pytest.raises(StorageError, match="record it anew"):
        recording.read(tmp_path / "r")
    assert not (tmp_path / "x").exists()
