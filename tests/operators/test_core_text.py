"""The operators of core_text: their cases, their promises, and the faults that they must not have."""

from __future__ import annotations

import importlib
import json
from typing import Any

import core_text_cases
import pytest
from core_text_cases import CASES, TRUE, Likelihoods, graded, hop, qa_server

from dataflow.core.operator import Operator, OperatorABC
from dataflow.core.prompt import DIYPromptABC
from dataflow.operators.core_text.bench_answer import BenchAnswerGenerator
from dataflow.operators.core_text.bench_dataset import BenchDatasetEvaluator, BenchDatasetEvaluatorQuestion
from dataflow.operators.core_text.chunked import ChunkedPromptedGenerator
from dataflow.operators.core_text.embedding import EmbeddingGenerator
from dataflow.operators.core_text.format_str import FormatStrPromptedGenerator
from dataflow.operators.core_text.k_center import KCenterGreedyFilter
from dataflow.operators.core_text.multi_hop import Text2MultiHopQAGenerator
from dataflow.operators.core_text.near_duplicates import EmbeddingDeduplicateFilter
from dataflow.operators.core_text.passages import (
    GroundedAnswerSampleEvaluator,
    PassageQAGenerator,
)
from dataflow.operators.core_text.prompted import (
    PromptedEvaluator,
    PromptedFilter,
    PromptedGenerator,
    PromptedRefiner,
)
from dataflow.operators.core_text.random_domain import RandomDomainKnowledgeRowGenerator
from dataflow.operators.core_text.retrieval import RetrievalGenerator
from dataflow.operators.core_text.text2qa import Text2QAGenerator, Text2QASampleEvaluator
from dataflow.operators.core_text.unified_bench import UnifiedBenchDatasetEvaluator
from dataflow.prompts.core_text import FormatStrPrompt
from dataflow.testing import Case, ScriptedServing, check_operator

Rows = list[dict[str, Any]]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_case(case: Case) -> None:
    case.check()


def test_every_operator_has_a_case() -> None:
    package = importlib.import_module("dataflow.operators.core_text")
    named = [n for n in package.__all__ if issubclass(getattr(package, n), OperatorABC)]
    without = sorted(set(named) - {c.name for c in CASES})
    assert not without, f"add cases of {', '.join(without)} to core_text_cases.py"


LLM = ScriptedServing("3")
KEPT: list[tuple[Operator, dict[str, Any]]] = [
    (PromptedGenerator(LLM), {}),
    (PromptedRefiner(LLM), {}),
    (PromptedEvaluator(LLM), {}),
    (PromptedFilter(LLM, min_score=2), {}),
    (FormatStrPromptedGenerator(LLM), {"input_text": "t"}),
    (ChunkedPromptedGenerator(LLM), {"input_path_key": "path", "output_path_key": "out"}),
    (RandomDomainKnowledgeRowGenerator(ScriptedServing('{"instruction": "a", "output": "b"}'), 3, "law"), {}),
    (Text2QAGenerator(ScriptedServing(by=qa_server)), {"input_question_num": 2}),
    (Text2QASampleEvaluator(ScriptedServing(graded(3))), {}),
    (Text2MultiHopQAGenerator(ScriptedServing(json.dumps(hop("?")))), {}),
    (EmbeddingGenerator(LLM), {}),
    (RetrievalGenerator(LLM), {}),
    (KCenterGreedyFilter(4, LLM), {}),
    (BenchAnswerGenerator(llm_serving=LLM), {"input_question_key": "q"}),
    (BenchAnswerGenerator("key3_q_choices_a"), {"input_question_key": "q", "input_choices_key": "c"}),
    (BenchDatasetEvaluator(), {}),
    (BenchDatasetEvaluator(None, "semantic", llm_serving=ScriptedServing(TRUE)), {}),
    (BenchDatasetEvaluatorQuestion(), {"input_question_key": "q"}),
    (
        BenchDatasetEvaluatorQuestion(None, "semantic", llm_serving=LLM, support_subquestions=True),
        {"input_question_key": "q"},
    ),
    (UnifiedBenchDatasetEvaluator(), {"input_target_key": "t"}),
    (UnifiedBenchDatasetEvaluator(None, "key1_text_score"), {"input_text_key": "t"}),
    (UnifiedBenchDatasetEvaluator(None, "key2_q_ma"), {"input_targets_key": "t"}),
    (
        UnifiedBenchDatasetEvaluator(None, "key3_q_choices_a"),
        {"input_question_key": "q", "input_choices_key": "c", "input_label_key": "l"},
    ),
    (
        UnifiedBenchDatasetEvaluator(None, "key3_q_choices_as"),
        {"input_choices_key": "c", "input_labels_key": "l"},
    ),
    (
        UnifiedBenchDatasetEvaluator(None, "key3_q_a_rejected", Likelihoods()),
        {"input_question_key": "q", "input_better_key": "b", "input_rejected_key": "r"},
    ),
    (PassageQAGenerator(ScriptedServing('{"question": "Who?", "answer": "He."}')), {}),
    (GroundedAnswerSampleEvaluator(LLM), {}),
    (EmbeddingDeduplicateFilter(LLM), {}),
]


