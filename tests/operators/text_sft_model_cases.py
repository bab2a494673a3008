"""Operators of text_sft that ask a model through a serving."""

from __future__ import annotations

import json
from functools import partial

from dataflow.operators.text_sft.alpagasus import AlpagasusFilter, AlpagasusSampleEvaluator
from dataflow.operators.text_sft.condor import CondorGenerator, CondorRefiner
from dataflow.operators.text_sft.seed import SFTGeneratorSeed
from dataflow.operators.text_sft.treeinstruct import TreeinstructFilter, TreeinstructSampleEvaluator
from dataflow.testing import FAILED, Case, ScriptedServing, maps, replies

CODE = 'def f(x):\n    return {"x": {x}}  # } {'
PAIR = {"instruction": "Write f.", "output": CODE}
LEVELS = {
    "easy": "What is rust?",
    "medium": "Why does salt\nspeed it up?\n\n| a | b |",
    "hard": "Design {a} test.",
}
TAGGED = """Here they are.
**[Easy]** [Question Start]What is rust?[Question End]
[Medium][Question Start]Why does salt
speed it up?

| a | b |[Question End]
[Hard]: <question>Design {a} test.</question>"""
SAID = "reply to: "


def condor(prompt: str) -> str:
    """Three questions, or the answer to one."""
    return json.dumps(LEVELS) if "three different questions" in prompt else SAID + prompt


def refined(prompt: str) -> str | None:
    """A review that names the answer, or a better answer that names the review."""
    answer = prompt.partition("<answer>\n")[2].partition("\n</answer>")[0]
    if "<review>" not in prompt:
        return None if answer == "unseen" else f"<think>hm</think>Weaknesses: {answer} is short."
    if answer == "cut":
        return "<improved>\nHalf an"
    if answer == "form":
        return "<improved>\nThe new answer.\n</improved>"
    review = prompt.partition("<review>\n")[2].partition("\n</review>")[0]
    return (
        answer
        if answer == "bare"
        else f"Sure!\n<improved>\n[{review}]\nbetter {answer}\n</improved>\nI hope it helps."
    )


CASES: list[Case] = [
    replies(
        partial(SFTGeneratorSeed, custom_prompt="about code"),
        {
            json.dumps(PAIR): ("Write f.", CODE),
            f"Look: {{this}} is it\n```json\n{json.dumps(PAIR, indent=2)}\n```\nDone {{}}.": ("Write f.", CODE),
            '<think>{"instruction": "no", "output": "no"}</think>{"instruction": "a", "output": "b", "kind": 1}': ("a", "b"),
            '{"instruction": "a", "output": "first\nsecond"}': ("a", "first\nsecond"),
            '{"instruction": "a", "output": "b",}': ("a", "b"),
            '{"instruction": "a"}': FAILED, '{"instruction": "a", "output": " "}': FAILED, "no": FAILED, "": FAILED, None: FAILED,
        },
    ),
    Case(
        SFTGeneratorSeed(ScriptedServing(json.dumps(PAIR)), "short"),
        [{"id": 1, "text": "a"}, {"id": 2, "text": None}, {"id": 3, "text": " "}],
        [
            {"id": 1, "text": "a", "instruction": "Write f.", "output": CODE},
            {"id": 2, "text": None, "instruction": None, "output": None},
            {"id": 3, "text": " ", "instruction": None, "output": None},
        ],
        {"input_key": "text"},
    ),
    Case(
        CondorGenerator(ScriptedServing(by=condor), 4),
        [],
        [
            {"instruction": LEVELS["easy"], "output": SAID + LEVELS["easy"], "difficulty": "Easy"},
            {"instruction": LEVELS["medium"], "output": SAID + LEVELS["medium"], "difficulty": "Medium"},
            {"instruction": LEVELS["hard"], "output": SAID + LEVELS["hard"], "difficulty": "Hard"},
            {"instruction": LEVELS["easy"], "output": SAID + LEVELS["easy"], "difficulty": "Easy"},
        ],
    ),
    Case(CondorGenerator(ScriptedServing("[Easy] a [Medium] b"), 6), [], [], failed=2, shown=False),
    Case(CondorGenerator(ScriptedServing(None), 3), [], [], failed=1, shown=False),
    Case(
        CondorGenerator(ScriptedServing(json.dumps(LEVELS | {"hard": f" {LEVELS['easy'].upper()}"})), 3),
        [],
        [],
        failed=1,
        shown=False,
    ),
    Case(CondorGenerator(ScriptedServing("x"), 0), [], [], shown=False),
    maps(
        CondorRefiner(ScriptedServing(by=refined)),
        {
            ("Why?", "so"): "[Weaknesses: so is short.]\nbetter so", ("Why?", "bare"): "bare", ("Why?", "cut"): FAILED,
            ("Why?", "form"): FAILED, ("Why?", "unseen"): FAILED, ("Why?", None): None, (None, "kept"): "kept",
        },
    ),
    replies(
        AlpagasusSampleEvaluator,
        {
            "4": 4.0, "4.5": 4.5, "0": 0.0, "**Score: 3**\nIt has 2 faults of 7.": 3.0, "5/5 stars": 5.0, "```\n2\n```": 2.0,
            "<think>1</think>\n\n4\nGood.": 4.0, "It is fine.\nRating: 3": 3.0, "6": FAILED, "-1": FAILED,
            "good": FAILED, "": FAILED, None: FAILED,
        },
        row=("Why?", "So."),
    ),
    Case(
        AlpagasusFilter(llm_serving=ScriptedServing("3", "2.9", "five", None, "5", "5")),
        [{"instruction": i, "output": o} for i, o in ["ab", "cd", "ef", "gh", ("i", None), "kl"]],
        [
            {"instruction": "a", "output": "b", "AlpagasusScore": 3.0},
            {"instruction": "k", "output": "l", "AlpagasusScore": 5.0},
        ],
        failed=2,
        dropped=2,
    ),
    replies(
        TreeinstructSampleEvaluator,
        {
            "- write\n  - poem\n    - 3 stanzas\n3": 3, "```\n- write\n- score: 5\n```\n**Nodes: 12**": 12,
            "```\n- a\n2\n```\n": 2, "<think>7</think>8 nodes.": 8, "3 + 4 = 7": 7, "- a\n- b": FAILED,
            "5\nI counted well.": FAILED, "2.5": FAILED, "": FAILED, None: FAILED,
        },
        row="Write.",
    ),
    Case(
        TreeinstructFilter(llm_serving=ScriptedServing("7", "6", "many", None, "9", "101")),
        [{"q": q} for q in ("a", "b", "c", "d", None, "f")],
        [{"q": "a", "TreeinstructScore": 7}],
        {"input_key": "q"},
        failed=2,
        dropped=3,
    ),
]  # fmt: skip
