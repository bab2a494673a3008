"""Questions and answers as texts for pre-training."""

from __future__ import annotations

from typing import Any, ClassVar

from dataflow.core.frames import as_text
from dataflow.core.ports import In, Out
from dataflow.core.rows import Map


class ReasoningPretrainFormatConvertGenerator(Map):
    """Put a question and its answer into one text, the answer on a new line.

    What is missing is left out; where both are, null is written. The other columns stay.
    """

    accepts_none: ClassVar[bool] = True
    input_read_key_question = In("question", "the question", type="any")
    input_read_key_answer = In("answer", "its answer", type="any")
    output_key = Out("text", "both")

    def map(self, question: Any, answer: Any) -> str | None:
        given = [as_text(part) for part in (question, answer) if part is not None]
        return "\n".join(part for part in given if part.strip()) if given else None
