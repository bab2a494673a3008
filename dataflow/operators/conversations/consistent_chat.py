"""Dialogues made up from intents and topics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from random import Random
from typing import Any

from pydantic import Field, ValidationError

from dataflow.core.asking import Ask
from dataflow.core.errors import ReplyError
from dataflow.core.generate import Source, build
from dataflow.core.ports import Binding, Out
from dataflow.core.prompt import DIYPromptABC, PromptABC, prompt_restrict
from dataflow.core.protocols import Request
from dataflow.core.replies import clip, parse_json
from dataflow.operators.conversations._replies import plain
from dataflow.prompts.consistent_chat import (
    ChatResponses,
    ChatTurns,
    ConsistentChatPrompt,
    intents,
    numbered,
)

_DEFAULT = ConsistentChatPrompt()
_AGES = (
    "a teenager",
    "a student",
    "somebody in their thirties",
    "a parent of small children",
    "somebody over seventy",
)
_MANNERS = ("in a hurry", "careful and precise", "chatty", "sceptical", "shy", "cheerful", "rather tired")
_BACKGROUNDS = (
    "new to the matter",
    "with some experience",
    "who read a little about it",
    "who failed at it once",
)

_FEW_WORDS = 4
"""Fewer may be said twice, such as thanks."""

Turns = list[dict[str, str]]


@prompt_restrict(ConsistentChatPrompt)
class ConsistentChatGenerator(Source):
    """Make up dialogues that keep to one intent and topic: two model calls for each row.

    For each of nine intents `num_dialogs_per_intent` dialogues are made: first all that the user says in
    `num_turns_per_dialog` turns, then the answers. Topic, course of the dialogue and person are drawn by `seed`
    and the row's number; no topic of an intent comes again before all 24 have come. More turns than asked for are
    cut off. A reply with fewer turns, or not one answer to each, fails its row; so does one in which four words or more are said
    as two turns or two answers, or an answer says its turn again.
    """

    num_dialogs_per_intent: int = Field(20, ge=0)
    """How many rows are made for each of the nine intents."""
    num_turns_per_dialog: int = Field(6, ge=1)
    """How many turns the user has in a dialogue, each with an answer."""
    temperature: float = Field(0.9, ge=0)
    """Kept for pipelines that give it: how replies are sampled is set where the serving is made. Rows differ at 0 too."""
    prompt_template: ConsistentChatPrompt | DIYPromptABC | None = None
    """What is asked; a user's own may take `mode` (`query` or `response`), `topic`, `queries`, `intent`, `flow`, `person`, `num_turns`."""
    seed: int = 0
    """Changes which topic, course and person each row gets."""

    output_category_key = Out("category", "the intent")
    output_conversation_key = Out(
        "conversation", "the turns, each with `role` (`user` or `assistant`) and `value`", type="json"
    )

    @property
    def prompt(self) -> PromptABC:
        return self.prompt_template or _DEFAULT

    def slot_names(self, binding: Binding) -> set[str]:
        return {"mode", "topic", "queries", "intent", "flow", "person", "num_turns"}

    def total(self) -> int:
        return len(intents()) * self.num_dialogs_per_intent

    async def make(self, ask: Ask, number: int) -> tuple[str, Turns]:
        drawn = self.drawn(number)
        turns = await ask.read(self._request("query", drawn), self.turns)
        asked = {"topic": drawn["topic"], "queries": numbered(turns), "num_turns": len(turns)}
        answers = await ask.read(self._request("response", asked), partial(self.answers, turns=turns))
        said = zip(turns, answers, strict=True)
        roles = ("user", "assistant")
        return drawn["intent"], [
            {"role": r, "value": v} for pair in said for r, v in zip(roles, pair, strict=True)
        ]

    def drawn(self, number: int) -> dict[str, Any]:
        """What the row of that number is about, and who speaks."""
        which, nth = divmod(number, self.num_dialogs_per_intent)
        intent = intents()[which]
        topics = Random(f"{self.seed}/{which}").sample(intent.topics, len(intent.topics))
        draw = Random(f"{self.seed}/{which}/{nth}")
        person = f"{draw.choice(_AGES)}, {draw.choice(_MANNERS)}, {draw.choice(_BACKGROUNDS)}"
        if again := nth // len(topics):
            person += f"; number {again + 1} of those who ask about it"
        return {
            "intent": intent.intent,
            "topic": topics[nth % len(topics)],
            "flow": draw.choice(intent.flows),
            "person": person,
            "num_turns": self.num_turns_per_dialog,
        }

    def _request(self, mode: str, slots: dict[str, Any]) -> Request:
        if isinstance(self.prompt, ConsistentChatPrompt):
            asked = build(self.prompt.part("query" if mode == "query" else "response"), slots)
            return Request(
                asked.messages, listing(asked.schema or {}, slots["num_turns"], mode == "response")
            )
        return build(self.prompt, slots | {"mode": mode})

    def turns(self, reply: str) -> list[str]:
        """What the user says, as many turns as are wanted."""
        made = parse_json(reply)
        said = _texts(ChatTurns, {"turns": made} if isinstance(made, list) else made, "turns", reply)
        if len(said) < self.num_turns_per_dialog:
            raise ReplyError(
                f"{len(said)} turns, not {self.num_turns_per_dialog}, in the reply {clip(reply)}"
            )
        return distinct(said[: self.num_turns_per_dialog], "turns")

    def answers(self, reply: str, turns: Sequence[str]) -> list[str]:
        """An answer to each turn: a list of texts, or of objects with a `response`."""
        made = parse_json(reply)
        answers = made if isinstance(made, list) else made.get("responses")
        if isinstance(answers, list):
            answers = [a.get("response") if isinstance(a, dict) else a for a in answers]
        said = _texts(ChatResponses, {"responses": answers}, "responses", reply)
        if len(said) != len(turns):
            raise ReplyError(f"{len(said)} answers to {len(turns)} turns, in the reply {clip(reply)}")
        pairs = enumerate(zip(turns, said, strict=True), 1)
        if echo := next((n for n, pair in pairs if len(set(map(plain, pair))) == 1), 0):
            raise ReplyError(f"answer {echo} says turn {echo} again: {clip(turns[echo - 1])}")
        return distinct(said, "answers")


def listing(schema: Mapping[str, Any], count: int, exact: bool) -> dict[str, Any]:
    """A schema of an object with a list of so many items, or up to twice as many."""
    named = schema["properties"].items()
    counted = {"minItems": count, "maxItems": count if exact else 2 * count}
    return {**schema, "properties": {k: v | counted if v["type"] == "array" else v for k, v in named}}


def distinct(said: list[str], what: str) -> list[str]:
    """The texts, if none of more than a few words is said twice."""
    first: dict[str, int] = {}
    for n, text in enumerate(said, 1):
        before = first.setdefault(plain(text), n)
        if before < n and len(text.split()) >= _FEW_WORDS:
            raise ReplyError(f"{what} {before} and {n} are the same: {clip(text)}")
    return said


def _texts(shape: type[ChatTurns | ChatResponses], made: Any, field: str, reply: str) -> list[str]:
    """The texts of a reply, none of them blank."""
    try:
        found: list[str] = getattr(shape.model_validate(made), field)
    except ValidationError as error:
        fault = error.errors()[0]
        raise ReplyError(
            f"{'/'.join(map(str, fault['loc']))}: {fault['msg']}, in the reply {clip(reply)}"
        ) from error
    if blank := [n for n, text in enumerate(found, 1) if not text.strip()]:
        raise ReplyError(f"{field} {blank[0]} is blank, in the reply {clip(reply)}")
    return [text.strip() for text in found]
