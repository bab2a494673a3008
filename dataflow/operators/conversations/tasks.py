"""Tasks of several steps, and whether their steps achieve them."""

from __future__ import annotations

import re
from typing import Any

import polars as pl

from dataflow.core.asking import Ask
from dataflow.core.errors import ReplyError
from dataflow.core.frames import as_text
from dataflow.core.generate import Generate, build
from dataflow.core.outcome import Outcome, shown
from dataflow.core.ports import Binding, In, Out
from dataflow.core.prompt import prompt_restrict
from dataflow.core.protocols import Request
from dataflow.core.replies import clip, without_thinking
from dataflow.operators._lib.replies import read_object
from dataflow.operators.conversations._replies import any_null, divided, headed, listed, plain
from dataflow.prompts.conversations import (
    EXAMPLES,
    CompositionTaskFilterPrompt,
    CompositionVerdict,
    ParathenSeqTaskGeneratePrompt,
    SequentialTaskGeneratePrompt,
)

_SHOWN = {plain(text) for e in EXAMPLES for text in (*e, e.both, e.all_three)}
"""What models are shown as examples."""
_WORD = re.compile(r"[a-z0-9]{4,}")
_VERDICT = re.compile(
    r"(?:<ans>\W*|^\W*(?:(?:verdict|answer)\W+)?(?=(?:yes|no)\W*\Z))(?P<verdict>yes|no)\b",
    re.IGNORECASE | re.MULTILINE,
)
"""A verdict in an `ans` tag, or alone on the last line."""


@prompt_restrict(SequentialTaskGeneratePrompt)
class SequentialTaskGenerator(Generate):
    """Write a task that follows each task, and both as one: one model call a row.

    Each part may run over several lines; a reply that lacks one, gives one task twice, leaves the
    task out of the composition, or gives the task of the prompt's example, fails the row.
    """

    input_task_key = In(doc="the task")
    output_subsequent_task_key = Out("subsequent_task", "the task that follows")
    output_composition_task_key = Out("composition_task", "both as one task")

    def request(self, task: Any) -> Request:
        return build(SequentialTaskGeneratePrompt(), {"task": as_text(task)})

    async def answer(self, ask: Ask, task: Any) -> tuple[str, ...]:
        heads = ("Subsequent Task", "Composition Task")
        return await ask.read(self.request(task), lambda reply: other_than(task, headed(reply, *heads)))


@prompt_restrict(ParathenSeqTaskGeneratePrompt)
class ParaSeqTaskGenerator(Generate):
    """Write a task beside each, one that follows from both, and all three as one: one model call a row.

    Each part may run over several lines; a reply that lacks one, gives one task twice, leaves the
    task out of the composition, or gives the task of the prompt's example, fails the row.
    """

    input_task_key = In(doc="the task")
    output_parallel_task_key = Out("parallel_task", "the task beside it")
    output_subsequent_task_key = Out("subsequent_task", "the task that follows from both")
    output_composition_task_key = Out("composition_task", "all three as one task")

    def request(self, task: Any) -> Request:
        return build(ParathenSeqTaskGeneratePrompt(), {"task": as_text(task)})

    async def answer(self, ask: Ask, task: Any) -> tuple[str, ...]:
        heads = ("Parallel Task", "Subsequent Task", "Composition Task")
        return await ask.read(self.request(task), lambda reply: other_than(task, headed(reply, *heads)))


def other_than(task: Any, parts: tuple[str, ...]) -> tuple[str, ...]:
    """The parts of a task, if none of them is another, the task itself, or a task of the prompt's examples."""
    said = [plain(t) for t in (as_text(task), *parts)]
    if len(set(said)) < len(said):
        raise ReplyError(f"the same task twice: {clip(parts[-1])}")
    if not covers(parts[-1], as_text(task)):
        raise ReplyError(f"the composition task leaves out the task itself: {clip(parts[-1])}")
    if copied := [part for part in parts if plain(part) in _SHOWN]:
        raise ReplyError(f"the example of the prompt again: {clip(copied[0])}")
    return parts


def covers(whole: str, task: str) -> bool:
    """Whether at least a third of a task's longer words, by how they begin, stand in the task that it is a part of."""
    begins = {word[:4] for word in _WORD.findall(task.casefold())}
    return 3 * sum(b in whole.casefold() for b in begins) >= len(begins)


@prompt_restrict(CompositionTaskFilterPrompt)
class CompositionTaskFilter(Generate):
    """Keep the tasks that their sub-tasks achieve, as a model judges: one call a row.

    The reason of a dropped row is the model's. A row with a null is dropped without a call, with the reason
    `null`; a reply without a verdict (`achieved`, or yes or no in an `ans` tag) fails the row instead of dropping it.
    """

    input_composition_task_key = In(doc="the task as a whole")
    input_sub_tasks_keys = In(doc="the columns of its sub-tasks", type="any", many=True)
    output_key = Out(doc="1 on every kept row; written where it is named", type="int", optional=True)

    def skips(self, row: tuple[Any, ...]) -> bool:
        return any_null(row)

    def request(self, task: Any, sub_tasks: list[Any]) -> Request:
        slots = {"task": as_text(task), "sub_tasks": listed(sub_tasks)}
        return build(CompositionTaskFilterPrompt(), slots)

    def parse(self, reply: str) -> int | str:
        """1 for yes; for no, the reason."""
        achieved, reasons = _verdict(reply)
        if achieved:
            return 1
        return f"not achieved: {shown(reasons)}" if reasons else "not achieved"

    def finish(self, frame: pl.DataFrame, binding: Binding, results: list[Any]) -> Outcome:
        return divided(self, frame, binding, results, _reason)


def _verdict(reply: str) -> tuple[bool, str]:
    """Whether the task is achieved, and why."""
    text = without_thinking(reply)
    if found := list(_VERDICT.finditer(text)):
        return found[-1]["verdict"].lower() == "yes", " ".join(text[: found[-1].start()].split())
    said = read_object(reply, CompositionVerdict)
    return said.achieved, " ".join(said.reason.split())


def _reason(result: int | str | None) -> str | None:
    return "null" if result is None else None if result == 1 else str(result)
