"""A conversation with function calls as it goes on: what the assistant sees of it, and what is kept of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dataflow.core.errors import ReplyError
from dataflow.core.frames import as_text, dumps
from dataflow.core.protocols import Request
from dataflow.core.replies import clip, parse_json, without_thinking
from dataflow.operators.conversations._functions import Spec, call_fault
from dataflow.operators.conversations._grounding import Said, unsaid
from dataflow.operators.conversations._replies import tagged

_CALL_END = re.compile(r"</func_call>", re.IGNORECASE)
Call = dict[str, Any]


@dataclass(frozen=True)
class Move:
    """What a reply of the assistant does: it calls functions, asks the user, or ends the conversation."""

    text: str
    """The reply, up to the end of its calls."""
    calls: Sequence[Any] | None = None
    question: str = ""
    final: str = ""


def move_of(reply: str) -> Move:
    """The move in a reply; what follows after a call is made up, and cut off.

    Raises:
        ReplyError: the reply is empty.
    """
    text = without_thinking(reply)
    if not text:
        raise ReplyError("the assistant said nothing")
    if (block := tagged(text, "func_call")) is not None:
        end = _CALL_END.search(text)
        text = text[: end.end()] if end else f"{text}</func_call>"
        return Move(text, calls=_calls(block))
    if (final := tagged(text, "final")) is not None:
        return Move(text, final=final)
    return Move(text, question=tagged(text, "question") or text)


def _calls(block: str) -> list[Any]:
    try:
        found = parse_json(block)
    except ReplyError:
        return []
    calls = found if isinstance(found, list) else [found]
    return [_with_object(c) for c in calls]


def _with_object(call: Any) -> Any:
    """A call whose arguments, given as JSON text, are an object."""
    if isinstance(call, dict) and isinstance(call.get("arguments"), str):
        try:
            return call | {"arguments": parse_json(call["arguments"], dict)}
        except ReplyError:
            return call
    return call


@dataclass
class Dialogue:
    """One row's conversation."""

    brief: str
    """What the assistant is told of its functions."""
    specs: Mapping[str, Spec]
    strict: bool = True
    turns: list[dict[str, Any]] = field(default_factory=list)
    """What is kept: no refused call is among it."""
    shown: list[dict[str, str]] = field(default_factory=list)
    """What the assistant sees: the results of its functions as a user's messages, and why calls were refused."""
    heard: list[str] = field(default_factory=list)
    """What the user and the functions said."""
    returned: list[str] = field(default_factory=list)
    calls: int = 0
    refusal: str = ""
    """Why the last move was refused, if it was."""

    def request(self) -> Request:
        return Request(({"role": "system", "content": self.brief}, *self.shown))

    def user(self, text: str) -> None:
        self.turns.append({"role": "user", "content": text})
        self._show("user", text)
        self.heard.append(text)

    def assistant(self, move: Move) -> None:
        self.refusal = ""
        self.turns.append({"role": "assistant", "content": move.text})
        self._show("assistant", move.text)

    def refuse(self, move: Move, why: str) -> None:
        """Tell the assistant why its move does not count; neither is kept."""
        self.refusal = why
        self._show("assistant", move.text)
        self._show("user", f"<func_error>{why}</func_error>")

    def called(self, move: Move, results: Sequence[str]) -> None:
        """Keep a call with its results."""
        self.assistant(move)
        made = [self._made(call) for call in move.calls or ()]
        self.turns[-1]["tool_calls"] = made
        lines = []
        for call, result in zip(made, results, strict=True):
            name = call["function"]["name"]
            self.turns.append({"role": "tool", "tool_call_id": call["id"], "name": name, "content": result})
            lines.append(f'<func_return name="{name}">{result}</func_return>')
            self.returned.append(f"{name}: {result}")
        self.heard += results
        self._show("user", "\n".join(lines))

    def _made(self, call: Call) -> dict[str, Any]:
        self.calls += 1
        function = {"name": call["name"], "arguments": call["arguments"]}
        return {"id": f"call_{self.calls}", "type": "function", "function": function}

    def _show(self, role: str, content: str) -> None:
        self.shown.append({"role": role, "content": content})

    def fault(self, move: Move) -> str:
        """Why a move cannot be taken, if it cannot."""
        if move.calls is not None:
            return self._call_fault(move.calls)
        if move.question or (move.final and self.calls):
            return ""
        return "no function has been called yet" if move.final else "the final answer is empty"

    def _call_fault(self, calls: Sequence[Any]) -> str:
        if not calls:
            return 'no JSON list of calls, each with "name" and "arguments", in <func_call>'
        if faults := [f for f in (call_fault(c, self.specs) for c in calls) if f]:
            return "; ".join(faults)
        said = Said(self.heard)
        made_up = [
            f"{c['name']}: {value}"
            for c in calls
            for value in unsaid(c["arguments"], self.specs[c["name"]]["parameters"], said)
        ]
        if made_up and self.strict:
            return f"{', '.join(made_up)} was neither said by the user nor returned by a function: ask for it"
        return ""

    def text(self) -> str:
        """The conversation as the user sees it."""
        return "\n".join(
            f"{t['role']}: {tagged(t['content'], 'question') or tagged(t['content'], 'final') or t['content']}"
            for t in self.turns
            if t["role"] == "user" or (t["role"] == "assistant" and "tool_calls" not in t)
        )

    def kept(self) -> list[dict[str, Any]]:
        return [{"role": "system", "content": self.brief}, *self.turns]


def human(reply: str) -> str:
    """What the user says in a reply.

    Raises:
        ReplyError: nothing.
    """
    text = without_thinking(reply)
    said = tagged(text, "human")
    words = text if said is None else said
    if not words:
        raise ReplyError("the user said nothing")
    return words


def result_of(reply: str) -> str:
    """What a function returns in a reply, as JSON text.

    Raises:
        ReplyError: no JSON object or list.
    """
    text = without_thinking(reply)
    block = tagged(text, "func_return")
    try:
        return dumps(parse_json(text if block is None else block))
    except ReplyError as error:
        raise ReplyError(f"a function returned no JSON, in the reply {clip(reply)}") from error


def spec_text(call: Call, spec: Spec) -> str:
    """A call beside what its function promises, as the tool is told."""
    told = {"description": spec["description"], "responses": spec["responses"]}
    return as_text({"name": call["name"], "arguments": call["arguments"]} | told)
