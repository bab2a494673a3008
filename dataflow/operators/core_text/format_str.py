"""Answering a prompt of the user's own, filled from any number of columns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from dataflow.core.frames import as_text
from dataflow.core.generate import Generate, build
from dataflow.core.ports import Binding, NoPort, Out
from dataflow.core.prompt import DIYPromptABC, PromptABC, prompt_restrict
from dataflow.core.protocols import Request
from dataflow.prompts.core_text import FormatStrPrompt

_DEFAULT = FormatStrPrompt()


@prompt_restrict(FormatStrPrompt)
class FormatStrPromptedGenerator(Generate):
    """Answer a template whose fields are filled from columns: one model call a row.

    Each further keyword of `run` names a field, and its value the column to fill it from:
    `run(storage, question="problem")` fills `{question}`. What is not text is put as JSON. A row with a null
    cell gives null, unless the template says `on_missing="empty"`.
    """

    open_inputs: ClassVar[bool] = True
    input_key = NoPort()  # type: ignore[assignment]
    output_key = Out("generated_content", "the reply")

    system_prompt: str = "You are a helpful agent."
    """What the model is told it is and does."""
    prompt_template: FormatStrPrompt | DIYPromptABC | None = None
    """What is asked; `{input_text}` alone where left out."""
    json_schema: dict[str, Any] | None = None
    """The JSON schema that replies must meet; the column then holds JSON text."""

    @property
    def prompt(self) -> PromptABC:
        return self.prompt_template or _DEFAULT

    def slot_names(self, binding: Binding) -> set[str]:
        return set(binding.reads) | (set(getattr(self.prompt, "slots", ())) if self._lenient() else set())

    def _lenient(self) -> bool:
        return getattr(self.prompt, "on_missing", "raise") == "empty"

    def skips(self, row: tuple[Any, ...]) -> bool:
        return None in row[0].values() and not self._lenient()

    def request(self, cells: dict[str, Any]) -> Request:
        slots = {k: as_text(v) for k, v in cells.items() if v is not None}
        asked = build(self.prompt, {"need_fields": set(cells), **slots}, self.system_prompt)
        return asked if self.json_schema is None else replace(asked, schema=self.json_schema)
