"""The four operators that put a text to a model: generate, evaluate, filter, refine."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from dataflow.core.frames import as_text
from dataflow.core.generate import Generate, Judge
from dataflow.core.ports import In, Out
from dataflow.core.prompt import Prompt
from dataflow.core.protocols import Request
from dataflow.prompts.core_text import QualityScorePrompt

AGENT = "You are a helpful agent."


class PromptedGenerator(Generate):
    """Answer a prompt about each row: one model call a row, the reply as a new column.

    The user's message is `user_prompt` directly followed by the cell; what is not text is put as JSON.
    """

    system_prompt: str = AGENT
    """What the model is told it is and does."""
    user_prompt: str = ""
    """Put before each cell."""
    json_schema: dict[str, Any] | None = None
    """The JSON schema that replies must meet; the column then holds JSON text."""

    input_key = In("raw_content", "what the model is asked about", type="any")
    output_key = Out("generated_content", "the reply")

    def request(self, value: Any) -> Request:
        return Request.of(self.user_prompt + as_text(value), self.system_prompt, self.json_schema)


class PromptedRefiner(Generate):
    """Rewrite each text as the system prompt says, in place: one model call a row.

    A row whose call fails is set aside with its text as it was.
    """

    system_prompt: str = AGENT
    """How the text is to be rewritten."""

    input_key = In("raw_content", "the text to rewrite", type="any")
    output_key = Out(doc="where the rewritten text goes; the column read, unless named", like="input_key")

    def request(self, value: Any) -> Request:
        return Request.of(as_text(value), self.system_prompt)


class PromptedEvaluator(Judge):
    """Score each text from 1 to 5 by a model: one call a row.

    The score is the number that the reply labels as such, else its last number; `4/5` is 4. A reply without
    a whole number from 1 to 5 fails the row.
    """

    system_prompt: str = ""
    """What is scored and how; a general rubric of quality where left empty."""

    default_prompt: ClassVar[Prompt] = QualityScorePrompt()
    input_key = In("raw_content", "the text to score", type="any")
    output_key = Out("eval", "the score, 1 to 5", type="int")

    def request(self, value: Any) -> Request:
        prompt = self.default_prompt
        return Request.of(prompt.build_prompt(input=as_text(value)), self.system_prompt or prompt.system)


class PromptedFilter(PromptedEvaluator):
    """Keep the texts that a model scores within a range: one call a row.

    The bounds are inclusive. A text that is null or blank is dropped without a call, with the reason `null`;
    a reply without a score fails the row instead of dropping it.
    """

    filters: ClassVar[bool] = True

    min_score: int = Field(1, ge=1, le=5)
    """Lowest score kept."""
    max_score: int = Field(5, ge=1, le=5)
    """Highest score kept."""

    def skips(self, row: tuple[Any, ...]) -> bool:
        return row[0] is None or not as_text(row[0]).strip()

    def keeps(self, score: Any) -> bool:
        return bool(self.min_score <= score <= self.max_score)
