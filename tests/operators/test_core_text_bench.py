"""The faults that the benchmark operators of core_text must not have."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from core_text_cases import TRUE, Likelihoods, Slow

from dataflow.core.errors import BindError, ConfigError, MissingDependency
from dataflow.core.frames import records
from dataflow.core.operator import Operator
from dataflow.operators.core_text.bench_answer import BenchAnswerGenerator
from dataflow.operators.core_text.bench_dataset import BenchDatasetEvaluator, BenchDatasetEvaluatorQuestion
from dataflow.operators.core_text.unified_bench import UnifiedBenchDatasetEvaluator
from dataflow.prompts.core_text import BenchAnswerPrompt, FormatStrPrompt
from dataflow.prompts.model_evaluation.general import AnswerJudgePrompt, AnswerJudgePromptQuestion
from dataflow.testing import ScriptedServing, run_rows

Rows = list[dict[str, Any]]


# BenchAnswerGenerator


def test_a_template_of_ones_own_gets_what_a_row_has_and_nothing_for_the_rest() -> None:
    llm = ScriptedServing("A")
    template = FormatStrPrompt("{eval_type}|{context}|{question}|{choices}|{choices_text}")
    op = BenchAnswerGenerator("key3_q_choices_as", llm, template)
    keys = {"input_question_key": "q", "input_choices_key": "c", "input_context_key": "x"}
    assert not list(op.check(op.bind(**keys)))
    run_rows(
        op, [{"q": "?", "c": ["a", "b"], "x": None}, {"q": "?", "c": '["a"]', "x": ["l1", "l2"]}], **keys
    )
    assert llm.prompts == [
        'key3_q_choices_as||?|["a","b"]|A. a\nB. b',
        'key3_q_choices_as|l1\nl2|?|["a"]|A. a',
    ]


def test_bench_answers_are_checked_before_anything_runs() -> None:
    op = BenchAnswerGenerator("key3_q_choices_as", prompt_template=FormatStrPrompt("{choice_text}"))
    faults = dict(op.check(op.bind()))
    assert set(faults) == {"llm_serving", "input_question_key", "input_choices_key", "prompt_template"}
    assert not list(BenchAnswerGenerator("key3_q_choices_a").check(op.bind()))


def test_the_built_in_layout_leaves_out_what_is_not_there() -> None:
    prompt = BenchAnswerPrompt("key3_q_choices_a").build_prompt(
        question="{x}?", context="", choices_text="A. 1"
    )
    assert "<context>" not in prompt
    assert "{x}?" in prompt
    assert prompt.endswith("letter only.")


def test_the_multiple_choice_reply_asked_for_is_the_one_the_evaluator_reads() -> None:
    rows: Rows = [{"q": "?", "c": ["x", "y", "z"], "l": ["A", "C"]}]
    keys = {"input_question_key": "q", "input_choices_key": "c"}
    answered = run_rows(
        BenchAnswerGenerator("key3_q_choices_as", ScriptedServing('{"choices": ["A", "C"]}')), rows, **keys
    )
    op = UnifiedBenchDatasetEvaluator("s.json", "key3_q_choices_as")
    done = run_rows(op, records(answered.frame), **keys, input_labels_key="l")
    assert done.frame["eval_score"].to_list() == [1.0]


# The evaluators of whole benchmarks


def statistics(path: str = "s.json") -> dict[str, Any]:
    (record,) = json.loads(Path(path).read_text("utf-8"))
    return dict(record)


def test_accuracy_leaves_out_rows_without_a_reference() -> None:
    rows: Rows = [
        {"generated_cot": a, "golden_answer": r}
        for a, r in [("1", "1"), ("2", "1"), (None, "1"), ("1", None)]
    ]
    done = run_rows(BenchDatasetEvaluator("s.json"), rows)
    assert statistics() == {
        "bench_name_or_prefix": "s", "total_samples": 4, "valid_samples": 3, "matched_samples": 1, "accuracy": 1 / 3,
        "empty_responses_count": 0, "no_reference_count": 1, "compare_method": "match",
    }  # fmt: skip
    assert done.metrics["accuracy"] == 1 / 3
    assert done.frame.columns[1:] == ["generated_cot", "golden_answer", "answer_match_result"]


def test_accuracy_leaves_out_rows_whose_judge_said_nothing() -> None:
    judge = ScriptedServing(TRUE, None, "not true")
    rows: Rows = [{"generated_cot": str(i), "golden_answer": "1"} for i in range(3)]
    run_rows(BenchDatasetEvaluator("deep/er/s.json", "semantic", llm_serving=judge), rows)
    made = statistics("deep/er/s.json")
    assert (made["valid_samples"], made["accuracy"], made["empty_responses_count"]) == (1, 1.0, 2)


def test_statistics_are_written_even_if_nothing_is_valid() -> None:
    run_rows(BenchDatasetEvaluator(), [])
    (path,) = Path("result_bencheval").glob("BenchDatasetEvaluator_result_*.json")
    assert statistics(str(path))["accuracy"] is None


def test_the_judge_sees_the_question_and_is_asked_about_all_rows_at_once() -> None:
    judge = Slow(TRUE)
    rows: Rows = [{"generated_cot": "a", "golden_answer": "b", "question": f"q{i}"} for i in range(6)]
    op = BenchDatasetEvaluatorQuestion("s.json", "semantic", llm_serving=judge)
    run_rows(op, rows, input_question_key="question")
    assert judge.most == 6
    script = ScriptedServing(TRUE)
    own = AnswerJudgePromptQuestion("Q {question} A {answer} R {reference_answer}", "Own role.")
    op = BenchDatasetEvaluatorQuestion("s.json", "semantic", "told", script, own)
    run_rows(op, [*rows[:1], rows[0] | {"question": None}], input_question_key="question")
    assert sorted(script.prompts) == ["Q  A a R b", "Q q0 A a R b"]
    assert script.requests[0].messages[0]["content"] == "Own role."


def test_parts_of_questions_are_counted() -> None:
    judge = ScriptedServing('{"judgement": ["true", "false", "empty"]}', '{"judgement": [true]}', "none")
    rows: Rows = [{"generated_cot": str(i), "golden_answer": "1"} for i in range(3)]
    op = BenchDatasetEvaluatorQuestion("s.json", "semantic", llm_serving=judge, support_subquestions=True)
    done = run_rows(op, rows)
    made = statistics()
    assert (made["total_subquestions"], made["correct_subquestions"]) == (3, 2)
    assert made["subquestion_accuracy"] == pytest.approx(2 / 3)
    assert (made["valid_samples"], made["accuracy"]) == (2, 0.5)
    assert done.frame["response_evaluation"].to_list()[2] == "none"


def test_the_columns_of_parts_are_written_only_with_parts() -> None:
    plain = BenchDatasetEvaluatorQuestion("s.json", support_subquestions=True)
    assert list(plain.bind().writes.values()) == ["answer_match_result"]


@pytest.mark.parametrize(
    "op",
    [
        BenchDatasetEvaluator("s.json", "semantic"),
        UnifiedBenchDatasetEvaluator("s.json", use_semantic_judge=True),
    ],
)
def test_a_judge_needs_a_serving(op: Operator) -> None:
    keys = {"input_target_key": "golden_answer"} if isinstance(op, UnifiedBenchDatasetEvaluator) else {}
    assert [p for p, _ in op.check(op.bind(**keys))] == ["llm_serving"]
    row = {"generated_cot": "a", "generated_ans": "a", "golden_answer": "b"}
    with pytest.raises(ConfigError, match="needs llm_serving"):
        run_rows(op, [row], **keys)


def test_matching_names_the_extra_that_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "math_verify", None)
    rows: Rows = [{"generated_cot": "1+x", "golden_answer": "x+1"}]
    with pytest.raises(MissingDependency, match=r"dataflow-llm\[math\]"):
        run_rows(BenchDatasetEvaluator("s.json"), rows)
    assert (
        run_rows(BenchDatasetEvaluator("s.json"), [{"generated_cot": "1", "golden_answer": "1"}]).frame.height
        == 1
    )


def test_unified_statistics_count_only_rows_that_could_be_graded() -> None:
    rows: Rows = [{"t": t, "generated_ans": a} for t, a in [("1", "1"), ("1", "2"), ("1", None), (None, "1")]]
    run_rows(UnifiedBenchDatasetEvaluator("s.json"), rows, input_target_key="t")
    made = statistics()
    assert (made["total_samples"], made["valid_samples"], made["accuracy"]) == (4, 3, 1 / 3)
    assert made["errors"] == {"empty_prediction": 1, "empty_reference": 1}
    assert (made["eval_type"], made["metric"]) == ("key2_qa", "math_verify")


def test_micro_f1_is_pooled_and_the_mean_of_rows_is_kept_apart() -> None:
    rows: Rows = [
        {"c": ["w", "x", "y", "z"], "l": ["A"], "generated_ans": "A"},
        {"c": ["w", "x", "y", "z"], "l": ["A", "B", "C"], "generated_ans": "D"},
    ]
    op = UnifiedBenchDatasetEvaluator("s.json", "key3_q_choices_as")
    done = run_rows(op, rows, input_choices_key="c", input_labels_key="l")
    made = statistics()
    assert (made["micro_f1_mean"], made["micro_f1"], made["accuracy"]) == (0.5, pytest.approx(1 / 3), 0.5)
    assert records(done.frame)[0]["eval_pred"]["exact_set"] is True


def test_perplexity_is_averaged_and_nothing_else() -> None:
    op = UnifiedBenchDatasetEvaluator("s.json", "key1_text_score", Likelihoods(word=-2.0))
    done = run_rows(op, [{"text": "word word"}, {"text": "word"}], input_text_key="text")
    assert done.frame["eval_score"].to_list() == pytest.approx([2.718281828, 7.389056099])
    assert "accuracy" not in statistics()


def test_length_alone_wins_nothing() -> None:
    op = UnifiedBenchDatasetEvaluator("s.json", "key3_q_choices_a", Likelihoods(no=-4.0, yes=-6.0))
    rows: Rows = [{"q": "?", "c": ["no", "yes by all means"], "l": "B"}]
    keys = {"input_question_key": "q", "input_choices_key": "c", "input_label_key": "l"}
    assert run_rows(op, rows, **keys).frame["eval_score"].to_list() == [1.0]


def test_unified_settings_and_keys_are_checked() -> None:
    with pytest.raises(ConfigError, match="has the metrics math_verify, semantic_judge, not 'ppl'"):
        UnifiedBenchDatasetEvaluator(metric_type="ppl")
    with pytest.raises(BindError, match="needs input_target_key"):
        UnifiedBenchDatasetEvaluator().bind()
    with pytest.raises(ConfigError, match="eval_type"):
        UnifiedBenchDatasetEvaluator(eval_type="key9")


def test_the_judge_of_the_unified_evaluator_may_have_its_own_words() -> None:
    script = ScriptedServing(TRUE)
    own = AnswerJudgePrompt("{answer} or {reference_answer}?")
    op = UnifiedBenchDatasetEvaluator("s.json", "key2_qa", script, own, use_semantic_judge=True)
    run_rows(op, [{"t": "b", "generated_ans": "a"}], input_target_key="t")
    assert script.prompts == ["a or b?"]
