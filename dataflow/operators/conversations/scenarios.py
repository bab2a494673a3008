"""From dialogues to scenarios, and from scenarios to tasks."""

from __future__ import annotations

from typing import Any

from dataflow.core.asking import Ask
from dataflow.core.errors import ReplyError
from dataflow.core.frames import as_text
from dataflow.core.generate import Generate, build
from dataflow.core.ports import In, Out
from dataflow.core.prompt import prompt_restrict
from dataflow.core.protocols import Request
from dataflow.core.replies import clip
from dataflow.operators.conversations._replies import one_line, plain, transcript
from dataflow.prompts.conversations import (
    ExpandScenarioPrompt,
    ExtractScenarioPrompt,
    FuncAtomicTaskGeneratePrompt,
)

SCENARIO_WORDS, TASK_WORDS = 30, 60
"""The longest that are taken: more than was asked for, but no tale."""


@prompt_restrict(ExtractScenarioPrompt)
class ScenarioExtractGenerator(Generate):
    """Name the scenario of each dialogue in a few words: one model call a row.

    A dialogue is a text, or a list of turns with `role` and `content` or `from` and `value`. Of a reply of
    several lines the first is taken; an empty one, or one of more than 30 words, fails the row.
    """

    input_chat_key = In(doc="the dialogue", type="any")
    output_key = Out("scenario", "the scenario, at most ten words as asked for")

    def request(self, chat: Any) -> Request:
        return build(ExtractScenarioPrompt(), {"conversation": transcript(chat)})

    def parse(self, reply: str) -> str:
        return one_line(reply, SCENARIO_WORDS)


@prompt_restrict(ExpandScenarioPrompt)
class ScenarioExpandGenerator(Generate):
    """Think of another scenario in the form of each: one model call a row.

    A reply that gives back the scenario itself, or has more than 30 words, fails the row.
    """

    input_scenario_key = In(doc="the scenario")
    output_key = Out("modified_scenario", "the other scenario")

    def request(self, scenario: Any) -> Request:
        return build(ExpandScenarioPrompt(), {"scenario": as_text(scenario)})

    async def answer(self, ask: Ask, scenario: Any) -> str:
        def read(reply: str) -> str:
            other = one_line(reply, SCENARIO_WORDS)
            if plain(other) == plain(as_text(scenario)):
                raise ReplyError(f"no other scenario, but the same again: {clip(other)}")
            return other

        return await ask.read(self.request(scenario), read)


@prompt_restrict(FuncAtomicTaskGeneratePrompt)
class AtomTaskGenerator(Generate):
    """Write a task that one function call can do, for each scenario: one model call a row.

    A reply of more than 60 words fails the row.
    """

    input_scenario_key = In(doc="the scenario")
    output_key = Out("atom_task", "the task, on one line")

    def request(self, scenario: Any) -> Request:
        return build(FuncAtomicTaskGeneratePrompt(), {"scenario": as_text(scenario)})

    def parse(self, reply: str) -> str:
        return one_line(reply, TASK_WORDS)
