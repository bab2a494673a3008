"""A scripted model for the pipelines of reasoning: every question that it makes is a sum, and all it says is right."""

from __future__ import annotations

import json
import re
from pathlib import Path
from zlib import crc32

from dataflow.zoo import _examples

_SUM = re.compile(r"What is (\d+) plus 1\?")


def known() -> dict[str, str]:
    """The examples' questions with their answers."""
    found: dict[str, str] = {}
    for file in (_examples.MATH_QUESTIONS, _examples.REASONING_QUESTIONS):
        rows = map(json.loads, Path(file).read_text("utf-8").splitlines())
        found |= {r["instruction"]: r["golden_answer"] for r in rows}
    return found


def question_of(prompt: str) -> str:
    return prompt.split("<question>\n")[1].split("\n</question>")[0]


def answer_of(question: str) -> str:
    """The right answer to a question of the examples, or to one made below."""
    made = _SUM.search(question)
    return str(int(made.group(1)) + 1) if made else known()[question]


def a_sum(prompt: str) -> str:
    return f"What is {crc32(prompt.encode()) % 9000} plus 1?"


def reasoning(prompt: str) -> str:
    if "#New Problem#" in prompt:
        return f"#Plan#:\nBoth become one.\n#New Problem#:\n{a_sum(prompt)}"
    if "Write a new problem" in prompt or "Write a new question" in prompt or "Write another one" in prompt:
        return a_sum(prompt)
    if "judgement_result" in prompt:
        reference, answer = (
            prompt.split(f"<{t}>\n")[1].split(f"\n</{t}>")[0] for t in ("reference", "answer")
        )
        return json.dumps({"judgement_result": reference in answer})
    if "judgement_test" in prompt:
        return '{"judgement_test": true, "error_type": null}'
    if "#Judgement#" in prompt:
        return "#Explanation#: All is given.\n#Judgement#: True"
    if "Rating: n" in prompt:
        return f"It takes an addition.\nRating: {crc32(prompt.encode()) % 8 + 2}"
    if "primary_category" in prompt:
        general = "Do not answer" in prompt
        labels = ("Natural Sciences", "Physics") if general else ("Arithmetic", "7.1")
        return json.dumps(dict(zip(("primary_category", "secondary_category"), labels, strict=True)))
    answer = answer_of(question_of(prompt))
    return f"Solution:\n→ Think.\nTherefore, the final answer is \\boxed{{{answer}}}."
