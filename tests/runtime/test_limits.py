"""A share of failed rows beyond which a run gives up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flows import Asks, Louder, Steps, chat, column, lines, numbers

from dataflow.core.errors import ConfigError, RunStopped, TooManyFailures
from dataflow.runtime import runs
from dataflow.testing.server import FaultyServer


def some_bad(count: int, every: int) -> list[str]:
    """Texts of which every so manieth cannot be loud."""
    return ["cannot" if i % every == every - 1 else f"text {i}" for i in range(count)]


def test_a_step_that_fails_too_many_rows_stops_the_run(tmp_path: Path) -> None:
    source = lines(tmp_path / "in.jsonl", some_bad(200, 4))
    pipeline = Steps(source, tmp_path, (Louder(), {}))
    with pytest.raises(RunStopped) as stopped:
        pipeline.run(progress=False, max_error_rate=0.2)
    said = str(stopped.value)
    assert said.startswith(
        "step 1 Louder: 50 of 200 rows failed, more than max_error_rate=0.2 allows; 50 of them with "
    )
    assert "ValueError: this text cannot be loud" in said
    assert "run again to go on" in said
    assert isinstance(stopped.value.__cause__, TooManyFailures)
    left = runs.load(tmp_path / "p").summary
    assert left["status"] == "stopped"
    assert left["message"].startswith("step 1 Louder: 50 of 200 rows failed")
    assert not list(tmp_path.glob("p_step*"))
    assert pipeline.run(progress=False, max_error_rate=0.25).rows == 150


def test_the_share_may_be_reached_but_not_passed(tmp_path: Path) -> None:
    pipeline = Steps(lines(tmp_path / "in.jsonl", some_bad(8, 4)), tmp_path, (Louder(), {}))
    assert pipeline.run(progress=False, max_error_rate=0.25).rows == 6
    with pytest.raises(RunStopped, match="2 of 8 rows failed"):
        pipeline.run(progress=False, max_error_rate=0.24)


def test_no_failure_at_all_may_be_allowed(tmp_path: Path) -> None:
    good = Steps(lines(tmp_path / "good.jsonl", numbers(60)), tmp_path / "g", (Louder(), {}))
    assert good.run(progress=False, max_error_rate=0).rows == 60
    bad = Steps(lines(tmp_path / "bad.jsonl", [*numbers(60), "cannot"]), tmp_path / "b", (Louder(), {}))
    with pytest.raises(RunStopped, match="1 of 61 rows failed"):
        bad.run(progress=False, max_error_rate=0)


def test_without_a_limit_every_row_may_fail(tmp_path: Path) -> None:
    pipeline = Steps(lines(tmp_path / "in.jsonl", ["cannot"] * 60), tmp_path, (Louder(), {}))
    run = pipeline.run(progress=False)
    assert (run.rows, run.counts["failed"]) == (0, 60)
    assert pipeline.run(progress=False, max_error_rate=1).rows == 0


def test_a_run_stops_early_where_it_is_sure(tmp_path: Path) -> None:
    """A prompt that no reply suits is not asked of every row."""
    source = lines(tmp_path / "in.jsonl", numbers(1000))
    with FaultyServer(reply="bad", latency_s=0.005) as server:
        pipeline = Steps(source, tmp_path, (Asks(llm_serving=chat(server)), {}))
        with pytest.raises(RunStopped, match=r"rows failed, more than max_error_rate=0\.5 allows"):
            pipeline.run(progress=False, max_error_rate=0.5)
        assert 100 <= server.calls < 600  # each is asked for once more
        calls = server.calls
        run = pipeline.run(progress=False)
        assert (run.counts["failed"], run.summary["totals"]["repairs"]) == (1000, 1000)
        assert server.calls - calls <= 2000 - calls + 64  # what was answered came from the journal


def test_a_bad_start_does_not_stop_a_run_that_is_good_in_all(tmp_path: Path) -> None:
    source = lines(tmp_path / "in.jsonl", [f"early {i}" for i in range(20)] + numbers(200))

    def reply(body: dict[str, Any]) -> str:
        return "bad" if "early" in str(body["messages"]) else "good"

    with FaultyServer(reply=reply) as server:
        pipeline = Steps(source, tmp_path, (Asks(llm_serving=chat(server)), {}))
        run = pipeline.run(progress=False, max_error_rate=0.5)
    assert (run.rows, run.counts["failed"]) == (200, 20)


def test_failures_of_steps_at_once_are_counted_for_each(tmp_path: Path) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(10))

    def reply(body: dict[str, Any]) -> str:
        return "bad" if any(f"text {i}" in str(body["messages"]) for i in range(4)) else "good"

    with FaultyServer(reply=reply) as server:
        steps = [(Asks(llm_serving=chat(server)), {"output_key": name}) for name in ("a", "b")]
        pipeline = Steps(source, tmp_path, *steps)
        with pytest.raises(RunStopped, match="step 1 Asks: 4 of 10 rows failed"):
            pipeline.run(progress=False, max_error_rate=0.3)
        run = pipeline.run(progress=False, max_error_rate=0.4)
        assert column(run, "text") == numbers(10)[4:]
        assert [s["failed"] for s in run.summary["steps"]] == [4, 0]


def test_failures_of_an_earlier_run_count(tmp_path: Path) -> None:
    """Rows that failed before the run was stopped are failed rows of the run that goes on."""
    source = lines(tmp_path / "in.jsonl", some_bad(100, 2))
    pipeline = Steps(source, tmp_path, (Louder(), {}))
    pipeline.run(progress=False)
    with pytest.raises(RunStopped, match="50 of 100 rows failed"):
        pipeline.run(progress=False, max_error_rate=0.4)


@pytest.mark.parametrize("share", [-0.1, 1.1, 20])
def test_a_share_lies_between_nothing_and_all(tmp_path: Path, share: float) -> None:
    pipeline = Steps(lines(tmp_path / "in.jsonl", numbers(2)), tmp_path, (Louder(), {}))
    with pytest.raises(ConfigError, match="is a share, from 0 to 1"):
        pipeline.run(progress=False, max_error_rate=share)
