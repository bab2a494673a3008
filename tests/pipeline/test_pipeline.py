"""`PipelineABC`: what compile, plan, preview, run, forward and draw_graph give their caller."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dataflow.core import Dataset, Filter, In, OperatorABC
from dataflow.core.errors import DataFlowError, StorageError
from dataflow.operators.core_text import EmbeddingGenerator, PromptedFilter, PromptedGenerator
from dataflow.pipeline import BatchedPipelineABC, PipelineABC, StreamBatchedPipelineABC
from dataflow.pipeline.compiled import storages_of
from dataflow.plan.estimate import StepEstimate
from dataflow.runtime.runs import Run
from dataflow.serving import APILLMServing
from dataflow.storage import FileStorage, LazyFileStorage
from dataflow.testing.server import FaultyServer


class Odd(Filter):
    """Keep texts that end in an odd digit."""

    input_key = In("text")

    def keep(self, text: str) -> bool:
        return int(text[-1]) % 2 == 1


class All(Dataset):
    """Keep every row."""

    input_key = In("text")

    def select(self, texts: list[str]) -> range:
        return range(len(texts))


class Free(OperatorABC):
    """Copy the table."""

    def run(self, storage: Any, input_key: str = "text", output_key: str = "copy") -> str:
        frame = storage.read("dataframe")
        frame[output_key] = frame[input_key]
        storage.write(frame)
        return output_key


class Solve(PipelineABC):
    """Ask, keep, look at all, and copy."""

    def __init__(self, source: Path, cache: Path, llm: Any, storage: type[FileStorage] = FileStorage) -> None:
        super().__init__()
        self.storage = storage(
            str(source), cache_path=str(cache), file_name_prefix="solve", cache_type="jsonl"
        )
        self.answer = PromptedGenerator(llm, system_prompt="Solve.")
        self.odd = Odd()
        self.every = All()
        self.free = Free()
        self.judge = PromptedFilter(llm, min_score=1)

    def forward(self) -> None:
        self.answer.run(self.storage.step(), input_key="text", output_key="answer")
        self.odd.run(self.storage.step())
        self.every.run(self.storage.step())
        self.free.run(self.storage.step())
        self.judge.run(self.storage.step(), input_key="answer", output_key="score")


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer(reply="3") as running:
        yield running


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps({"text": f"text {i}"}) + "\n" for i in range(20)))
    return path


@pytest.fixture
def solve(source: Path, tmp_path: Path, server: FaultyServer) -> Solve:
    llm = APILLMServing(server.url, model_name="m", max_workers=4, price=(1.0, 2.0))
    return Solve(source, tmp_path / "cache", llm)


def test_compiling_runs_nothing_and_writes_nothing(
    solve: Solve, server: FaultyServer, tmp_path: Path
) -> None:
    assert not solve.compiled
    plan = solve.compile()
    assert solve.compiled
    assert str(solve.compile()) == str(plan)
    assert server.calls == 0
    assert not (tmp_path / "cache").exists()
    assert [type(v) for v in storages_of(solve).values()] == [FileStorage]
    assert solve.storage.operator_step == -1


def test_a_plan_explains_itself(solve: Solve, source: Path, tmp_path: Path) -> None:
    assert str(solve.plan()).splitlines() == [
        "Solve",
        f"  source   {source}: 20 rows  (text: text)",
        "  stage 1  rows stream through, model calls overlap",
        "     2  Odd                          text -> -",
        "     1  PromptedGenerator            text -> answer   [calls a model for 20]",
        "  stage 2  needs the whole table",
        "     3  All                          text -> -",
        "  stage 3  needs the whole table",
        "     4  Free                         text -> copy",
        "  stage 4  rows stream through, model calls overlap",
        "     5  PromptedFilter               answer -> score   [calls a model for each row]",
        "  rewrite  step 2 Odd runs before step 1 PromptedGenerator: fewer rows to ask about",
        "  rewrite  step 5 does not use text, copy: kept aside until the rows are through",
        f"  output   {tmp_path}/cache/solve_step5.jsonl  (text: text, answer: text, copy: json, score: int)",
        "  calls, tokens, cost and time: preview a few rows to have them estimated",
    ]


def test_a_plan_is_data(solve: Solve, tmp_path: Path) -> None:
    plan = json.loads(json.dumps(solve.plan().to_dict()))
    (flow,) = plan["flows"]
    assert (plan["pipeline"], plan["estimate"]) == ("Solve", {})
    assert flow["source"]["columns"] == {"text": "text"}
    assert [(s["number"], s["streams"]) for s in flow["stages"]] == [
        (1, True),
        (2, False),
        (3, False),
        (4, True),
    ]
    assert flow["stages"][2]["steps"][0] == {
        "step": 4, "operator": "Free", "kind": "free form", "stage": 3,
        "inputs": [3], "reads": {"input_key": "text"}, "writes": {"output_key": "copy"},
    }  # fmt: skip
    assert flow["output"]["path"] == str(tmp_path / "cache/solve_step5.jsonl")
    assert len({s["fingerprint"] for s in flow["stages"]}) == 4


def test_a_preview_lets_the_plan_expect(solve: Solve, server: FaultyServer) -> None:
    assert isinstance(solve.preview(10), Run)
    plan = solve.plan()
    assert plan.estimate is not None
    seen = {
        k: (e.rows_in.expected, e.rows_out.expected, e.calls.expected) for k, e in plan.estimate.steps.items()
    }
    assert seen == {
        1: (10, 10, 10), 2: (20, 10, 0), 3: (10, 10, 0), 4: (10, 10, 0), 5: (10, 10, 10),
    }  # fmt: skip
    told = str(plan)
    assert "[10 -> 10 rows, 10 calls, $0.0" in told
    assert "  expected 20 calls, " in told
    run = solve.run(progress=False)
    assert (
        plan.estimate.steps[1].prompt_tokens.expected
        == run.summary["steps"][0]["prompt_tokens"] + run.summary["steps"][0]["saved_prompt_tokens"]
    )
    assert plan.estimate.cost.expected > 0


def test_an_estimate_of_other_steps_is_no_estimate(solve: Solve) -> None:
    solve.preview(4)
    solve.every, solve.odd = solve.odd, solve.every  # type: ignore[assignment]
    assert solve.plan().estimate is None


def test_a_preview_of_replies_in_the_journal_expects_their_price_too(solve: Solve) -> None:
    solve.preview(10)
    first = _estimate(solve)
    solve.odd = Odd()
    solve.run(progress=False)
    solve.preview(4)
    again = _estimate(solve)
    assert again.calls.expected == first.calls.expected
    assert again.cost.expected == pytest.approx(first.cost.expected, rel=0.2)


def _estimate(pipeline: Solve) -> StepEstimate:
    estimate = pipeline.plan().estimate
    assert estimate is not None
    return estimate.steps[1]


def test_forward_is_eager_until_compiled(solve: Solve, server: FaultyServer, tmp_path: Path) -> None:
    assert solve.forward() is None
    assert [f.name for f in sorted((tmp_path / "cache").glob("*.jsonl"))] == [
        f"solve_step{i}.jsonl" for i in range(1, 6)
    ]
    calls = server.calls
    solve.storage.reset()
    solve.compile()
    run = solve.forward()
    assert isinstance(run, Run)
    assert run.rows == 10
    assert server.calls == calls  # the journal is that of the eager run
    assert run.counts["cached"] > 0


def test_a_compiled_pipeline_that_ran_eagerly_before_starts_at_the_source(solve: Solve) -> None:
    """Compiling looks at the storage's source, whatever step eager mode has come to."""
    solve.forward()
    assert solve.storage.operator_step == 4
    assert solve.run(progress=False).rows == 10


