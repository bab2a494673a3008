"""What cases cannot say of the operators of reasoning: categories, metrics, measures."""

from __future__ import annotations

from typing import Any

import pytest
from reasoning_answer_cases import JUDGED, TOKENIZER, judge

from dataflow.core.errors import ConfigError
from dataflow.operators.reasoning import (
    ReasoningAnswerNgramFilter,
    ReasoningAnswerTokenLengthFilter,
    ReasoningCategoryDatasetEvaluator,
    ReasoningDifficultyDatasetEvaluator,
    ReasoningTokenDatasetEvaluator,
)
from dataflow.prompts.reasoning.taxonomy import general_taxonomy, math_taxonomy
from dataflow.testing.cases import run_rows
from dataflow.utils.reasoning.CategoryFuzz import CategoryUtils

# Categories


def test_every_category_means_itself_in_any_spelling() -> None:
    for taxonomy in (math_taxonomy(), general_taxonomy()):
        utils = CategoryUtils(taxonomy)
        for i, (primary, parts) in enumerate(taxonomy.items(), 1):
            for j, part in enumerate(parts, 1):
                for given in (
                    (primary, part),
                    (primary.upper(), part.lower().replace(",", "").replace("-", " ")),
                    (f"{i}. {primary}", f"{i}.{j} {part}"),
                    ("?", f"{i}.{j}"),
                    (str(i), part.replace(" and ", " & ")),
                ):
                    assert utils.normalize_categories(*given) == (primary, part), given


def test_the_numbers_of_categories_go_there_and_back() -> None:
    utils = CategoryUtils()
    names = [(p, s) for p, parts in math_taxonomy().items() for s in parts]
    numbers = [utils.category_hasher(*n) for n in names]
    assert [utils.category_hasher_reverse(n) for n in numbers] == names
    assert (len(names), numbers[0], numbers[-1]) == (27 + 1, 0, 49)
    assert utils.category_hasher("Arithmetic", "Number Theory") == 170
    assert utils.category_hasher_reverse(170) == ("", "")
    assert utils.category_hasher_reverse(7) == ("", "")


@pytest.mark.parametrize("label", ["and", "Chemistry", "History of Art", "x", "math", "", None, "0", "8"])
def test_what_is_no_field_is_none(label: Any) -> None:
    assert CategoryUtils().normalize_categories(label, "") == ("", "")


# Metrics and measures


def test_categories_are_counted() -> None:
    rows = [
        {"primary_category": p, "secondary_category": s}
        for p, s in [
            ("Algebra", "Groups"),
            ("Algebra", "Rings"),
            ("Geometry", "Groups"),
            ("Algebra", None),
            (None, None),
        ]
    ]
    assert run_rows(ReasoningCategoryDatasetEvaluator(), rows).metrics == {
        "primary_counts": {"Algebra": 3, "Geometry": 1, "none": 1},
        "secondary_counts": {"Algebra / Groups": 1, "Algebra / Rings": 1, "Geometry / Groups": 1},
    }


def test_difficulties_are_counted_and_drawn() -> None:
    rows = [{"difficulty_score": s} for s in (2.0, 5.5, 5.5, None, 3.0)]
    done = run_rows(ReasoningDifficultyDatasetEvaluator(), rows)
    assert done.metrics == {
        "difficulty_counts": {"2": 1, "3": 1, "5.5": 2, "none": 1}, "mean": 4.0, "median": 5.5,
    }  # fmt: skip
    assert done.measured is not None
    assert done.measured["measure"].to_list() == [2.0, 5.5, 5.5, 3.0]
    assert run_rows(ReasoningDifficultyDatasetEvaluator(), []).metrics == {"difficulty_counts": {}}


def test_lengths_in_tokens() -> None:
    rows = [
        {"q": q, "a": a}
        for q, a in [("the whale", "the"), ("the the the", None), ("the", ""), ("the.", "the whale.")]
    ]
    done = run_rows(
        ReasoningTokenDatasetEvaluator(TOKENIZER), rows, input_question_key="q", input_answer_key="a"
    )
    assert done.metrics == {
        "questions_zeros_count": 0, "questions_min": 1, "questions_max": 3, "questions_mean": 2.0, "questions_median": 2,
        "answers_zeros_count": 2, "answers_min": 0, "answers_max": 3, "answers_mean": 1.0, "answers_median": 1,
    }  # fmt: skip
    assert done.frame.columns == run_rows(ReasoningTokenDatasetEvaluator(TOKENIZER), rows, input_question_key="q", input_answer_key="a").frame.columns  # fmt: skip


def test_filters_tell_what_they_measured() -> None:
    done = run_rows(ReasoningAnswerNgramFilter(0.5, ngrams=1), [{"instruction": "a", "generated_cot": "a a a"}, {"instruction": "a", "generated_cot": "b"}])  # fmt: skip
    assert done.dropped["reason"].to_list() == ["repetitive: 0.25"]
    assert done.measured is not None
    assert done.measured.rows() == [(0.25, False), (1.0, True)]
    long = run_rows(ReasoningAnswerTokenLengthFilter(1, TOKENIZER), [{"generated_cot": "the whale"}])
    assert long.dropped["reason"].to_list() == ["too long: 2 tokens"]
    assert run_rows(judge(), JUDGED).dropped["reason"].to_list() == ["another answer", "no reference", "no reference"] + ["another answer"] * 2  # fmt: skip


def test_bounds_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ConfigError, match="min_score"):
        ReasoningAnswerNgramFilter(0.9, 0.1)


def test_a_tokenizer_that_is_not_there_is_told_before_anything_runs() -> None:
    for op, keys in (
        (ReasoningAnswerTokenLengthFilter(), {}),
        (
            ReasoningTokenDatasetEvaluator("no/such-model"),
            {"input_question_key": "q", "input_answer_key": "a"},
        ),
    ):
        assert ["is no file" in message for _, message in op.check(op.bind(**keys))] == [True]