def first_cases() -> list[tuple[Operator, dict[str, Any]]]:
    """Of every operator that is not listed above, the one in its first case."""
    listed = {type(op) for op, _ in KEPT}
    first = {type(c.op): (c.op, dict(c.keys)) for c in reversed(CASES) if isinstance(c.op, Operator)}
    return [made for cls, made in first.items() if cls not in listed]


@pytest.mark.parametrize(
    ("op", "keys"), KEPT + first_cases(), ids=lambda v: type(v).__name__ if isinstance(v, Operator) else ""
)
def test_promises(op: Operator, keys: dict[str, Any]) -> None:
    check_operator(op, **keys)


class Shout(DIYPromptABC):
    def build_prompt(self, **fields: Any) -> str:
        return f"{fields.get('input_text') or fields.get('question')}!"


# Prompts


@pytest.mark.parametrize(
    ("cls", "settings"),
    [
        (FormatStrPromptedGenerator, {"llm_serving": LLM}),
        (RandomDomainKnowledgeRowGenerator, {"llm_serving": LLM, "generation_num": 1, "domain_keys": "law"}),
        (Text2MultiHopQAGenerator, {"llm_serving": LLM}),
        (BenchAnswerGenerator, {}),
        (BenchDatasetEvaluator, {}),
        (BenchDatasetEvaluatorQuestion, {}),
        (UnifiedBenchDatasetEvaluator, {}),
    ],
)
def test_prompts_are_restricted_and_none_is_the_default(
    cls: type[Operator], settings: dict[str, Any]
) -> None:
    cls(**settings)
    cls(**settings, prompt_template=None)
    cls(**settings, prompt_template=Shout())
    for wrong in (cls, FormatStrPrompt, core_text_cases.Vectors()):
        with pytest.raises(TypeError, match="Invalid prompt_template"):
            cls(**settings, prompt_template=wrong)


def test_the_grading_operators_name_their_prompts() -> None:
    assert Text2QASampleEvaluator.ALLOWED_PROMPTS[0].__name__ == "Text2QAQuestionQualityPrompt"
    assert len(Text2QAGenerator.ALLOWED_PROMPTS) == 2


# Settings by position


def test_settings_may_be_given_by_position() -> None:
    assert BenchAnswerGenerator("key2_q_ma", LLM, None, "told", True, True).allow_overwrite
    assert BenchDatasetEvaluator("a.json", "semantic", "told", LLM).llm_serving is LLM
    assert (
        UnifiedBenchDatasetEvaluator("a.json", "key2_qa", LLM, None, "told", "math_verify").system_prompt
        == "told"
    )
    assert KCenterGreedyFilter(2, LLM).num_samples == 2
    assert ChunkedPromptedGenerator(LLM, "told", None, 10, None, "--").separator == "--"
    assert FormatStrPromptedGenerator(LLM, "told", FormatStrPrompt("{a}")).prompt.slots == ("a",)
    assert Text2MultiHopQAGenerator(LLM, 1, "zh", None, 2).num_q == 2
