"""Replaying a recording: the same table without a call, a key or an endpoint, and a clear stop where it has no reply."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flows import Asks, Louder, Steps, lines, numbers

from dataflow.core.errors import ConfigError, RunStopped
from dataflow.runtime.recording import record
from dataflow.serving import APILLMServing
from dataflow.testing import Faults, FaultyServer

REMOTE = "https://models.invalid/v1"


def steps(source: Path, folder: Path, url: str, **settings: Any) -> Steps:
    llm = APILLMServing(url, model_name="m", temperature=0.7, **settings)
    return Steps(source, folder, (Louder(), {}), (Asks(llm_serving=llm), {"input_text_key": "loud"}))


@pytest.fixture
def recorded(tmp_path: Path) -> tuple[Path, Path, Any]:
    source = lines(tmp_path / "in.jsonl", numbers(20))
    with FaultyServer(reply=lambda body: body["messages"][-1]["content"][::-1]) as server:
        run = steps(source, tmp_path / "first", server.url).run(progress=False)
    record(run.run_dir, tmp_path / "run.recording")
    return source, tmp_path / "run.recording", run


def test_a_replay_needs_neither_key_nor_endpoint(
    recorded: tuple[Path, Path, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DF_API_KEY", raising=False)
    source, recording, first = recorded
    again = steps(source, tmp_path / "second", REMOTE).run(progress=False, replay=recording)
    assert again.table.equals(first.table)
    assert (again.counts["calls"], again.counts["cached"]) == (0, 20)


def test_what_was_not_recorded_stops_it(recorded: tuple[Path, Path, Any], tmp_path: Path) -> None:
    _, recording, _ = recorded
    other = lines(tmp_path / "other.jsonl", [*numbers(20), "new"])
    with pytest.raises(RunStopped, match=r"no reply for step 2 Asks, row 20: .* record it anew"):
        steps(other, tmp_path / "second", REMOTE).run(progress=False, replay=recording)


def test_another_model_is_not_answered(recorded: tuple[Path, Path, Any], tmp_path: Path) -> None:
    source, recording, _ = recorded
    with pytest.raises(RunStopped, match="the recording has no reply for step 2"):
        steps(source, tmp_path / "second", REMOTE, top_p=0.5).run(progress=False, replay=recording)


def test_a_call_that_failed_fails_again(tmp_path: Path) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(40))
    with FaultyServer(reply="yes", faults=Faults(status_400=0.3), seed=2) as server:
        first = steps(source, tmp_path / "first", server.url).run(progress=False)
    record(first.run_dir, tmp_path / "run.recording")
    again = steps(source, tmp_path / "second", REMOTE).run(progress=False, replay=tmp_path / "run.recording")
    assert 0 < first.counts["failed"] < 40
    assert again.table.equals(first.table)
    assert (
        again.failed.sort("row")
        .select("row", "error")
        .equals(first.failed.sort("row").select("row", "error"))
    )


def test_a_replay_retries_nothing(recorded: tuple[Path, Path, Any], tmp_path: Path) -> None:
    source, recording, _ = recorded
    with pytest.raises(ConfigError, match="nothing to retry_failed"):
        steps(source, tmp_path / "second", REMOTE).run(progress=False, replay=recording, retry_failed=True)
