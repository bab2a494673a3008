"""What comes out of a compiled run: the rows in their order, with their types, as eager mode leaves them."""

from __future__ import annotations

import random
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
    chat,
    column,
    echo,
    lines,
    numbers,
)

from dataflow.core.abc import LLMServingABC
from dataflow.operators.core_text import (
    EmbeddingGenerator,
    GeneralFilter,
    PandasOperator,
    PromptedFilter,
    PromptedGenerator,
    PromptedRefiner,
)
from dataflow.runtime.feeding import MODEL_PART_ROWS
from dataflow.testing import ScriptedServing
from dataflow.testing.server import FaultyServer


def uneven(rng: random.Random) -> float:
    return rng.random() * 0.02


@pytest.fixture(scope="module")
def server() -> Iterator[FaultyServer]:
    with FaultyServer(reply=echo, latency_s=uneven) as running:
        yield running


@pytest.fixture
def llm(server: FaultyServer) -> Any:
    server.reset()
    return chat(server)


def test_order_is_that_of_the_input_whatever_the_latencies(tmp_path: Path, llm: Any) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(300))
    run = Steps(
        source,
        tmp_path,
        (Asks(llm_serving=llm), {"output_key": "first"}),
        (Halves(llm_serving=llm), {"input_text_key": "first"}),
        (Asks(llm_serving=llm), {"input_text_key": "half", "output_key": "second"}),
        (NotEnding(), {}),
    ).run(progress=False)
    texts = [t for t in numbers(300) if not t.endswith("7")]
    assert column(run, "text") == [t for t in texts for _ in range(2)]
    halves = column(run, "half")
    assert all(
        a + b == f"echo of Split echo of What of {t}?."
        for a, b, t in zip(halves[::2], halves[1::2], texts, strict=True)
    )
    assert column(run, "second") == [f"echo of What of {h}?" for h in halves]


def every_kind(llm: Any) -> list[Any]:
    """An operator of every kind, with nulls, failures and drops on the way."""
    return [
        (Louder(), {}),
        (NotEnding(), {}),
        (Asks(llm_serving=llm), {"input_text_key": "loud"}),
        (PromptedRefiner(llm, "Refine."), {"input_key": "answer"}),
        (Words(), {"input_key": "text"}),
        (FirstOfEach(), {"input_key": "word"}),
        (PromptedFilter(llm, min_score=2), {"input_key": "loud", "output_key": "score"}),
        (Ranked(), {"input_key": "word"}),
        (Lengths(), {"input_key": "word"}),
        (EmbeddingGenerator(llm), {"input_key": "word", "output_key": "vector"}),
        (Backwards(), {"input_key": "word"}),
        (GeneralFilter([lambda frame: frame["size"] < 3]), {}),
        (PandasOperator([lambda frame: frame.assign(double=frame["size"] * 2)]), {}),
        (Louder(mark="?"), {"input_key": "word", "output_key": "asked"}),
    ]  # fmt: skip


def mixed(count: int) -> list[dict[str, Any]]:
    texts: list[Any] = [f"{i} w{i % 7}" for i in range(count)]
    texts[3], texts[5], texts[6] = None, "cannot", ""
    return [
        {"id": f"{i:03d}", "text": t, "tags": ["a", str(i)], "at": {"x": i, "y": None}}
        for i, t in enumerate(texts)
    ]


@pytest.mark.parametrize("cache_type", ["jsonl", "parquet", "json", "csv"])
def test_eager_and_compiled_runs_leave_the_same_bytes(tmp_path: Path, llm: Any, cache_type: str) -> None:
    source = lines(tmp_path / "in.jsonl", mixed(40))
    Steps(source, tmp_path / "eager", *every_kind(llm), cache_type=cache_type).forward()
    compiled = Steps(source, tmp_path / "compiled", *every_kind(llm), cache_type=cache_type)
    compiled.compile()
    run = compiled.forward()
    for step in range(1, 15):
        name = f"p_step{step}.{cache_type}"
        assert (tmp_path / "eager" / name).read_bytes() == (tmp_path / "compiled" / name).read_bytes(), name
    assert run.rows > 0
    assert compiled.final_keys == [
        c for c in run.table.columns if c != "double"
    ]  # which only the function knows


def test_a_run_leaves_only_the_last_table_as_a_file(tmp_path: Path, llm: Any) -> None:
    source = lines(tmp_path / "in.jsonl", mixed(10))
    run = Steps(source, tmp_path, *every_kind(llm)).run(progress=False)
    assert sorted(f.name for f in tmp_path.glob("p_step*")) == ["p_step14.jsonl"]
    assert run.path == tmp_path / "p_step14.jsonl"


