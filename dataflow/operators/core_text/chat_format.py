"""Rows in the form in which chat models are trained."""

from __future__ import annotations

from typing import Any

from dataflow.core.frames import as_text
from dataflow.core.ports import In, Out
from dataflow.core.rows import Map


class ChatFormatGenerator(Map):
    """Put a question and its answer into a list of chat messages, as training libraries read it.

    The cell is a list of objects with `role` (`system`, `user`, `assistant`) and `content`. Where the question or the answer is
    null or blank, null is written.
    """

    system_prompt: str = ""
    """What the model shall be told it is; no system message where left empty."""

    input_question_key = In("instruction", "what the user says", type="any")
    input_answer_key = In("output", "what the model shall say", type="any")
    output_key = Out("messages", "the messages", type="json")

    def map(self, question: Any, answer: Any) -> list[dict[str, str]] | None:
        said = {"user": as_text(question), "assistant": as_text(answer)}
        if not all(text.strip() for text in said.values()):
            return None
        system = [{"role": "system", "content": self.system_prompt}] if self.system_prompt else []
        return system + [{"role": role, "content": text} for role, text in said.items()]
