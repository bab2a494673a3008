"""Questions about pictures."""

from __future__ import annotations

from typing import Any

from dataflow.core.asking import Ask
from dataflow.core.frames import as_text
from dataflow.core.generate import Generate
from dataflow.core.ports import In, Out
from dataflow.core.protocols import Request
from dataflow.operators._lib.media import about, asked, part


class PromptedVQAGenerator(Generate):
    """Answer a question about each picture by a model that sees: one call a row.

    A picture is a path, an http address or a data URL. The question is the system prompt, put after the picture,
    unless a column of questions is named, before which the system prompt then stands. A row whose picture is null, or whose
    question is, gives null; one whose picture is blank or cannot be read fails, and costs no other row anything.
    """

    system_prompt: str = "You are a helpful assistant."
    """What is asked about every picture, or what the model is told it is where each has its own question."""

    input_key = In("raw_content", "the picture: path, address or data URL", type="any")
    input_question_key = In(doc="the question about this picture", type="any", optional=True)
    output_key = Out("generated_content", "the reply")

    def request(self, picture: Any, question: Any = None) -> Request:
        shown = part("image_url", picture)
        if question is None:
            return about(shown, self.system_prompt)
        return about(shown, as_text(question), self.system_prompt)

    async def answer(self, ask: Ask, picture: Any, question: Any = None) -> str:
        return await asked(ask, self.request(picture, question), picture, self.system_prompt)
