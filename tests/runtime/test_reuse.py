"""What is finished and unchanged is not done again, and no reply is paid for twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from flows import (
    Asks,
    Backwards,
    FirstOfEach,
    Louder,
    NotEnding,
    Steps,
    Words,
    chat,
    column,
    echo,
    lines,
    numbers,
    reused,
)

from dataflow.core import Prompt
from dataflow.core.errors import StorageError
from dataflow.operators.core_text import EmbeddingGenerator, PromptedGenerator
from dataflow.testing.server import FaultyServer


@pytest.fixture(scope="module")
def running() -> Iterator[FaultyServer]:
    with FaultyServer(reply=echo) as server:
        yield server


@pytest.fixture
def server(running: FaultyServer) -> FaultyServer:
    running.reset()
    return running


class Shouting(Asks):
    """Ask, and make the reply loud."""

    def parse(self, reply: str) -> str:
        return reply.upper()


Shouting.__name__ = "Asks"  # as where a class is edited


class Otherwise(Asks):
    """Ask in other words."""

    default_prompt: ClassVar[Prompt] = Prompt("And what of {text}?", "You answer.")


def three(source: Path, folder: Path, server: FaultyServer, **changed: Any) -> Steps:
    """Ask, sort out doubles, ask again: three stages, the second one of the whole table."""
    llm = changed.get("llm", chat(server))
    return Steps(
        source,
        folder,
        (changed.get("first", Asks)(llm_serving=llm), {"output_key": "first"}),
        (FirstOfEach(), {"input_key": "first"}),
        (changed.get("second", Asks)(llm_serving=llm), {"input_text_key": "first", "output_key": "second"}),
        (NotEnding(end=changed.get("end", "?")), {"input_key": "text"}),
    )


CHANGES: list[tuple[dict[str, Any], list[bool], int]] = [
    ({}, [True] * 4, 0),
    ({"second": Shouting}, [True, True, False, False], 0),
    ({"first": Shouting}, [False] * 4, 10),
    ({"second": Otherwise}, [True, True, False, False], 10),
    ({"first": Otherwise}, [False] * 4, 20),
    ({"end": "3"}, [True, True, False, False], 0),
]


@pytest.mark.parametrize("temperature", [0.0, 0.7])
@pytest.mark.parametrize(("change", "kept", "calls"), CHANGES)
def test_only_what_changed_is_done_again(
    tmp_path: Path,
    server: FaultyServer,
    change: dict[str, Any],
    kept: list[bool],
    calls: int,
    temperature: float,
) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(10))
    llm = chat(server, temperature)
    three(source, tmp_path, server, llm=llm).run(progress=False)
    assert server.calls == 20
    server.reset()
    run = three(source, tmp_path, server, llm=llm, **change).run(progress=False)
    assert (reused(run), server.calls, run.counts["calls"]) == (kept, calls, calls)
    fresh = three(source, tmp_path / "fresh", server, llm=llm, **change).run(progress=False)
    assert run.records == fresh.records


def test_another_model_is_asked_anew(tmp_path: Path, server: FaultyServer) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(4))
    three(source, tmp_path, server).run(progress=False)
    run = three(source, tmp_path, server, llm=chat(server, model_name="n")).run(progress=False)
    assert (reused(run), run.counts["calls"]) == ([False] * 4, 8)


def test_more_rows_cost_only_their_own_calls(tmp_path: Path, server: FaultyServer) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(10))
    three(source, tmp_path, server).run(progress=False)
    lines(source, numbers(13))
    run = three(source, tmp_path, server).run(progress=False)
    assert (run.counts["calls"], run.counts["cached"], run.rows) == (6, 20, 13)
    assert column(run, "text") == numbers(13)
    lines(source, reversed(numbers(13)))
    run = three(source, tmp_path, server).run(progress=False)
    assert (run.counts["calls"], column(run, "text")) == (0, numbers(13)[::-1])


def test_equal_prompts_are_one_call_and_draws_are_one_each(tmp_path: Path, server: FaultyServer) -> None:
    source = lines(tmp_path / "in.jsonl", ["same"] * 20)
    for temperature, calls in ((0.0, 1), (0.7, 20)):
        step = (Asks(llm_serving=chat(server, temperature)), {})
        server.reset()
        run = Steps(source, tmp_path / str(temperature), step).run(progress=False)
        assert server.calls == run.counts["calls"] == calls
        assert run.counts["calls"] + run.counts["cached"] == 20
        again = Steps(source, tmp_path / str(temperature), step, (Louder(), {})).run(progress=False)
        assert (again.counts["calls"], again.counts["cached"]) == (0, 20)


@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_what_a_preview_cost_is_not_paid_again(
    tmp_path: Path, server: FaultyServer, temperature: float
) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(30))
    pipeline = three(source, tmp_path, server, llm=chat(server, temperature))
    seen = pipeline.preview(5)
    assert (seen.rows, column(seen, "text"), seen.path, seen.report.name) == (
        5,
        numbers(5),
        None,
        "preview.html",
    )
    assert server.calls == 10
    assert not list(tmp_path.glob("p_step*"))
    run = pipeline.run(progress=False)
    assert (server.calls, run.counts["cached"], run.rows) == (60, 10, 30)
    assert pipeline.run(progress=False, limit=5).counts["calls"] == 0


def test_a_limit_beyond_the_source_takes_all_of_it(tmp_path: Path, server: FaultyServer) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(3))
    assert three(source, tmp_path, server).preview(50).rows == 3
    assert three(source, tmp_path, server).preview(0).rows == 0


def test_texts_are_embedded_once(tmp_path: Path, server: FaultyServer) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(10))
    step = (EmbeddingGenerator(chat(server)), {"input_key": "text", "output_key": "vector"})
    first = Steps(source, tmp_path, step).run(progress=False)
    vectors, asked = column(first, "vector"), server.calls
    again = Steps(source, tmp_path, step, (Louder(), {})).run(progress=False)
    assert (asked > 0, server.calls, again.counts["calls"]) == (True, asked, 0)
    assert column(again, "vector") == vectors


def test_stages_of_earlier_runs_are_deleted(tmp_path: Path, server: FaultyServer) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(5))
    three(source, tmp_path, server).preview(2)
    first = three(source, tmp_path, server).run(progress=False)
    assert sorted(f.name for f in (tmp_path / "p/stages").iterdir()) == first.summary["stages"]
    second = three(source, tmp_path, server, second=Shouting).run(progress=False)
    assert sorted(f.name for f in (tmp_path / "p/stages").iterdir()) == second.summary["stages"]
    assert second.summary["stages"][:2] == first.summary["stages"][:2]


def test_keeping_steps_later_makes_them_without_calls(tmp_path: Path, server: FaultyServer) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(5))
    pipeline = three(source, tmp_path, server)
    pipeline.run(progress=False)
    server.reset()
    run = pipeline.run(progress=False, keep_steps=True)
    assert sorted(f.name for f in tmp_path.glob("p_step*")) == [f"p_step{i}.jsonl" for i in (1, 2, 3, 4)]
    assert (server.calls, run.counts["calls"]) == (0, 0)
    assert all(reused(pipeline.run(progress=False, keep_steps=True)))
    assert all(reused(pipeline.run(progress=False)))


def test_resuming_starts_from_the_table_of_a_step(tmp_path: Path, server: FaultyServer) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(5))
    pipeline = three(source, tmp_path, server)
    with pytest.raises(StorageError, match=r"resume_step=2 starts from .*p_step2\.jsonl is not there"):
        pipeline.run(resume_step=2, progress=False)
    pipeline.run(progress=False, keep_steps=True)
    lines(tmp_path / "p_step2.jsonl", [{"text": "by hand", "first": "edited"}])
    run = pipeline.run(resume_step=2, progress=False)
    assert [s["step"] for s in run.summary["steps"]] == [3, 4]
    assert run.records == [{"text": "by hand", "first": "edited", "second": "echo of What of edited?"}]


def test_a_free_form_operator_is_run_again_only_when_it_changed(tmp_path: Path) -> None:
    source = lines(tmp_path / "in.jsonl", ["a b", "c"])
    steps = [(Words(), {}), (Backwards(), {"input_key": "word"}), (Louder(), {"input_key": "word"})]
    Steps(source, tmp_path, *steps).run(progress=False)
    steps[2] = (Louder(mark="?"), {"input_key": "word"})
    run = Steps(source, tmp_path, *steps).run(progress=False)
    assert (reused(run), column(run, "loud")) == ([True, True, False], ["c?", "b?", "a?"])
    steps[1] = (Backwards(), {"input_key": "word", "output_key": "length"})
    assert reused(Steps(source, tmp_path, *steps).run(progress=False)) == [True, False, False]


def test_the_account_of_what_is_used_again_is_kept(tmp_path: Path, server: FaultyServer) -> None:
    source = lines(tmp_path / "in.jsonl", [*numbers(8), "cannot"])
    pipeline = Steps(source, tmp_path, (Louder(), {}), (NotEnding(), {}), (FirstOfEach(), {}))
    first, again = pipeline.run(progress=False), pipeline.run(progress=False)
    keep = ("rows_in", "rows_out", "dropped", "failed", "errors", "samples", "metrics")
    for one, other in zip(first.summary["steps"], again.summary["steps"], strict=True):
        assert {k: one[k] for k in keep} == {k: other[k] for k in keep}
    assert first.summary["steps"][0]["failed"] == 1
    assert first.summary["steps"][1]["dropped"] == {"ends in 7": 1}


def test_prompts_of_two_operators_are_kept_apart_when_drawn(tmp_path: Path, server: FaultyServer) -> None:
    llm = chat(server, 0.7)
    source = lines(tmp_path / "in.jsonl", numbers(3))
    run = Steps(
        source,
        tmp_path,
        (PromptedGenerator(llm), {"input_key": "text", "output_key": "one"}),
        (PromptedGenerator(llm), {"input_key": "text", "output_key": "two"}),
    ).run(progress=False)
    assert server.calls == run.counts["calls"] == 6


def test_the_report_of_the_run_that_made_the_table_stays(tmp_path: Path) -> None:
    source = lines(tmp_path / "in.jsonl", ["a", "b"])
    pipeline = Steps(source, tmp_path, (Louder(), {}))
    first = pipeline.run(progress=False)
    told = first.report.read_text()
    again = pipeline.run(progress=False)
    assert again.summary["steps"][0]["reused"]
    assert again.report.read_text() == told
