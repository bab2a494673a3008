"""Questions: filtered, made, fused, paired, sorted, rated."""

from __future__ import annotations

import json
from typing import Any

from dataflow.core.prompt import DIYPromptABC
from dataflow.operators.reasoning.category import ReasoningQuestionCategorySampleEvaluator
from dataflow.operators.reasoning.difficulty import ReasoningQuestionDifficultySampleEvaluator
from dataflow.operators.reasoning.fusion import ReasoningQuestionFusionGenerator
from dataflow.operators.reasoning.pairs import ReasoningQuestionPairGenerator
from dataflow.operators.reasoning.question_filter import ReasoningQuestionFilter
from dataflow.operators.reasoning.questions import ReasoningQuestionGenerator
from dataflow.operators.reasoning.solvable import (
    ReasoningQuestionSolvableFilter,
    ReasoningQuestionSolvableSampleEvaluator,
)
from dataflow.prompts.reasoning.diy import DiyQuestionSynthesisPrompt
from dataflow.testing import FAILED, Case, ScriptedServing, keeps, replies


class Letters(ScriptedServing):
    """Texts are as alike as their letters; of `no vector` there is none."""

    def _vector(self, text: str) -> Any:
        return None if text == "no vector" else [float(text.count(c)) for c in "abcdefgh"]


class Bare(DIYPromptABC):
    """A prompt of the user's own, which calls the question otherwise."""

    def build_prompt(self, problem: str) -> str:
        return f"judge {problem}"


SOUND, UNSOUND = '{"judgement_test": true, "error_type": null}', '{"judgement_test": false, "error_type": "no question"}'  # fmt: skip
SYNTH = {"Synth_or_Input": "synth", "answer": None}
INPUT = {"Synth_or_Input": "input"}


def category(primary: str, secondary: str) -> str:
    return json.dumps({"primary_category": primary, "secondary_category": secondary})


def shown(primary: str, secondary: str | None) -> tuple[str, str, str | None]:
    return " / ".join(filter(None, (primary, secondary))), primary, secondary


ALGEBRA, STATISTICS = "Algebra and Number Theory", "Probability, Statistics, and Discrete Mathematics"
VERDICTS = {
    SOUND: True,
    f"Sure.\n```json\n{UNSOUND}\n```": False,
    '<think>{"judgement_test": false}</think>{"judgement_test": true}': True,
    f'The form is {{"judgement_test": true}}. The premise is wrong, so {UNSOUND}': False,
    '{"judgement_test": "True"}': True,
    "It is not true that this is a problem.": FAILED,
    "true or false?": FAILED,
    '{"error_type": null}': FAILED,
    "": FAILED,
}


def judged() -> Case:
    """Each reply as the verdict on a question of its own."""
    questions = {f"question {i}": reply for i, reply in enumerate(VERDICTS)}
    told = {f"<question>\n{q}\n": reply for q, reply in questions.items()}
    kept = [q for q, reply in questions.items() if VERDICTS[reply] is True]
    rows = [{"math_problem": q} for q in [*questions, " ", None]]
    return Case(
        ReasoningQuestionFilter(llm_serving=ScriptedServing(by=told)),
        rows,
        [{"math_problem": q} for q in kept],
        failed=sum(v is FAILED for v in VERDICTS.values()),
        dropped=len(rows) - len(kept) - sum(v is FAILED for v in VERDICTS.values()),
    )


