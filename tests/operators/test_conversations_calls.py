"""Conversations with function calls: what is refused, told and kept, and whether the values of calls were said."""

from __future__ import annotations

import json
import random
from typing import Any

import jsonschema
import pytest
from conversations_cases import BOOKED, END, FOUND, KEYS, OPENING, PLAN, ROW, Agents, call

from dataflow.core.frames import records
from dataflow.core.outcome import Outcome
from dataflow.core.protocols import Request
from dataflow.operators.conversations import MultiTurnConversationGenerator
from dataflow.operators.conversations._functions import schema_of
from dataflow.operators.conversations._grounding import Said, unsaid
from dataflow.testing import run_rows


def played(
    *moves: str | None, row: dict[str, Any] = ROW, agents: Agents | None = None, **settings: Any
) -> Outcome:
    return run_rows(MultiTurnConversationGenerator(agents or Agents(*moves), **settings), [row], **KEYS)


def turns(done: Outcome) -> list[dict[str, Any]]:
    (row,) = records(done.frame)
    conversation: list[dict[str, Any]] = row["conversations"]
    return conversation


def why(done: Outcome) -> str:
    assert (done.frame.height, done.failed.height) == (0, 0)
    reason: str = done.dropped["reason"].item()
    return reason


def test_a_conversation_with_two_calls() -> None:
    said = turns(played(call(FOUND), call(BOOKED), END))
    assert [t["role"] for t in said] == [
        "system",
        "user",
        "assistant",
        "tool",
        "assistant",
        "tool",
        "assistant",
    ]
    assert said[1]["content"] == OPENING
    assert "find_trains" in said[0]["content"]
    assert said[2]["content"] == call(FOUND)
    assert said[2]["tool_calls"] == [{"id": "call_1", "type": "function", "function": FOUND}]
    assert said[3] == {
        "role": "tool",
        "tool_call_id": "call_1",
        "name": "find_trains",
        "content": '{"trains":["ICE 515"]}',
    }
    assert said[5]["tool_call_id"] == "call_2"
    assert said[6] == {"role": "assistant", "content": END}


def test_calls_made_together_each_get_their_result() -> None:
    other = FOUND | {"arguments": FOUND["arguments"] | {"origin": "Ulm", "destination": "Bonn"}}
    said = turns(played(call(FOUND, other), END))
    assert [t.get("tool_call_id") for t in said if t["role"] == "tool"] == ["call_1", "call_2"]


def test_each_agent_is_told_what_it_may_know() -> None:
    agents = Agents(call(FOUND), call(BOOKED), END)
    played(agents=agents)
    opening, first, tool, second, other_tool, last = agents.requests
    assert [m["role"] for m in last.messages] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert '<func_return name="book_seats">' in last.messages[-1]["content"]
    assert first.messages[0] == last.messages[0]
    assert "find_trains" not in str(opening)
    assert "Bonn" not in str(first.messages[0])
    assert "ICE 515" in str(other_tool.messages[-1]["content"]).partition("</earlier>")[0]
    assert "ICE 515" not in str(tool)
    assert second.messages[1]["content"] == OPENING


def test_results_that_the_assistant_makes_up_are_cut_off() -> None:
    made_up = call(FOUND, then="\n<func_return>{}</func_return><final>Done.</final>")
    said = turns(played(made_up, END))
    assert said[2]["content"] == call(FOUND)
    assert said[-1]["content"] == END


def test_a_question_is_answered_by_the_user() -> None:
    agents = Agents("<thought>t</thought><question>How many seats?</question>", call(FOUND), END)
    said = turns(played(agents=agents))
    assert [t["role"] for t in said[:4]] == ["system", "user", "assistant", "user"]
    assert said[3]["content"] == "Two."
    asked = str(agents.requests[2].messages[-1]["content"])
    assert "assistant: How many seats?" in asked
    assert "<thought>" not in asked