def test_parts_are_put_together_in_order(tmp_path: Path) -> None:
    count = 2 * MODEL_PART_ROWS + 52
    source = lines(tmp_path / "in.jsonl", numbers(count))
    run = Steps(
        source,
        tmp_path,
        (PromptedGenerator(ScriptedServing(by=str.upper)), {"input_key": "text"}),
        (Ranked(), {}),
        (Words(), {}),
    ).run(progress=False)
    assert run.stages[0].parts() == [0, 1, 2]
    expected = [t for t in sorted(numbers(count)) for _ in range(2)]
    assert column(run, "text") == expected
    assert column(run, "generated_content") == [t.upper() for t in expected]


@pytest.mark.parametrize("count", [1, MODEL_PART_ROWS, MODEL_PART_ROWS + 1])
def test_no_row_is_lost_at_the_edge_of_a_part(tmp_path: Path, count: int) -> None:
    serving = ScriptedServing(by=str.upper)
    source = lines(tmp_path / "in.jsonl", numbers(count))
    run = Steps(source, tmp_path, (PromptedGenerator(serving), {"input_key": "text"})).run(progress=False)
    assert column(run, "text") == numbers(count)
    assert len(serving.requests) == count


@pytest.mark.parametrize("rows", [["ab"], []])
def test_one_row_and_none(tmp_path: Path, llm: Any, rows: list[str]) -> None:
    source = tmp_path / "in.parquet"
    pl.DataFrame({"text": rows}, schema={"text": pl.String}).write_parquet(source)
    steps = every_kind(llm)
    run = Steps(source, tmp_path / "c", *steps).run(progress=False)
    Steps(source, tmp_path / "e", *steps).forward()
    assert (tmp_path / "c/p_step14.jsonl").read_bytes() == (tmp_path / "e/p_step14.jsonl").read_bytes()
    assert column(run, "word") == rows
    assert [s["rows_in"] for s in run.summary["steps"]] == [len(rows)] * 14


