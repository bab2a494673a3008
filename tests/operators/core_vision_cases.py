"""What each operator of core_vision must do, as cases."""

from __future__ import annotations

from dataflow.operators.core_vision.vqa import PromptedVQAGenerator
from dataflow.testing import FAILED, Case, ScriptedServing, maps, replies


def echo(prompt: str) -> str:
    return prompt


CASES: list[Case] = [
    maps(
        PromptedVQAGenerator(ScriptedServing(by={"cat.png": "A cat."}), system_prompt="What is to be seen?"),
        {"cat.png": "A cat.", "dog.png": FAILED, None: None},
    ),
    replies(PromptedVQAGenerator, {"A whale.": "A whale.", "": "", None: FAILED}, row="whale.png"),
    maps(
        PromptedVQAGenerator(ScriptedServing("Two.")),
        {("boats.png", "How many boats?"): "Two.", ("boats.png", None): "Two.", (None, "How many?"): None},
        input_question_key="question",
    ),
]