FILTERED = [
    judged(),
    keeps(
        ReasoningQuestionFilter("Be strict.", ScriptedServing(by={"judge 2+2": "yes"}), Bare()), ["2+2"], ["2+2"], input_key="q"
    ),
    Case(ReasoningQuestionFilter(llm_serving=ScriptedServing(None)), [{"math_problem": "a"}], [], failed=1),
    keeps(
        ReasoningQuestionSolvableFilter(
            ScriptedServing(by={"one": "#Judgement#: True", "two": "#Explanation#: gap\n#Judgement#: False", "three": "?"})
        ),
        ["one", None, "two", ""],
        ["one"],
        input_key="q",
    ),
]  # fmt: skip
MADE = [
    Case(
        ReasoningQuestionGenerator(1, ScriptedServing(by={"old 1": "new 1", "old 2": "<answer>\nnew\n2</answer>"})),
        [{"q": "old 1", "answer": "4"}, {"q": "old 2", "answer": "5"}, {"q": " ", "answer": "6"}, {"q": None, "answer": "7"}],
        [
            {"q": "old 1", "answer": "4", **INPUT},
            {"q": "new 1", **SYNTH},
            {"q": "old 2", "answer": "5", **INPUT},
            {"q": "new\n2", **SYNTH},
        ],
        {"input_key": "q"},
        dropped=2,
    ),
    Case(
        ReasoningQuestionGenerator(3, ScriptedServing("a", "OLD", "b")),
        [{"q": "old", "answer": "4"}],
        [{"q": "old", "answer": "4", **INPUT}, {"q": "a", **SYNTH}, {"q": "b", **SYNTH}],
        {"input_key": "q"},
    ),
    Case(
        ReasoningQuestionGenerator(2, ScriptedServing("New problem: How many  are left?", "How many are lost?")),
        [{"q": "Tom eats 2 of 5. How many are left?"}],
        [{"q": "Tom eats 2 of 5. How many are left?"}, {"q": "How many are lost?"}],
        {"input_key": "q"},
    ),
    Case(
        ReasoningQuestionGenerator(2, ScriptedServing(by={"\none\n": "<question>ONE</question>", "\ntwo\n": "<think>a</think>"})),
        [{"q": "one", "answer": "1"}, {"q": "two", "answer": "2"}],
        [{"q": "one", "answer": "1", **INPUT}],
        {"input_key": "q"},
        failed=1,
    ),
    Case(
        ReasoningQuestionGenerator(4, ScriptedServing("b", "a", "A", "b")),
        [{"q": "old"}],
        [{"q": "old"}, {"q": "b"}, {"q": "a"}],
        {"input_key": "q"},
    ),
    Case(ReasoningQuestionGenerator(2, ScriptedServing("a", None)), [{"q": "old"}], [], {"input_key": "q"}, failed=1),
    Case(
        ReasoningQuestionGenerator(
            5,
            ScriptedServing(by={'like {"q": old}': "<question>\nnew {x}\n</question>"}),
            DiyQuestionSynthesisPrompt('like {{"q": {question}}}'),
        ),
        [{"q": "old"}],
        [{"q": "old"}, {"q": "new {x}"}],
        {"input_key": "q", "output_synth_or_input_flag": "kind"},
    ),
]  # fmt: skip
FUSED = [
    Case(
        ReasoningQuestionFusionGenerator(
            2,
            ScriptedServing(
                by={
                    "about": "#Plan#:\nboth\n\n#New Problem#:\nanother\none",
                    "<problem_1>\none\n</problem_1>\n<problem_2>\ntwo\n</problem_2>": "**#New Problem#**: both",
                    "three": "#New Problem#:",
                }
            ),
        ),
        [{"a": "one", "b": "two"}, {"a": "one", "b": None}, {"a": "three", "b": "two"}],
        [
            {"a": "one", "b": "two", "f_question_0": "both", "f_question_1": "another\none"},
            {"a": "one", "b": None, "f_question_0": None, "f_question_1": None},
        ],
        {"input_problem_1": "a", "input_problem_2": "b", "output_key": "f"},
        failed=1,
    ),
    replies(
        ReasoningQuestionFusionGenerator,
        {
            "#Plan#\na new problem of both\n\n## New Problem ##\nHow many?": "How many?",
            "a new problem\nHow many?": FAILED, "#New Problem#\nOne  apple": FAILED, "#New Problem#:\ntwo pears": FAILED,
        },
        row=("one apple", "two pears"),
        input_problem_1="a",
        input_problem_2="b",
        output_key="f",
    ),
    Case(
        ReasoningQuestionPairGenerator(),
        [{"instruction": t} for t in ["a", "b", "a", None, " "]],
        [{"instruction": "a", "paired_problem": "b"}, {"instruction": "b", "paired_problem": "a"}]
        + [{"instruction": "a", "paired_problem": "b"}]
        + [{"instruction": t, "paired_problem": None} for t in (None, " ")],
    ),
    Case(
        ReasoningQuestionPairGenerator(by="category"),
        [{"instruction": t, "c": c} for t, c in [("a", "x"), ("b", "y"), ("c", "x"), ("d", "y")]],
        [{"instruction": t, "paired_problem": p} for t, p in [("a", "c"), ("b", "d"), ("c", "a"), ("d", "b")]],
        {"input_category_key": "c"},
    ),
    Case(
        ReasoningQuestionPairGenerator(by="embedding", embedding_serving=Letters()),
        [{"instruction": t} for t in ["aab", "aab", "ab", "cd", "no vector", "ccd", None]],
        [{"paired_problem": t} for t in ["ab", "ab", "aab", "ccd", None, "cd", None]],
    ),
    Case(ReasoningQuestionPairGenerator(), [{"instruction": "a"}], [{"paired_problem": None}]),
]  # fmt: skip
SORTED = [
    replies(
        ReasoningQuestionCategorySampleEvaluator,
        {
            category("Algebra and Number Theory", "Number Theory"): shown(ALGEBRA, "Number Theory"),
            f"It is about primes.\n```json\n{category('2. ALGEBRA & NUMBER THEORY', '2.4 number theory')}\n```": shown(
                ALGEBRA, "Number Theory"
            ),
            category("Arithmetic", "2.4"): shown(ALGEBRA, "Number Theory"),
            category("5", "Combinatorics & Graph Theory"): shown(
                STATISTICS, "Combinatorics and Graph Theory"
            ),
            category("Applied and Computational Mathematics", "Biomathmatics"): shown(
                "Applied and Computational Mathematics", "Biomathematics"
            ),
            category("Arithmetic", "Astrology"): shown("Arithmetic", None),
            category("Cooking", "Number Theory"): FAILED,
            category("", ""): FAILED,
            category("9", "9.1"): FAILED,
            "Algebra": FAILED,
            "": FAILED,
        },
    ),
    replies(
        lambda llm_serving: ReasoningQuestionCategorySampleEvaluator(llm_serving, taxonomy="general"),
        {
            category("Natural Sciences", "physics"): shown("Natural Sciences", "Physics"),
            category("Computing", "Networks & Security"): shown("Computing", "Networks and Security"),
            category("Geometry and Topology", ""): FAILED,
        },
    ),
    Case(
        ReasoningQuestionCategorySampleEvaluator(ScriptedServing(None)),
        [{"instruction": None}, {"instruction": " "}],
        [{"question_category": None, "primary_category": None, "secondary_category": None}] * 2,
    ),
    replies(
        ReasoningQuestionDifficultySampleEvaluator,
        {
            "It takes one idea.\nRating: 4.5": 4.5,
            "**Rating:** 7": 7.0,
            "## Rating\n3/10": 3.0,
            "The rating of school problems is 2. This one is harder.\n**Rating**: **5.5**": 5.5,
            "<think>Rating: 9</think>Rating: 8": 8.0,
            "Rating: 11": FAILED,
            "Rating: unknown": FAILED,
            "It has 3 steps": FAILED,
            "": FAILED,
            None: FAILED,
        },
        input_key="q",
    ),
    replies(
        ReasoningQuestionSolvableSampleEvaluator,
        {
            "#Judgement#: True": (True, None),
            "#Explanation#: All is given.\nIt works.\n#Judgement#: True": (True, "All is given.\nIt works."),
            "**#Judgement#:** False\n#Explanation#: The price is missing.": (False, "The price is missing."),
            "First I thought #Judgement#: True, but no.\n#Judgement#: False": (False, None),
            "Yes.": (True, None),
            "It is not true.": FAILED,
            "": FAILED,
            None: FAILED,
        },
        input_key="q",
        output_key="ok",
        output_reason_key="why",
    ),
]
CASES = [*FILTERED, *MADE, *FUSED, *SORTED]