REFUSED = {
    "unknown function": (call(FOUND | {"name": "find_train"}), "there is no function 'find_train'; there are find_trains, book_seats. Did you mean 'find_trains'?"),
    "a missing argument": (call(FOUND | {"arguments": {"origin": "Bonn"}}), "'destination' is a required property"),
    "an unknown argument": (call(FOUND | {"arguments": FOUND["arguments"] | {"class": 2}}), "Additional properties are not allowed"),
    "an argument of another type": (call(BOOKED | {"arguments": {"train": "3 May", "seats": "two"}}), "book_seats: seats: 'two' is not of type 'integer'"),
    "an argument out of range": (call(BOOKED | {"arguments": {"train": "3 May", "seats": 0}}), "0 is less than the minimum of 1"),
    "no arguments": (call({"name": "find_trains"}), "arguments is no object"),
    "no call": (call(), "no JSON list of calls"),
    "not JSON": ("<func_call>find it</func_call>", "no JSON list of calls"),
    "no name": (call({"arguments": {}}), 'a call is an object with "name" and "arguments"'),
    "one of two": (call(FOUND, BOOKED), "book_seats: train='ICE 515' was neither said"),
    "a value made up": (call(FOUND | {"arguments": FOUND["arguments"] | {"origin": "Mainz"}}), "find_trains: origin='Mainz' was neither said"),
    "a date made up": (call(FOUND | {"arguments": FOUND["arguments"] | {"date": "2026-05-04"}}), "date='2026-05-04' was neither said"),
    "an end before any call": ("<final>It is done already.</final>", "no function has been called yet"),
    "an empty end": ("<final> </final>", "the final answer is empty"),
}  # fmt: skip


