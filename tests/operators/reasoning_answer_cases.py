"""Answers: written, judged, measured, put into a form."""

from __future__ import annotations

from general_text_extract_cases import FILES as _FILES

from dataflow.operators.reasoning.agreement import ReasoningAnswerAgreementFilter
from dataflow.operators.reasoning.answers import ReasoningAnswerGenerator
from dataflow.operators.reasoning.judge import ReasoningAnswerModelJudgeFilter
from dataflow.operators.reasoning.ngrams import ReasoningAnswerNgramFilter
from dataflow.operators.reasoning.pretraining import ReasoningPretrainFormatConvertGenerator
from dataflow.operators.reasoning.statistics import (
    ReasoningCategoryDatasetEvaluator,
    ReasoningDifficultyDatasetEvaluator,
    ReasoningTokenDatasetEvaluator,
)
from dataflow.operators.reasoning.token_length import ReasoningAnswerTokenLengthFilter
from dataflow.prompts.reasoning.diy import DiyAnswerGeneratorPrompt
from dataflow.testing import FAILED, Case, ScriptedServing, keeps, maps, replies

TOKENIZER = "whitespace/tokenizer.json"
FILES = {TOKENIZER: _FILES[TOKENIZER]}
SAID = {"same": '{"judgement_result": true}', "other": '{"judgement_result": false}', "odd": "Hm."}


def judge(**settings: bool) -> ReasoningAnswerModelJudgeFilter:
    return ReasoningAnswerModelJudgeFilter(llm_serving=ScriptedServing(by=SAID), **settings)


def pairs(*cells: tuple[str | None, str | None]) -> list[dict[str, str | None]]:
    return [{"question": "q", "answer": a, "reference_answer": r} for a, r in cells]


JUDGED = pairs(
    ("same", "4"), ("other", "4"), ("odd", "4"), ("same", None), ("same", " "), ("", "4"), (None, "4")
)
CASES = [
    replies(ReasoningAnswerGenerator, {"Solution: 4": "Solution: 4", "<think>a</think> 4": "<think>a</think> 4", " ": FAILED, None: FAILED}),
    maps(
        ReasoningAnswerGenerator(
            ScriptedServing(by={"Think of {x} first.\n<question>\n2 + 2?\n</question>": "4"}),
            DiyAnswerGeneratorPrompt("Think of {x} first."),
        ),
        {"2 + 2?": "4", "3 + 3?": FAILED, " ": None, None: None},
    ),
    Case(judge(), JUDGED, [{"answer": "same", "reference_answer": "4", "answer_match_result": True}], failed=1, dropped=5),
    Case(
        judge(keep_all_samples=True),
        JUDGED,
        [{"answer_match_result": v} for v in (True, False, None, None, False, False)],
        failed=1,
        dropped=0,
    ),
    Case(
        judge(keep_without_reference=True),
        JUDGED,
        [{"answer_match_result": v} for v in (True, None, None)],
        failed=1,
        dropped=3,
    ),
    keeps(
        ReasoningAnswerAgreementFilter(0.6),
        [(2 / 3, None), (1 / 3, None), (1 / 3, "4"), (0.6, " "), (None, "4"), (None, None), (float("nan"), None)],
        [(2 / 3, None), (1 / 3, "4"), (0.6, " "), (None, "4")],
        input_gt_answer_key="golden_answer",
    ),
    keeps(ReasoningAnswerAgreementFilter(), [1, 0.5, None], [1]),
    Case(
        ReasoningAnswerModelJudgeFilter(llm_serving=ScriptedServing(None)), pairs(("same", "4")), [], failed=1
    ),
    keeps(
        ReasoningAnswerNgramFilter(0.5, ngrams=2),
        [
            ("What is 2 + 2?", "4"),
            ("", "so so, so. SO so"),
            ("so so so so", "is it"),
            ("a", "a"),
            ("鱼鱼鱼鱼", "鱼鱼。"),
            ("鱼在哪里", "在水里"),
            ("x", None),
            (None, "x"),
        ],
        [("What is 2 + 2?", "4"), ("so so so so", "is it"), ("a", "a"), ("鱼在哪里", "在水里")],
    ),
    keeps(ReasoningAnswerNgramFilter(0, 0.5, 1), [("a a", "a b"), ("a", "b")], [("a a", "a b")]),
    keeps(
        ReasoningAnswerTokenLengthFilter(2, TOKENIZER),
        ["the whale", "the whale.", "the", "", " ", None],
        ["the whale", "the"],
    ),
    maps(
        ReasoningPretrainFormatConvertGenerator(),
        {("What?", "That."): "What?\nThat.", (None, "That."): "That.", ("What?", " "): "What?", (None, None): None},
    ),
    Case(
        ReasoningCategoryDatasetEvaluator(),
        [{"primary_category": "Algebra", "secondary_category": "Groups"}],
        [{"primary_category": "Algebra", "secondary_category": "Groups"}],
    ),
    Case(ReasoningDifficultyDatasetEvaluator(), [{"difficulty_score": 4.5}], [{"difficulty_score": 4.5}]),
    Case(
        ReasoningTokenDatasetEvaluator(TOKENIZER),
        [{"q": "the whale", "a": "the"}],
        [{"q": "the whale", "a": "the"}],
        {"input_question_key": "q", "input_answer_key": "a"},
    ),
]  # fmt: skip
