"""The prompts of dialogues that keep to one intent and topic: first the user's turns, then all answers."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from dataflow.core.errors import ConfigError
from dataflow.core.prompt import Prompt

INTENTS = Path(__file__).with_name("intents.json")


class Intent(BaseModel):
    """What people talk to an assistant for: how such dialogues go, and what they are about."""

    intent: str
    flows: list[str]
    topics: list[str]


class ChatTurns(BaseModel):
    """What a user says in a dialogue, turn by turn."""

    category: str = ""
    turns: list[str]


class ChatResponses(BaseModel):
    """What the assistant answers, one a turn."""

    responses: list[str]


@cache
def intents() -> tuple[Intent, ...]:
    """The nine intents with their flows and topics."""
    return tuple(Intent.model_validate(i) for i in json.loads(INTENTS.read_text("utf-8")))


QUERIES = Prompt(
    "<topic>\n{topic}\n</topic>\n"
    "<person>\n{person}\n</person>\n"
    "<intent>\n{intent}\n</intent>\n"
    "<flow>\n{flow}\n</flow>\n"
    "Write {num_turns} messages that this person sends to an assistant about the topic, one after the other, as the flow "
    "says. After each the assistant answers, but you leave the answers out. Every message is in the person's own words, with "
    "`I` and `my`, one to three sentences long, and says or asks something new about the topic. Only the last one may take "
    "leave.\n"
    'Reply with JSON only: {"turns": ["the first message", "the second message", "and so on"]}',
    "You write what people type into a chat with an assistant.",
    ChatTurns,
)
RESPONSES = Prompt(
    "<topic>\n{topic}\n</topic>\n"
    "<turns>\n{queries}\n</turns>\n"
    "Between the tags stands, numbered, all that a user says in one dialogue. Write the assistant's answer to each "
    "turn. Each answers the turn it belongs to, knows what was said up to there and nothing of what comes later, and "
    "contradicts none of the others. {num_turns} turns take {num_turns} answers.\n"
    'Reply with JSON only, in the order of the turns: {"responses": ["…", "…"]}',
    "You are a helpful assistant whose answers are correct, concrete, and no longer than they must be.",
    ChatResponses,
)


class ConsistentChatPrompt(Prompt):
    """A dialogue in two steps: the user's turns about a topic (`query`), then an answer to each (`response`).

    `part` gives the template of either step. `build_prompt` fills it in: in mode `query` it gives a list, one prompt
    for each of `num_dialogs_per_intent` topics of every intent; in mode `response` one prompt.

    Raises:
        ConfigError: another mode, or a mode without its arguments, by `build_prompt`.
    """

    template = QUERIES.template

    def part(self, mode: Literal["query", "response"]) -> Prompt:
        return QUERIES if mode == "query" else RESPONSES

    @property
    def version(self) -> str:
        return f"{QUERIES.version}{RESPONSES.version}"

    def build_prompt(  # type: ignore[override]  # a list in one mode, as pipelines expect
        self,
        mode: str = "query",
        num_dialogs_per_intent: int | None = None,
        topic: str | None = None,
        queries: list[str] | None = None,
        num_turns: int = 6,
        **values: Any,
    ) -> str | list[str]:
        if mode == "query" and num_dialogs_per_intent is not None:
            return [self._query(i, n, num_turns) for i in intents() for n in range(num_dialogs_per_intent)]
        if mode == "response" and topic is not None and queries is not None:
            slots = {"topic": topic, "queries": numbered(queries), "num_turns": len(queries)}
            return RESPONSES.build_prompt(**slots)
        raise ConfigError(
            f"ConsistentChatPrompt: mode={mode!r} is 'query' with num_dialogs_per_intent, or 'response' with topic and queries"
        )

    def _query(self, intent: Intent, n: int, num_turns: int) -> str:
        topic = intent.topics[n % len(intent.topics)]
        flow = intent.flows[n % len(intent.flows)]
        return QUERIES.build_prompt(
            intent=intent.intent, topic=topic, flow=flow, person=f"Person {n + 1}", num_turns=num_turns
        )


def numbered(turns: list[str]) -> str:
    """Turns as the lines of a prompt."""
    return "\n".join(f"{n}. {turn}" for n, turn in enumerate(turns, 1))