def test_an_empty_jsonl_file_has_no_columns(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text("")
    run = Steps(tmp_path / "in.jsonl", tmp_path, (PandasOperator([lambda f: f]), {})).run(progress=False)
    assert run.records == []


def test_a_table_that_becomes_empty_keeps_its_columns(tmp_path: Path, llm: Any, server: FaultyServer) -> None:
    source = lines(tmp_path / "in.jsonl", ["a", "ba"])
    run = Steps(
        source,
        tmp_path,
        (NotEnding(end="a"), {}),
        (Asks(llm_serving=llm), {}),
        (PromptedFilter(llm), {"input_key": "answer", "output_key": "score"}),
        (FirstOfEach(), {}),
        (Backwards(), {}),
        (Louder(), {}),
        cache_type="parquet",
    ).run(progress=False)
    table = pl.read_parquet(tmp_path / "p_step6.parquet")
    assert table.height == run.rows == 0
    assert table.columns == ["text", "answer", "score", "size", "loud"]
    assert table.schema["score"] == pl.Int64
    assert server.calls == 0


def test_an_expand_that_makes_nothing(tmp_path: Path) -> None:
    source = lines(tmp_path / "in.jsonl", ["", " ", "one"])
    run = Steps(source, tmp_path, (Words(), {}), (Louder(), {"input_key": "word"})).run(progress=False)
    assert column(run, "loud") == ["one!"]
    assert run.dropped["reason"].to_list() == ["empty", "empty"]


def test_a_dataset_operator_may_come_first(tmp_path: Path) -> None:
    source = lines(tmp_path / "in.jsonl", ["b", "a", "b", "c", "a"])
    run = Steps(source, tmp_path, (FirstOfEach(), {}), (Louder(), {})).run(progress=False)
    assert column(run, "loud") == ["b!", "a!", "c!"]
    assert run.dropped.rows() == [
        (1, "FirstOfEach", "2", "not selected", "b"),
        (1, "FirstOfEach", "4", "not selected", "a"),
    ]


def test_a_preview_of_a_dataset_operator_sees_the_first_rows_only(tmp_path: Path) -> None:
    source = lines(tmp_path / "in.jsonl", ["b", "a", "b", "c", "a"])
    run = Steps(source, tmp_path, (FirstOfEach(), {}), (Louder(), {})).preview(3)
    assert column(run, "loud") == ["b!", "a!"]


@pytest.mark.parametrize("op", [Ranked(copies=2), Ranked(copies=3, last=5), Ranked(last=2), Ranked(last=0)])
def test_a_dataset_operator_chooses_rows_in_any_order_and_number(tmp_path: Path, op: Ranked) -> None:
    """Rows in order, repeated, come out alike in both modes; so do those in another order."""
    for name, rows in (("sorted", ["a", "b", "c"]), ("mixed", ["c", "a", "b"])):
        source = lines(tmp_path / f"{name}.jsonl", rows)
        eager, compiled = Steps(source, tmp_path / "e", (op, {})), Steps(source, tmp_path / "c", (op, {}))
        eager.forward()
        compiled.run(progress=False)
        assert (tmp_path / "c/p_step1.jsonl").read_text() == (tmp_path / "e/p_step1.jsonl").read_text()


def test_a_source_operator_starts_from_nothing(tmp_path: Path, llm: Any, server: FaultyServer) -> None:
    pipeline = Steps("", tmp_path, (Topics(llm_serving=llm, number=5), {}), (Words(), {"input_key": "topic"}))
    run = pipeline.run(progress=False)
    assert column(run, "topic")[:2] == ["echo of topic number 0"] * 2
    assert len(set(column(run, "topic"))) == 5
    assert set(run.lineage["source_row"]) == {"0", "1", "2", "3", "4"}
    assert server.calls == 5
    assert Steps("", tmp_path, (Topics(llm_serving=llm, number=0), {})).run(progress=False).records == []


def test_a_source_operator_makes_more_rows_than_a_part_holds(tmp_path: Path) -> None:
    serving = ScriptedServing(by=str.upper)
    run = Steps("", tmp_path, (Topics(llm_serving=serving, number=MODEL_PART_ROWS + 3), {})).run(
        progress=False
    )
    assert column(run, "topic") == [f"TOPIC NUMBER {i}" for i in range(MODEL_PART_ROWS + 3)]
    few = Steps("", tmp_path, (Topics(llm_serving=serving, number=9), {})).preview(2)
    assert column(few, "topic") == ["TOPIC NUMBER 0", "TOPIC NUMBER 1"]


MESSY: list[dict[str, Any]] = [
    {"text": "a", "v": 1, "w": {"x": 1}, "z": "007"},
    {"text": "b", "v": "one", "w": [1, "2", None], "z": "2024-01-05"},
    {"text": "c", "v": [1, {"k": None}], "w": None, "z": "1e5"},
    {"text": "d", "v": None, "w": {"x": "y", "more": [[]]}, "z": "nan"},
    {"text": "e", "v": 12345678901234567890123, "w": 1.5, "z": "{braces} \u200d"},
    {"text": "f", "v": True, "w": {}, "z": ""},
]


def test_messy_json_passes_through_unharmed(tmp_path: Path, llm: Any) -> None:
    source = lines(tmp_path / "in.jsonl", MESSY)
    steps = [
        (Louder(), {}),
        (Asks(llm_serving=llm), {"input_text_key": "v"}),
        (FirstOfEach(), {}),
        (NotEnding(end="x"), {}),
    ]
    run = Steps(source, tmp_path / "c", *steps).run(progress=False)
    assert [{k: r[k] for k in MESSY[0]} for r in run.records] == MESSY
    assert column(run, "answer")[:4] == [
        "echo of What of 1?", "echo of What of one?", 'echo of What of [1,{"k":null}]?', None,
    ]  # fmt: skip
    Steps(source, tmp_path / "e", *steps).forward()
    assert (tmp_path / "c/p_step4.jsonl").read_bytes() == (tmp_path / "e/p_step4.jsonl").read_bytes()


class Lists(LLMServingABC):
    """Answers lists of prompts only, as servings of 1.x did."""

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        self._asked: list[tuple[int, str]] = []

    def generate_from_input(
        self, user_inputs: list[str], system_prompt: str = "", **_: Any
    ) -> list[str | None]:  # type: ignore[override]
        self._asked.append((len(user_inputs), system_prompt))
        if self.fault == "raise":
            raise RuntimeError("out of memory")
        if self.fault == "short":
            return ["only one"]
        return [None if "3" in u else u.upper() for u in user_inputs]


def test_a_serving_that_only_answers_lists(tmp_path: Path) -> None:
    serving = Lists()
    source = lines(tmp_path / "in.jsonl", numbers(40))
    steps = [(Asks(llm_serving=serving), {}), (PromptedGenerator(serving, "Then."), {"input_key": "answer"})]
    run = Steps(source, tmp_path, *steps).run(progress=False)
    kept = [t for t in numbers(40) if "3" not in t]
    assert column(run, "generated_content") == [f"WHAT OF {t.upper()}?" for t in kept]
    assert run.failed.height == 40 - len(kept)
    assert [system for _, system in serving._asked] == ["You answer.", "Then."]


@pytest.mark.parametrize(
    ("fault", "error"), [("raise", "Lists: out of memory"), ("short", "1 replies to 3 prompts")]
)
def test_a_list_serving_that_fails_fails_its_rows(tmp_path: Path, fault: str, error: str) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(3))
    run = Steps(source, tmp_path, (Asks(llm_serving=Lists(fault)), {})).run(progress=False)
    assert run.rows == 0
    assert all(error in e for e in run.failed["error"])
    assert run.failed.height == 3
