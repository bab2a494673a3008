"""The operators that take out and check final answers: their cases, their promises, and why rows are dropped."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from reasoning_checking_cases import CASES, OTHER_ROWS

from dataflow.core.errors import MissingDependency
from dataflow.core.prompt import DIYPromptABC
from dataflow.operators.reasoning.extraction import ReasoningAnswerExtractionQwenMathEvalGenerator
from dataflow.operators.reasoning.formatter import ReasoningAnswerFormatterFilter
from dataflow.operators.reasoning.ground_truth import ReasoningAnswerGroundTruthFilter
from dataflow.operators.reasoning.pipeline_root import ReasoningAnswerPipelineRootFilter
from dataflow.operators.reasoning.pseudo_answers import ReasoningPseudoAnswerGenerator, Vote, vote
from dataflow.prompts.reasoning.general import GeneralAnswerGeneratorPrompt
from dataflow.testing import Case, ScriptedServing, check_operator
from dataflow.testing.cases import run_rows
from dataflow.utils.reasoning.AnswerExtraction import AnswerExtractor, StringCleaner, UnitTextManager


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_case(case: Case) -> None:
    case.check()


@pytest.mark.parametrize(
    "op",
    [
        ReasoningAnswerExtractionQwenMathEvalGenerator(),
        ReasoningAnswerFormatterFilter(),
        ReasoningAnswerGroundTruthFilter(),
        ReasoningAnswerGroundTruthFilter("exact", keep_without_ground_truth=True),
        ReasoningAnswerPipelineRootFilter(),
        ReasoningPseudoAnswerGenerator(ScriptedServing(r"\boxed{3}")),
    ],
    ids=lambda op: type(op).__name__,
)
def test_promises(op: Any) -> None:
    check_operator(op)


def test_a_row_is_dropped_with_the_reason() -> None:
    done = run_rows(ReasoningAnswerGroundTruthFilter(timeout_s=1), OTHER_ROWS)
    assert done.dropped["reason"].to_list() == [
        r"different: 2\pi and 2",
        "different: a+b and b",
        "different: A and B",
        "different: 1 and 2",
        "unreadable: prose",
        r"unreadable: no expression: \frac{1}{}",
        "timeout: more than 1 s",
        "no answer",
        "null",
        "no ground truth",
        "no ground truth",
    ]


def test_a_solution_without_a_good_box_is_dropped_with_the_reason() -> None:
    rows = [{"generated_cot": t} for t in ("4", r"\boxed{}", r"\boxed{4")]
    done = run_rows(ReasoningAnswerFormatterFilter(), rows)
    assert done.dropped["reason"].to_list() == ["no box", "empty box", "unclosed box"]


@pytest.mark.parametrize(
    ("answers", "won"),
    [
        (["1/2", "0.5", "3"], Vote((0, 1), 2 / 3, False)),
        (["3", "4", "4"], Vote((1, 2), 2 / 3, False)),
        (["3", "4"], Vote((0,), 1 / 2, True)),
        (["x+1", None, "1+x", "y"], Vote((0, 2), 1 / 2, False)),
        ([None, "", None], Vote((1,), 1 / 3, False)),
        ([None, None], None),
        ([], None),
    ],
)
def test_vote(answers: list[str | None], won: Vote | None) -> None:
    assert vote(answers) == won


def test_each_solution_is_asked_for_with_the_answer_prompt() -> None:
    serving = ScriptedServing(r"\boxed{3}")
    run_rows(ReasoningPseudoAnswerGenerator(serving, 5), [{"instruction": "What is 1+2?"}])
    assert len(serving.prompts) == 5
    assert all("What is 1+2?" in p and p != "What is 1+2?" for p in serving.prompts)


class Own(DIYPromptABC):
    def build_prompt(self, question: str) -> str:
        return f"Solve {question}"


@pytest.mark.parametrize(("prompt", "begins"), [(Own(), "Solve 1+2"), (GeneralAnswerGeneratorPrompt(), "<")])
def test_other_prompts_can_be_given(prompt: Any, begins: str) -> None:
    serving = ScriptedServing(r"\boxed{3}")
    run_rows(ReasoningPseudoAnswerGenerator(serving, 1, prompt), [{"instruction": "1+2"}])
    assert serving.prompts[0].startswith(begins)


def test_without_math_verify_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "math_verify", None)
    easy, hard = ({"generated_cot": "1", "golden_answer": g} for g in ("1.0", r"\sin^2 x + \cos^2 x"))
    assert run_rows(ReasoningAnswerGroundTruthFilter(), [easy]).frame.height == 1
    with pytest.raises(MissingDependency, match=r"dataflow-llm\[math\]"):
        run_rows(ReasoningAnswerGroundTruthFilter(), [hard | {"generated_cot": r"\boxed{1+\sin x}"}])


def test_the_names_of_old_scripts() -> None:
    extractor = AnswerExtractor(StringCleaner(UnitTextManager()))
    assert extractor.extract_answer(r"so \boxed{5\text{ cm}}", "math") == "5"
    assert extractor.extract_answer(r"so \boxed{5 cm}", "minerva_math") == "5 cm"
    assert extractor.extract_answer("3 of 4", None, use_last_number=False) == ""
    assert extractor.extract_answer(None, "math") == ""
    assert [extractor.extract_answer(rf"\boxed{{{a}}}", "math") for a in ("a+b", "m", r"\frac{a}{b}")] == [
        "a+b",
        "m",
        r"\frac{a}{b}",
    ]
