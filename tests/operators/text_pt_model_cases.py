"""Operators of text_pt that ask a model through a serving."""

from __future__ import annotations

from functools import partial

from dataflow.operators.text_pt.meta import MetaSampleEvaluator
from dataflow.operators.text_pt.phi4_qa import Phi4QAGenerator
from dataflow.testing import FAILED, Case, ScriptedServing, maps, replies

TWO = [
    {"dimension_name": "Wit", "description": "It is funny.", "example_list": [{"text": "A {pun}.", "score": 4.5}]},
    {"dimension_name": "Use", "description": "It is of use.", "example_list": []},
]  # fmt: skip
ONE = TWO[:1]
QA = "Question: What rises?\nAnswer: Bread,\nand dough.\n\nQuestion: Why?\nAnswer: Yeast."

CASES: list[Case] = [
    replies(
        partial(MetaSampleEvaluator, dimensions=TWO),
        {
            '{"Wit": 4, "Use": 2.5}': (4.0, 2.5), "Wit is plain.\nUse is little.\n[3, 1]": (3.0, 1.0),
            '```json\n{\n  "use": "2",\n  "WIT": {"score": 5, "reason": "a {pun}"}\n}\n```': (5.0, 2.0),
            "<think>[1, 1]</think>```\n[5, 5]\n```": (5.0, 5.0), "[4, 4, 4]": FAILED, '{"Wit": 4}': FAILED, "[0, 3]": FAILED,
            "[4, 6]": FAILED, "[NaN, 3]": FAILED, "[true, 3]": FAILED, '["good", 3]': FAILED, "four": FAILED, None: FAILED,
        },
    ),
    replies(partial(MetaSampleEvaluator, dimensions=ONE), {"[3]": 3.0, '{"Wit": 1}': 1.0, "3": FAILED}, shown=False),
    Case(
        MetaSampleEvaluator(ScriptedServing("[1, 2, 3, 4, 5, 4]")),
        [{"raw_content": "a text"}, {"raw_content": None}],
        [
            {"Text Structure": 1, "Diversity and Complexity": 2, "Fluency and Understandability": 3, "Safety": 4,
             "Educational Value": 5, "Content Accuracy and Effectiveness": 4},
            {"Text Structure": None, "Safety": None, "Content Accuracy and Effectiveness": None},
        ],
    ),
    replies(
        Phi4QAGenerator,
        {
            QA: QA, f"<think>Question: no\nAnswer: no</think>Here it is:\n\n{QA}": QA, f"```text\n{QA}\n```": QA,
            "**Question 1:** What?\n**Answer:** It.": "**Question 1:** What?\n**Answer:** It.",
            "问题：什么？\n答案：酵母。": "问题：什么？\n答案：酵母。",
            "Question: Which code?\nAnswer: This:\n```py\nx = {}\n```": "Question: Which code?\nAnswer: This:\n```py\nx = {}\n```",
            "Question: What?": FAILED, "Answer: It.\nQuestion: What?": FAILED, "No idea.": FAILED, "": FAILED, None: FAILED,
        },
    ),
    maps(Phi4QAGenerator(ScriptedServing(QA)), {"Yeast raises bread.": QA, None: None, " \n": None}, output_key="study"),
]  # fmt: skip
