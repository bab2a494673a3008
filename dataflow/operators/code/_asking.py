"""Operators that ask a model about tasks and code, in their own words or in a user's."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import field_validator

from dataflow.core.errors import ReplyError
from dataflow.core.frames import as_text
from dataflow.core.generate import Generate, build
from dataflow.core.ports import Binding
from dataflow.core.prompt import DIYPromptABC, Prompt, PromptABC, check_prompt
from dataflow.core.protocols import Request
from dataflow.core.replies import clip
from dataflow.operators._lib.replies import bare
from dataflow.prompts.code import DiyCodePrompt


class CodeGenerate(Generate):
    """Asks a model about one cell, which prompts know as `slot`, and as `input`."""

    slot: ClassVar[str]
    default: ClassVar[Prompt]

    prompt_template: Prompt | DIYPromptABC | str | None = None
    """What is asked; your own words may be given as a text with a slot."""

    @field_validator("prompt_template", mode="before")
    @classmethod
    def _own_words(cls, given: Any) -> Any:
        made = DiyCodePrompt(given) if isinstance(given, str) else given
        check_prompt(cls, made)
        return made

    @property
    def prompt(self) -> PromptABC:
        given = self.prompt_template
        return given if isinstance(given, PromptABC) else self.default

    def slot_names(self, binding: Binding) -> set[str]:
        return {self.slot, "input"}

    def request(self, value: Any) -> Request:
        text = said(value)
        return build(self.prompt, {self.slot: text, "input": text})

    def parse(self, reply: str) -> str:
        text = bare(reply)
        if not text:
            raise ReplyError(f"nothing in the reply {clip(reply)}")
        return text


def said(value: Any) -> str:
    """A cell as text; of a conversation, given as a list of turns, what the user says."""
    if isinstance(value, list) and value and all(isinstance(t, dict) and "content" in t for t in value):
        turns = [t for t in value if t.get("role") == "user"] or value
        return "\n\n".join(as_text(t["content"]) for t in turns)
    return as_text(value)
