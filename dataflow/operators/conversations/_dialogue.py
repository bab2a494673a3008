"""A conversation with function calls as it goes on: what the assistant sees of it, and what is kept of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dataflow.core.errors import ReplyError
from dataflow.core.frames import dumps
from dataflow.core.protocols import Request
from dataflow.core.replies import clip, parse_json, without_thinking
from dataflow.operators.conversations._functions import Spec, call_fault, result_fault
from dataflow.operators.conversations._grounding import Said, unsaid
from dataflow.operators.conversations._replies import tagged

_MOVE = re.compile(
    r"<(?P<kind>func_call|question|final)>(?P<said>.*?)(?:(?P<closed></(?P=kind)>)|\Z)",
    re.IGNORECASE | re.DOTALL,
)
Call = dict[str, Any]


@dataclass(frozen=True)
class Move:
    """What a reply of the assistant does: it calls functions, asks the user, or ends the conversation."""

    text: str
    """The reply, up to the end of the move."""
    calls: Sequence[Any] | None = None
    question: str = ""
    final: str = ""


def move_of(reply: str) -> Move:
    """The first move in a reply, which is a question where it is none of the three; what follows it is cut off.

    Raises:
        ReplyError: the reply is empty.
    """
    text = without_thinking(reply)
    if not text:
        raise ReplyError("the assistant said nothing")
    found = _MOVE.search(text)
    if found is None:
        return Move(text, question=text)
    kind, said = found["kind"].lower(), found["said"].strip()
    text = text[: found.end()] + ("" if found["closed"] else f"</{kind}>")
    match kind:
        case "func_call":
            return Move(text, calls=_calls(said))
        case "final":
            return Move(text, final=said)
    return Move(text, question=said)


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
    made: set[str] = field(default_factory=set)
    """The calls so far, as text."""
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
        self.made.add(_key(call))
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
        return "no function has been called yet" if move.final else "nothing is said in <question> or <final>"

    def _call_fault(self, calls: Sequence[Any]) -> str:
        if not calls:
            return 'no JSON list of calls, each with "name" and "arguments", in <func_call>'
        if faults := [f for f in (call_fault(c, self.specs) for c in calls) if f]:
            return "; ".join(faults)
        keys = [_key(c) for c in calls]
        if self.made & set(keys) or len(set(keys)) < len(keys):
            return "a call was made before with the same arguments: use what it returned, or give the final answer"
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


def _key(call: Call) -> str:
    return dumps([call["name"], sorted(call["arguments"].items())])


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


def result_of(reply: str, spec: Spec) -> str:
    """What a function returns in a reply, as JSON text.

    Raises:
        ReplyError: no JSON object or list, or one that lacks what the function promises to return.
    """
    text = without_thinking(reply)
    block = tagged(text, "func_return")
    try:
        result = parse_json(text if block is None else block)
    except ReplyError as error:
        raise ReplyError(f"{spec['name']} returned no JSON, in the reply {clip(reply)}") from error
    if fault := result_fault(result, spec):
        raise ReplyError(f"{spec['name']} returned {fault}, in the reply {clip(reply)}")
    return dumps(result)
