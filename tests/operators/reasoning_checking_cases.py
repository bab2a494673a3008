"""What the operators that take out and check final answers must do, as cases."""

from __future__ import annotations

from dataflow.operators.reasoning.extraction import ReasoningAnswerExtractionQwenMathEvalGenerator
from dataflow.operators.reasoning.formatter import ReasoningAnswerFormatterFilter
from dataflow.operators.reasoning.ground_truth import ReasoningAnswerGroundTruthFilter
from dataflow.operators.reasoning.pipeline_root import ReasoningAnswerPipelineRootFilter
from dataflow.operators.reasoning.pseudo_answers import ReasoningPseudoAnswerGenerator
from dataflow.testing import Case, ScriptedServing, keeps, maps

EXTRACTION = [
    maps(
        ReasoningAnswerExtractionQwenMathEvalGenerator(),
        {
            r"So $x^2 = 4$ and \boxed{x = \pm 2}.": r"x = \pm 2",
            "She has 3 + 4 = 7 apples.\n#### 7": "7",
            "Therefore, the answer is 50\\%.": r"50\%",
            "因此，答案是12。": "12",
            "First 3, then 4": "4",
            "I do not know.": None,
            "": None,
            None: None,
        },
    ),
    maps(
        ReasoningAnswerExtractionQwenMathEvalGenerator("carp_en", use_last_number=False),
        {"First 3, then 4": None, "The answer is 5 cm": "5 cm"},
    ),
    Case(
        ReasoningAnswerExtractionQwenMathEvalGenerator(),
        [{"s": r"\boxed{2}"}, {"s": "#### 3"}, {"s": "The answer is 4."}, {"s": "5 and 6"}, {"s": "no"}],
        [
            {"e": "2", "by": "boxed"},
            {"e": "3", "by": "####"},
            {"e": "4", "by": "phrase"},
            {"e": "6", "by": "last number"},
            {"e": None, "by": None},
        ],
        {"input_key": "s", "output_key": "e", "output_evidence_key": "by"},
    ),
]
BOXES = [
    keeps(
        ReasoningAnswerFormatterFilter(),
        [
            r"Solution: \boxed{4}",
            r"$\boxed{\frac{1}{2}}$ holds",
            r"\boxed{1} or \boxed{2}",
            "the answer is 4",
            r"\boxed{}",
            r"\boxed{ }",
            r"\boxed{3",
            r"\boxed{1}, no, \boxed{",
            r"<think>\boxed{4}</think>It is 4.",
            "",
            None,
        ],
        [r"Solution: \boxed{4}", r"$\boxed{\frac{1}{2}}$ holds", r"\boxed{1} or \boxed{2}"],
    )
]
TRUTHS = [
    (r"I get \boxed{1+x^2}.", "x^2+1"),
    (r"\boxed{(A)}", "A"),
    (r"\boxed{(1, 2)}", "(1,2)"),
    (r"\boxed{\sqrt2}", r"\sqrt{2}"),
    (r"so \boxed{50\%}", "50"),
    (r"So he has 7 apples left.", 7),
    ("The answer is 3.", "a + b = 3\n#### 3"),
    ("12", "12"),
    ("Paris", "Paris"),
]
OTHERS = [
    (r"\boxed{2}", r"2\pi"),
    (r"\boxed{b}", "a+b"),
    (r"\boxed{(B)}", "A"),
    (r"\boxed{(2,1)}", "(1,2)"),
    ("She buys 3 of 12.", "Paris"),
    (r"\boxed{\frac{1}{}}", "4"),
    (r"\boxed{9^{9^{9^9}}}", "4"),
    (
        "I give up after thinking about this problem for a long while, since I see no way that leads anywhere at all.",
        "4",
    ),
    (None, "4"),
    (r"\boxed{4}", None),
    (r"\boxed{4}", " "),
]
TRUTH_ROWS = [{"generated_cot": s, "golden_answer": g} for s, g in TRUTHS]
OTHER_ROWS = [{"generated_cot": s, "golden_answer": g} for s, g in OTHERS]
TRUTH = [
    Case(ReasoningAnswerGroundTruthFilter(timeout_s=1), TRUTH_ROWS, TRUTH_ROWS, dropped=0, shown=False),
    Case(ReasoningAnswerGroundTruthFilter(timeout_s=1), OTHER_ROWS, [], dropped=len(OTHERS), shown=False),
    Case(
        ReasoningAnswerGroundTruthFilter(),
        [
            {"generated_cot": r"We get \boxed{\frac{1}{2}}.", "golden_answer": "0.5"},
            {"generated_cot": r"We get \boxed{\frac{1}{3}}.", "golden_answer": "0.5"},
        ],
        [{"generated_cot": r"We get \boxed{\frac{1}{2}}."}],
        dropped=1,
    ),
    Case(
        ReasoningAnswerGroundTruthFilter("exact"),
        [{"generated_cot": r"\boxed{1/2}", "golden_answer": g} for g in ("0.5", "1/2")],
        [{"golden_answer": "1/2"}],
        dropped=1,
        shown=False,
    ),
    Case(
        ReasoningAnswerGroundTruthFilter(keep_without_ground_truth=True, keep_undecided=True, timeout_s=1),
        OTHER_ROWS,
        [OTHER_ROWS[i] for i in (4, 5, 6, 9, 10)],
        dropped=6,
        shown=False,
    ),
]
ROOTS = [
    Case(
        ReasoningAnswerPipelineRootFilter(),
        [
            {"output": r"\boxed{4}", "golden_answer": None},
            {"output": "no idea", "golden_answer": None},
            {"output": r"\boxed{5}", "golden_answer": "6"},
            {"output": None, "golden_answer": ""},
        ],
        [
            {"output": r"\boxed{4}", "golden_answer": "4"},
            {"output": "no idea", "golden_answer": None},
            {"output": r"\boxed{5}", "golden_answer": "6"},
            {"output": None, "golden_answer": None},
        ],
        dropped=0,
    ),
    Case(
        ReasoningAnswerPipelineRootFilter(use_last_number=False),
        [{"output": "3 of 4", "golden_answer": None}, {"output": "#### 4", "golden_answer": 7}],
        [{"golden_answer": None}, {"golden_answer": "7"}],
        shown=False,
    ),
    Case(
        ReasoningAnswerPipelineRootFilter(),
        [{"a": "#### 4", "g": None}],
        [{"a": "#### 4", "g": None, "found": "4"}],
        {"input_answer_key": "a", "input_gt_key": "g", "output_key": "found"},
        shown=False,
    ),
]
VOTES = [
    Case(
        ReasoningPseudoAnswerGenerator(
            ScriptedServing(r"\boxed{3}", r"\boxed{1/2}", r"\boxed{0.5}", "Hm."), 4
        ),
        [{"instruction": "Half of one?"}],
        [
            {
                "pseudo_answers": ["3", "1/2", "0.5", None],
                "pseudo_answer_value": "1/2",
                "pseudo_solutions": [r"\boxed{1/2}", r"\boxed{0.5}"],
                "pseudo_correct_solution_example": r"\boxed{1/2}",
                "share": 0.5,
                "tied": False,
            }
        ],
        {"output_agreement_key": "share", "output_tied_key": "tied"},
    ),
    Case(
        ReasoningPseudoAnswerGenerator(ScriptedServing(r"\boxed{3}", r"\boxed{4}"), 2),
        [{"instruction": "?"}],
        [{"pseudo_answer_value": "3", "share": 0.5, "tied": True}],
        {"output_agreement_key": "share", "output_tied_key": "tied"},
        shown=False,
    ),
    Case(
        ReasoningPseudoAnswerGenerator(ScriptedServing(None, r"\boxed{4}", r"\boxed{4.0}")),
        [{"instruction": "?"}, {"instruction": None}],
        [{"pseudo_answers": ["4", "4.0"], "share": 2 / 3}, {"pseudo_answers": None, "share": None}],
        {"output_agreement_key": "share"},
        shown=False,
    ),
    *(
        Case(
            ReasoningPseudoAnswerGenerator(ScriptedServing(r)),
            [{"instruction": "?"}],
            [],
            failed=1,
            shown=False,
        )
        for r in ("It is unknown.", "", None)
    ),
]
CASES: list[Case] = [*EXTRACTION, *BOXES, *TRUTH, *ROOTS, *VOTES]
