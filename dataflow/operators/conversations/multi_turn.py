"""Conversations in which an assistant gets a task done by calling functions, all played by a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import polars as pl
from pydantic import Field

from dataflow.core.asking import Ask, together
from dataflow.core.frames import as_text, dumps
from dataflow.core.generate import Generate, build
from dataflow.core.outcome import Outcome, shown
from dataflow.core.ports import Binding, In, Out
from dataflow.core.prompt import prompt_restrict
from dataflow.core.protocols import Request
from dataflow.operators.conversations._dialogue import Dialogue, human, move_of, result_of
from dataflow.operators.conversations._functions import Spec, functions_of, result_schema
from dataflow.operators.conversations._replies import any_null, divided, listed
from dataflow.prompts.conversations import (
    ConversationAssistantPrompt,
    ConversationToolPrompt,
    ConversationUserPrompt,
)


@prompt_restrict(ConversationUserPrompt, ConversationAssistantPrompt, ConversationToolPrompt)
class MultiTurnConversationGenerator(Generate):
    """Play out conversations in which an assistant gets each task done by calling functions.

    A model plays all: the user, who opens and answers questions; the assistant, once a round; and the functions,
    once a call: 2 calls a row at least, mostly 2 a round. The cell is a list of turns with `role` (`system`, `user`,
    `assistant`, `tool`) and `content`; calls also stand in `tool_calls` with `id`, `name` and `arguments`.

    A call counts only if there is such a function, its arguments meet the JSON schema, and, where `strict`,
    each text and number in them was said by the user or returned by a function before, in these words or as
    another form of the same number, date or time; values that the schema itself names are free. No call counts
    twice. Else the assistant is told why, which takes the round, and neither is kept. A row is dropped with a
    reason where it has not come to a final answer after `max_rounds` rounds, or has a null; it fails where the
    user, the assistant or a function says nothing that can be read.
    """

    max_rounds: int = Field(5, ge=1)
    """Most replies of the assistant in a conversation."""
    strict: bool = True
    """Whether the values of arguments must come from the conversation."""

    input_task_key = In(doc="the task as a whole")
    input_sub_tasks_keys = In(doc="the columns of its sub-tasks", type="any", many=True)
    input_functions_key = In(doc="the functions, as `FunctionGenerator` writes them", type="json")
    output_conversations_key = Out("conversations", "the turns of the finished conversation", type="json")

    def skips(self, row: tuple[Any, ...]) -> bool:
        return any_null(row)

    async def answer(self, ask: Ask, task: Any, sub_tasks: list[Any], functions: Any) -> list[Any] | str:
        """The turns of the conversation, or the reason why it is dropped."""
        specs = functions_of(functions)
        slots = {"sub_task": listed(sub_tasks), "sub_task_func": dumps(list(specs.values()))}
        talk = Dialogue(ConversationAssistantPrompt().build_prompt(**slots), specs, self.strict)
        user = {"task": as_text(task)}
        talk.user(await ask.read(build(ConversationUserPrompt(), user), human))
        for _ in range(self.max_rounds):
            move = await ask.read(talk.request(), move_of)
            if why := talk.fault(move):
                talk.refuse(move, why)
            elif move.calls is not None:
                talk.called(move, await self._results(ask, talk, move.calls))
            else:
                talk.assistant(move)
                if move.final:
                    return talk.kept()
                more = build(ConversationUserPrompt(), user | {"conversation": talk.text()})
                talk.user(await ask.read(more, human))
        last = f"; the last reply was refused: {talk.refusal}" if talk.refusal else ""
        return f"not finished after {self.max_rounds} rounds{last}"

    async def _results(self, ask: Ask, talk: Dialogue, calls: Sequence[Any]) -> list[str]:
        specs = [talk.specs[call["name"]] for call in calls]
        earlier = "\n".join(talk.returned)
        asked = (
            ask.read(_to_tool(call, spec, earlier), partial(result_of, spec=spec))
            for call, spec in zip(calls, specs, strict=True)
        )
        return await together(*asked)

    def finish(self, frame: pl.DataFrame, binding: Binding, results: list[Any]) -> Outcome:
        return divided(self, frame, binding, results, _reason)


def _to_tool(call: Mapping[str, Any], spec: Spec, earlier: str) -> Request:
    told = {"description": spec["description"], "responses": spec["responses"]}
    function = dumps({"name": call["name"], "arguments": call["arguments"]} | told)
    asked = build(ConversationToolPrompt(), {"function": function, "earlier": earlier})
    return Request(asked.messages, result_schema(spec))


def _reason(result: list[Any] | str | None) -> str | None:
    return "null" if result is None else shown(result) if isinstance(result, str) else None
