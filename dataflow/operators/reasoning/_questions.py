"""What the operators that ask a model about one question share."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

from dataflow.core.frames import as_text
from dataflow.core.generate import Generate, build
from dataflow.core.outcome import Outcome, dropped
from dataflow.core.ports import Binding, In
from dataflow.core.prompt import Prompt, PromptABC
from dataflow.core.protocols import Request
from dataflow.core.rows import keep_rows

Verdict = tuple[bool, str]
"""Whether a row stays, and if not why."""


class AboutQuestion(Generate):
    """Asks a model about one question, by the `prompt_template` or else the `fallback`; a blank one counts as null."""

    fallback: ClassVar[PromptABC]
    slot: ClassVar[str] = "question"
    """What prompts call the question."""
    input_key = In("instruction", "the question")

    @property
    def prompt(self) -> PromptABC:
        given: PromptABC | None = getattr(self, "prompt_template", None)
        return given if given is not None else self.fallback

    def slot_names(self, binding: Binding) -> set[str]:
        return {self.slot}

    def skips(self, row: tuple[Any, ...]) -> bool:
        return row[0] is None or not as_text(row[0]).strip()

    def request(self, question: Any) -> Request:
        return about(self.prompt, {self.slot: as_text(question)}, getattr(self, "system_prompt", None))


def about(prompt: PromptABC, slots: dict[str, str], system: str | None = None) -> Request:
    """A prompt filled in; of a user's own the last parameter is the question, whatever it is called."""
    if not isinstance(prompt, Prompt):
        names = takes(prompt)
        question = list(slots)[-1]
        if names and question not in names:
            slots = slots | {names[-1]: slots[question]}
    return build(prompt, slots, system)


def takes(prompt: PromptABC) -> list[str]:
    """The names that a prompt can be given."""
    if isinstance(prompt, Prompt):
        return list(prompt.slots)
    params = inspect.signature(prompt.build_prompt).parameters.values()
    return [p.name for p in params if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]


def divided(frame: Any, binding: Binding, verdicts: list[Verdict | None]) -> Outcome:
    """The rows whose verdict says so; one that was not judged is dropped as null."""
    kept = [v is not None and v[0] for v in verdicts]
    lost = [i for i, k in enumerate(kept) if not k]
    done = Outcome(keep_rows(frame, kept))
    if lost:
        judged = ((i, verdicts[i]) for i in lost)
        reasons = ["null" if v is None else v[1] for _, v in judged]
        done.dropped = dropped(frame, lost, reasons, binding.first_read)
    return done