@pytest.mark.parametrize(("move", "fault"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_count_is_told_and_not_kept(move: str, fault: str) -> None:
    agents = Agents(move, call(FOUND), END)
    said = turns(played(agents=agents))
    told = str(agents.requests[2].messages[-1]["content"])
    assert told.startswith("<func_error>")
    assert fault in told
    assert move not in [t["content"] for t in said]
    assert "func_error" not in str(said[1:])
    assert said == turns(played(call(FOUND), END))


@pytest.mark.parametrize(("move", "fault"), REFUSED.values(), ids=REFUSED)
def test_a_row_that_does_not_finish_says_why(move: str, fault: str) -> None:
    reason = why(played(move, max_rounds=2))
    assert reason.startswith("not finished after 2 rounds; the last reply was refused: ")
    assert fault[:60] in reason


def test_the_bound_of_rounds() -> None:
    assert turns(played(call(FOUND), call(BOOKED), END, max_rounds=3))
    assert why(played(call(FOUND), call(BOOKED), END, max_rounds=2)) == "not finished after 2 rounds"
    agents = Agents("How many?")
    assert why(played(agents=agents)) == "not finished after 5 rounds"
    assert len(agents.requests) == 1 + 5 * 2


def test_a_refused_value_does_not_become_one_that_was_said() -> None:
    """The refusal names the value, and so would the assistant's own words."""
    invented = call(FOUND | {"arguments": FOUND["arguments"] | {"origin": "Mainz"}})
    assert "Mainz" in why(played(invented))


def test_values_may_be_free() -> None:
    invented = FOUND | {"arguments": FOUND["arguments"] | {"origin": "Mainz"}}
    assert turns(played(call(invented), END, strict=False))[2]["tool_calls"][0]["function"] == invented


@pytest.mark.parametrize("broken", ["human", "func_return"])
def test_agents_that_say_nothing_fail_their_row(broken: str) -> None:
    class Mute(Agents):
        def _reply(self, prompt: str, row: str, sample: int) -> str | None:
            reply = super()._reply(prompt, row, sample) or ""
            return f"<{broken}></{broken}>" if f"<{broken}>" in reply else reply

    done = played(agents=Mute(call(FOUND), END))
    assert (done.frame.height, done.failed.height, done.dropped.height) == (0, 1, 0)


def test_servings_that_answer_lists_get_whole_conversations() -> None:
    class Lists:
        def __init__(self, agents: Agents) -> None:
            self.agents, self.sizes = agents, list[int]()

        def generate_from_input(self, user_inputs: list[str], system_prompt: str = "", json_schema: Any = None) -> list[str | None]:  # fmt: skip
            return [self._one([{"role": "system", "content": system_prompt}, {"role": "user", "content": u}]) for u in user_inputs]  # fmt: skip

        def generate_from_conversations(self, conversations: list[Any]) -> list[str | None]:
            self.sizes.append(len(conversations))
            return [self._one(c) for c in conversations]

        def _one(self, messages: list[dict[str, str]]) -> str | None:
            self.agents.requests.append(Request(tuple(messages)))
            return self.agents._reply(messages[-1]["content"], "0", 0)

    serving = Lists(Agents(call(FOUND), call(BOOKED), END))
    done = run_rows(MultiTurnConversationGenerator(serving), [ROW, ROW], **KEYS)
    assert records(done.frame)[0]["conversations"] == turns(played(call(FOUND), call(BOOKED), END))
    assert serving.sizes == [2, 2]


VALUES: list[Any] = ["Bonn", "Ulm", "Mainz", "2026-05-03", "3 May 2026", "2026-05-04", "ICE 515", 2, 1, "two", 7, "", None, True, "standard", "premium", "gold"]  # fmt: skip


@pytest.mark.parametrize("seed", range(60))
def test_every_call_that_is_kept_is_valid_and_made_of_what_was_said(seed: int) -> None:
    """Whatever an assistant does: what is kept meets the schemas, and stands in the conversation."""
    draw = random.Random(seed)

    def move() -> str:
        kind = draw.random()
        if kind < 0.2:
            return draw.choice([END, "<question>How many?</question>", "<func_call>[", "Hm."])
        made = []
        for _ in range(draw.randint(1, 2)):
            base = json.loads(json.dumps(draw.choice([FOUND, BOOKED])))
            for _ in range(draw.choice([0, 0, 1, 2])):
                name = draw.choice([*base["arguments"], "travel_class"])
                base["arguments"][name] = draw.choice(VALUES)
            made.append(base)
        return call(*made)

    done = played(*[move() for _ in range(9)], END, max_rounds=12)
    specs = {f["name"]: f for item in PLAN for f in item["func_list"]}  # type: ignore[attr-defined]
    assert done.failed.height == 0
    for row in records(done.frame):
        heard: list[str] = []
        made = 0
        for turn in row["conversations"]:
            for made_call in turn.get("tool_calls", ()):
                made += 1
                function = made_call["function"]
                spec = specs[function["name"]]
                jsonschema.validate(function["arguments"], schema_of(spec))
                assert unsaid(function["arguments"], spec["parameters"], Said(heard)) == []
                for name, value in function["arguments"].items():
                    if name != "travel_class":
                        assert value not in ("Mainz", "2026-05-04", 7, "gold")
                        assert value != "ICE 515" or any("ICE 515" in h for h in heard)
            if turn["role"] in ("user", "tool"):
                heard.append(turn["content"])
        assert made >= 1


def test_the_property_is_about_something() -> None:
    """Moves as above do lead to conversations that are kept."""
    assert turns(played("Hm.", call(FOUND | {"arguments": {}}), call(FOUND), END, max_rounds=12))


SAID = (
    "I need two hundred and five tiles, 1,200 screws and 3.5 kg of glue by the 3rd of May 2026, at 2:30 pm. My number is "
    "+49 (228) 123-4567, write to Ann.Lee@mail.example. Ship the blue shirts to 12 Elm Street; a discount of 15% applies. "
    "我在北京工作。 It costs 2 million, or 50k. Frühstück am 7. 9. 2027."
)


@pytest.mark.parametrize(
    "value",
    [
        205, "205", 1200, "1200", 3.5, "3.5 kg", "2026-05-03", "14:30", "2026-05-03T14:30", "2:30 PM", 0.15, 15, "15%",
        "+492281234567", "(228) 123 4567", "ann.lee@mail.example", "BLUE SHIRT", "blue_shirts", "12 Elm Street",
        "Elm Street 12", "北京", 2_000_000, 50_000, "May", True, None, "", "FRÜHSTÜCK", "2027-09-07", "the tiles",
    ],
)  # fmt: skip
def test_values_that_were_said(value: Any) -> None:
    assert Said([SAID]).has(value)


@pytest.mark.parametrize(
    "value",
    [
        206, "206", 3.6, "2026-05-04", "2025-05-03", "2026-06-03", "2026-13-03", "14:31", "02:30", "2026-05-03T15:30",
        "+492281234568", "ann.lee@mail.test", "red shirt", "13 Elm Street", "上海", "Elm Avenue", "El", "!", "shirtless", 0.2,
    ],
)  # fmt: skip
def test_values_that_were_not_said(value: Any) -> None:
    assert not Said([SAID]).has(value)


def test_values_inside_of_values() -> None:
    parameters = {
        "when": {"type": "object", "properties": {"day": {"enum": ["mon"]}, "slot": {"anyOf": [{"const": 9}, {"type": "string"}]}}},
        "tags": {"type": "array", "items": {"enum": ["urgent"]}},
        "unit": {"type": "string", "default": "metric"},
    }  # fmt: skip
    good = {"when": {"day": "mon", "slot": 9}, "tags": ["urgent", "tile"], "unit": "metric"}
    bad = {"when": {"day": "tue", "slot": 8}, "tags": ["late"], "unit": "imperial", "other": {"x": ["y"]}}
    said = Said(["tiles"])
    assert unsaid(good, parameters, said) == []
    assert unsaid(bad, parameters, said) == [
        "when/day='tue'",
        "when/slot=8",
        "tags='late'",
        "unit='imperial'",
        "other/x='y'",
    ]
