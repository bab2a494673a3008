"""The operators of core_text inside compiled pipelines, as published pipelines call them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from core_text_cases import graded, qa_server

from dataflow.core.errors import CompileError
from dataflow.operators.core_text.bench_answer import BenchAnswerGenerator
from dataflow.operators.core_text.format_str import FormatStrPromptedGenerator
from dataflow.operators.core_text.free_form import GeneralFilter, PandasOperator
from dataflow.operators.core_text.k_center import KCenterGreedyFilter
from dataflow.operators.core_text.random_domain import RandomDomainKnowledgeRowGenerator
from dataflow.operators.core_text.retrieval import RetrievalGenerator
from dataflow.operators.core_text.score import ScoreFilter
from dataflow.operators.core_text.text2qa import Text2QAGenerator, Text2QASampleEvaluator
from dataflow.operators.core_text.unified_bench import UnifiedBenchDatasetEvaluator
from dataflow.pipeline import PipelineABC
from dataflow.prompts.core_text import FormatStrPrompt
from dataflow.storage import FileStorage
from dataflow.testing import ScriptedServing

Rows = list[dict[str, Any]]


class Chain(PipelineABC):
    """A pipeline of operators with their keys."""

    def __init__(self, folder: Path, rows: Rows | None, *steps: tuple[Any, dict[str, Any]]) -> None:
        super().__init__()
        source = folder / "rows.jsonl"
        if rows is not None:
            source.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
        self.storage = FileStorage(
            "" if rows is None else str(source), str(folder / "cache"), "step", "jsonl"
        )
        self.ops = [op for op, _ in steps]
        self.keys = [keys for _, keys in steps]

    def forward(self) -> None:
        for op, keys in zip(self.ops, self.keys, strict=True):
            op.run(self.storage.step(), **keys)


def last(folder: Path, steps: int) -> Rows:
    text = (folder / "cache" / f"step_step{steps}.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def both_ways(folder: Path, rows: Rows | None, *steps: tuple[Any, dict[str, Any]]) -> Rows:
    """The last table of a chain, which must be the same eagerly and compiled."""
    made = []
    for way in ("eager", "compiled"):
        (folder / way).mkdir()
        chain = Chain(folder / way, rows, *steps)
        if way == "compiled":
            chain.compile()
            chain.run()
        else:
            chain.forward()
        made.append(last(folder / way, len(steps)))
    assert made[0] == made[1]
    return made[0]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_texts_become_graded_questions(tmp_path: Path) -> None:
    llm = ScriptedServing(by=lambda p: qa_server(p) if "<question>" not in p else graded(4))
    made = both_ways(
        tmp_path,
        [{"text": f"text {i}"} for i in range(8)],
        (KCenterGreedyFilter(5, ScriptedServing()), {"input_key": "text"}),
        (Text2QAGenerator(llm), {"input_key": "text", "input_question_num": 3}),
        (Text2QASampleEvaluator(llm), {}),
        (ScoreFilter(min_score=4), {"input_key": "downstream_value_grades"}),
    )
    assert len(made) == 10
    assert {r["downstream_value_grades"] for r in made} == {4.0}


def test_a_benchmark_is_answered_and_scored(tmp_path: Path) -> None:
    rows: Rows = [{"question": f"{i}+1?", "golden_label": str(i + 1)} for i in range(4)]
    made = both_ways(
        tmp_path,
        rows,
        (
            BenchAnswerGenerator(
                "key2_qa", ScriptedServing("The answer is 2"), FormatStrPrompt("Q: {question}")
            ),
            {"input_question_key": "question", "input_target_key": "golden_label"},
        ),
        (
            UnifiedBenchDatasetEvaluator("deep/stats.json"),
            {"input_question_key": "question", "input_target_key": "golden_label"},
        ),
    )
    assert [r["eval_score"] for r in made] == [0.0, 1.0, 0.0, 0.0]
    assert json.loads(Path("deep/stats.json").read_text("utf-8"))[0]["accuracy"] == 0.25


def test_free_forms_sit_between_model_operators(tmp_path: Path) -> None:
    made = both_ways(
        tmp_path,
        [{"doc_content": d, "n": n} for d, n in [("rivers", 1), ("hills", None), ("towns", 3)]],
        (GeneralFilter([lambda df: df["n"] > 0, pl.col("n") < 9]), {}),
        (
            FormatStrPromptedGenerator(
                ScriptedServing(by=str.upper), prompt_template=FormatStrPrompt("{n} {input_doc}")
            ),
            {"n": "n", "input_doc": "doc_content", "output_key": "shout"},
        ),
        (PandasOperator([lambda df: df.assign(long=df["shout"].str.len())]), {}),
        (RetrievalGenerator(ScriptedServing("found")), {"input_key": "shout", "output_key": "docs"}),
    )
    assert [(r["n"], r["shout"], r["long"], r["docs"]) for r in made] == [
        (1, "1 RIVERS", 8, "found"),
        (3, "3 TOWNS", 7, "found"),
    ]


def test_rows_are_made_from_nothing(tmp_path: Path) -> None:
    reply = '{"instruction":"a","input":"","output":"b","domain":"law"}'
    op = RandomDomainKnowledgeRowGenerator(ScriptedServing(reply), 3, "law")
    assert both_ways(tmp_path, None, (op, {})) == [{"generated_content": reply}] * 3


def test_all_mistakes_are_found_before_anything_runs(tmp_path: Path) -> None:
    llm = ScriptedServing("x")
    chain = Chain(
        tmp_path,
        [{"question": "a"}],
        (
            FormatStrPromptedGenerator(llm, prompt_template=FormatStrPrompt("{question} {hint}")),
            {"question": "question"},
        ),
        (UnifiedBenchDatasetEvaluator(), {"input_target_key": "golden"}),
        (KCenterGreedyFilter(2), {"input_key": "question"}),
    )
    with pytest.raises(CompileError) as caught:
        chain.compile()
    text = str(caught.value)
    assert all(word in text for word in ("{hint}", "input_target_key='golden'", "embedding_serving"))
    assert not llm.prompts