@pytest.mark.parametrize("kind", [BatchedPipelineABC, StreamBatchedPipelineABC])
def test_batched_pipelines_are_pipelines(source: Path, tmp_path: Path, kind: type[PipelineABC]) -> None:
    class Few(kind):  # type: ignore[misc, valid-type]
        def __init__(self) -> None:
            self.storage = FileStorage(str(source), cache_path=str(tmp_path / "c"), file_name_prefix="b")
            self.odd = Odd()

        def forward(self) -> None:
            self.odd.run(self.storage.step())

    few = Few()
    assert not few.compiled
    few.compile()
    assert few.forward(batch_size=3, resume_from_last=False).rows == 10
    with pytest.raises(StorageError, match="resume_step=3"):
        few.forward(resume_step=3)


def test_resuming_beyond_the_end_has_nothing_to_run(solve: Solve) -> None:
    solve.run(progress=False, keep_steps=True)
    with pytest.raises(DataFlowError, match="runs no operator"):
        solve.run(resume_step=5, progress=False)
    told = solve.run(resume_step=4, progress=False)
    assert [s["step"] for s in told.summary["steps"]] == [5]


def test_a_graph_is_a_file_and_no_server(
    solve: Solve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = set(threading.enumerate())
    page = solve.draw_graph(tmp_path / "graph.html")
    assert "PromptedGenerator" in page.read_text(encoding="utf-8")
    assert solve.draw_graph(tmp_path / "graph.svg").read_text(encoding="utf-8").lstrip().startswith("<svg")
    assert solve.draw_graph(port=0, hide_no_changed_keys=True) == Path("pipeline.html")
    assert set(threading.enumerate()) == before


def test_the_old_attributes(solve: Solve) -> None:
    assert solve.final_keys == ["text", "answer", "copy", "score"]
    assert solve.llm_serving_list == [solve.answer.llm_serving, None, None, None, solve.judge.llm_serving]
    nodes = solve.op_nodes_list
    assert [n.op_obj for n in nodes] == [
        None,
        solve.answer,
        solve.odd,
        solve.every,
        solve.free,
        solve.judge,
        None,
    ]
    assert (nodes[4].input_keys, nodes[4].output_keys) == (["text"], ["copy"])


def test_a_loop_over_operators_compiles(source: Path, tmp_path: Path) -> None:
    """Also where operators lie in a list, and where one is used twice."""

    class Looped(PipelineABC):
        def __init__(self) -> None:
            super().__init__()
            self.storage = FileStorage(str(source), cache_path=str(tmp_path / "c"), file_name_prefix="l")
            self.operators = [Odd(), All(), Odd()]

        def forward(self) -> None:
            for operator in [*self.operators, self.operators[0]]:
                operator.run(self.storage.step())

    run = Looped().run(progress=False)
    assert [s["operator"] for s in run.summary["steps"]] == ["Odd", "All", "Odd", "Odd"]
    assert run.rows == 10


def test_any_object_with_storages_and_a_forward_of_its_own_class(source: Path, tmp_path: Path) -> None:
    """`super().__init__()` may be left out, as old scripts do."""

    class Bare(PipelineABC):
        def __init__(self) -> None:
            self.storage = FileStorage(str(source), cache_path=str(tmp_path / "c"), file_name_prefix="b")

        def forward(self) -> None:
            Odd().run(self.storage.step())

    bare = Bare()
    assert not bare.compiled
    assert bare.preview(4).rows == 2
    assert bare.run(progress=False).rows == 10


def test_a_lazy_storage_compiles_too(source: Path, tmp_path: Path, server: FaultyServer) -> None:
    llm = APILLMServing(server.url, model_name="m")
    run = Solve(source, tmp_path / "lazy", llm, LazyFileStorage).run(progress=False)
    assert run.rows == 10
    assert run.path is not None
    assert run.path.exists()


def test_vectors_stay_vectors(source: Path, tmp_path: Path, server: FaultyServer) -> None:
    class Embeds(PipelineABC):
        def __init__(self) -> None:
            super().__init__()
            self.storage = FileStorage(str(source), cache_path=str(tmp_path / "c"), cache_type="parquet")
            self.embed = EmbeddingGenerator(APILLMServing(server.url, model_name="m"))

        def forward(self) -> None:
            self.embed.run(self.storage.step(), input_key="text", output_key="vector")

    run = Embeds().run(progress=False)
    assert run.table.schema["vector"] == pl.List(pl.Float32)
    assert run.path is not None
    assert pl.read_parquet(run.path).schema["vector"] == pl.List(pl.Float32)


def test_a_run_of_rows_that_change_while_it_compiles_sees_them(solve: Solve, source: Path) -> None:
    solve.compile()
    source.write_text('{"text": "text 1"}\n{"text": "text 3"}\n')
    assert solve.forward().rows == 2
