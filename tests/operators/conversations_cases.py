"""What each operator of conversations must do, as cases; and models that play all agents of a conversation."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from dataflow.operators.conversations.consistent_chat import ConsistentChatGenerator
from dataflow.operators.conversations.evaluate import FuncCallConversationSampleEvaluator
from dataflow.operators.conversations.functions import FunctionGenerator
from dataflow.operators.conversations.multi_turn import MultiTurnConversationGenerator
from dataflow.operators.conversations.scenarios import (
    AtomTaskGenerator,
    ScenarioExpandGenerator,
    ScenarioExtractGenerator,
)
from dataflow.operators.conversations.tasks import (
    CompositionTaskFilter,
    ParaSeqTaskGenerator,
    SequentialTaskGenerator,
)
from dataflow.testing import FAILED, Case, ScriptedServing, replies

CHAT = "USER: Move my booking to Friday.\nASSISTANT: Done."
SUBS = {"input_sub_tasks_keys": ["first", "second"]}
TASK = "Find trains from Bonn to Ulm on 3 May 2026 and book two seats."
FIND: dict[str, Any] = {
    "name": "find_trains",
    "description": "Find trains.",
    "parameters": {
        "origin": {"type": "string"},
        "destination": {"type": "string"},
        "date": {"type": "string"},
        "travel_class": {"type": "string", "enum": ["standard", "premium"]},
    },
    "required": ["origin", "destination", "date"],
    "responses": {"trains": {"type": "array"}},
}
BOOK: dict[str, Any] = {
    "name": "book_seats",
    "description": "Book seats in a train.",
    "parameters": {"train": {"type": "string"}, "seats": {"type": "integer", "minimum": 1}},
    "required": ["train", "seats"],
    "responses": {"booking": {"type": "string"}},
}
PLAN = [{"sub_task": "Find trains.", "func_list": [FIND]}, {"sub_task": "Book seats.", "func_list": [BOOK]}]
OPENING = "Which trains go from Bonn to Ulm on 3 May 2026? Book two seats in the first one, please."
FOUND = {"name": "find_trains", "arguments": {"origin": "Bonn", "destination": "Ulm", "date": "2026-05-03"}}
BOOKED = {"name": "book_seats", "arguments": {"train": "ICE 515", "seats": 2}}
END = "<thought>All is done.</thought><final>Two seats are booked in ICE 515.</final>"
ROW: dict[str, Any] = {"task": TASK, "first": "Find trains.", "second": "Book seats.", "functions": PLAN}
KEYS = {"input_task_key": "task", **SUBS, "input_functions_key": "functions"}


def call(*calls: Any, then: str = "") -> str:
    """A reply of the assistant that calls functions."""
    return f"<observation>o</observation><thought>t</thought><func_call>{json.dumps(list(calls))}</func_call>{then}"


class Agents(ScriptedServing):
    """A model that plays user and functions, and an assistant whose moves are given; the last one repeats."""

    def __init__(
        self, *moves: str | None, answer: str = "<human>Two.</human>", opening: str = OPENING
    ) -> None:
        super().__init__(*moves)
        self.moves, self.spoken, self.opening = moves, answer, opening

    def _reply(self, prompt: str, row: str, sample: int) -> str | None:
        request = self.requests[-1]
        brief = str(request.messages[0]["content"])
        if "You play a person" in brief:
            return self.spoken if "The assistant asked you" in prompt else f"<human>{self.opening}</human>"
        if "You play the software" in brief:
            found = '"find_trains"' in prompt
            return f"<func_return>{json.dumps({'trains': ['ICE 515']} if found else {'booking': 'XK-77'})}</func_return>"
        said = sum(m["role"] == "assistant" for m in request.messages)
        return self.moves[min(said, len(self.moves) - 1)]


SCENARIOS = [
    replies(
        ScenarioExtractGenerator,
        {
            "A guest moves a booking": "A guest moves a booking", '**Scenario:** "A guest moves a booking"\nThat is it.': "A guest moves a booking",
            "<think>what?</think>\n\nA guest": "A guest", "Scenario:\nA guest": "A guest", "": FAILED, "<think>": FAILED, None: FAILED,
            "word " * 30: " ".join(["word"] * 30), "word " * 31: FAILED,
        },
        row=CHAT,
        input_chat_key="chat",
    ),
    Case(
        ScenarioExtractGenerator(ScriptedServing(by=lambda p: "turns" if "user: Hi\nassistant: Hello" in p else "text")),
        [
            {"chat": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]},
            {"chat": [{"from": "user", "value": "Hi"}, {"from": "assistant", "value": "Hello"}]},
            {"chat": "Hi"},
            {"chat": None},
        ],
        [{"scenario": "turns"}, {"scenario": "turns"}, {"scenario": "text"}, {"scenario": None}],
        {"input_chat_key": "chat"},
    ),
    replies(
        ScenarioExpandGenerator,
        {"New scenario: A patient moves a visit.": "A patient moves a visit.", "a guest moves  a booking.": FAILED, " ": FAILED, None: FAILED},
        row="A guest moves a booking",
        input_scenario_key="scenario",
    ),
    replies(
        AtomTaskGenerator,
        {"Task: Move booking 12 to Friday.": "Move booking 12 to Friday.", "\n- Book it.\n- Or not.": "- Book it.", "``": FAILED, None: FAILED, "and " * 61: FAILED},
        row="A guest moves a booking",
        input_scenario_key="scenario",
    ),
]  # fmt: skip

TWO = "Subsequent Task: Pay it.\nComposition Task: Move and pay it."
TASKS = [
    replies(
        SequentialTaskGenerator,
        {
            TWO: ("Pay it.", "Move and pay it."),
            f"Sure!\n\n{TWO}\n\nIs that what you wanted?": ("Pay it.", "Move and pay it."),
            "**Composition Task:** Move\nand pay it.\n**Subsequent Task**: Pay\nit.": ("Pay it.", "Move and pay it."),
            "1. subsequent_task：\nPay it.\n2. composition task:\nMove and pay it.": ("Pay it.", "Move and pay it."),
            "Subsequent Task: Pay it.": FAILED,
            "Subsequent Task: move it\nComposition Task: Move and pay it.": FAILED,
            "Subsequent Task: Pay it.\nComposition Task: Pay it.": FAILED,
            "Subsequent Task:\nComposition Task: Move.": FAILED,
            "Subsequent Task: Mail the delivery date of the order to nurse Ida Roth.\nComposition Task: Move it and mail.": FAILED,
            "Subsequent Task: Pay it.\nComposition Task: Order 40 packs, and then pay them.": FAILED,
            "": FAILED,
            None: FAILED,
        },
        row="Move it.",
        input_task_key="task",
    ),
    replies(
        ParaSeqTaskGenerator,
        {
            f"Parallel Task: Call.\n{TWO}": ("Call.", "Pay it.", "Move and pay it."),
            TWO: FAILED,
            f"Parallel Task: Ring.\n{TWO}": ("Ring.", "Pay it.", "Move and pay it."),
            None: FAILED,
        },
        row="Move it.",
        input_task_key="task",
    ),
    Case(
        CompositionTaskFilter(
            ScriptedServing(
                "Fine. <ans>yes</ans>", "<think><ans>no</ans></think><ans> Yes. </ans>", "The second lacks a date.\n<ans>no</ans>",
                '{"reason": "It is enough.", "achieved": true}', "Not <ans>yes</ans> but <ans>no</ans>", "<ans>maybe</ans>", "yes, if there is a date", None,
            )
        ),
        [{"task": f"task {n}", "first": "a", "second": "b"} for n in range(8)],
        [{"task": "task 0", "label": 1}, {"task": "task 1", "label": 1}, {"task": "task 3", "label": 1}],
        {"input_composition_task_key": "task", **SUBS, "output_key": "label"},
        failed=3,
        dropped=2,
    ),
    Case(
        CompositionTaskFilter(ScriptedServing("<ans>yes</ans>")),
        [{"task": "t", "first": "a", "second": None}, {"task": None, "first": "a", "second": "b"}],
        [],
        {"input_composition_task_key": "task", **SUBS},
        dropped=2,
    ),
]  # fmt: skip


def plan(**changed: Any) -> str:
    """A plan of one function, with some of its fields changed."""
    return json.dumps([{"sub_task": "Find trains.", "func_list": [FIND | changed]}])


FUNCTIONS = [
    Case(
        FunctionGenerator(
            ScriptedServing(
                json.dumps(PLAN),
                f"```json\n{json.dumps({'sub_tasks': PLAN})}\n```",
                plan(required=[]),
            )
        ),
        [{"task": f"{n}", "first": "a", "second": "b"} for n in range(3)]
        + [{"task": "x", "first": None, "second": "b"}],
        [
            {"functions": PLAN},
            {"functions": PLAN},
            {"functions": [{"sub_task": "Find trains.", "func_list": [FIND | {"required": []}]}]},
            {"functions": None},
        ],
        {"input_composition_task_key": "task", **SUBS},
    ),
    replies(
        FunctionGenerator,
        {
            plan(parameters={"origin": {"type": "str"}}): FAILED,
            plan(parameters={"origin": {"type": "string", "minLength": -1}}): FAILED,
            plan(parameters={"origin": {"type": "string", "pattern": "("}}): FAILED,
            plan(parameters={"origin": {"type": "object", "properties": {"x": {"$ref": "#/y"}}}}): FAILED,
            plan(parameters={"origin": "string"}): FAILED,
            plan(required=["nowhere"]): FAILED,
            plan(name="find trains"): FAILED,
            plan(responses={"trains": {"type": "array", "items": 3}}): FAILED,
            json.dumps([PLAN[0], PLAN[0]]): FAILED,
            json.dumps([{"sub_task": "a", "func_list": []}]): FAILED,
            json.dumps([{"func_list": [FIND]}]): FAILED,
            "[]": FAILED,
            '{"a": 1}': FAILED,
            "none": FAILED,
            None: FAILED,
        },
        row=("task", "a", "b"),
        input_composition_task_key="task",
        **SUBS,
    ),
]

PLAYED = [
    Case(
        MultiTurnConversationGenerator(Agents(call(FOUND), call(BOOKED), END)),
        [ROW, ROW | {"functions": json.dumps(PLAN)}, ROW | {"second": None}, ROW | {"functions": None}],
        [{"task": TASK}, {"task": TASK}],
        KEYS,
        dropped=2,
        shown=False,
    ),
    Case(
        MultiTurnConversationGenerator(Agents(END)), [ROW], [], KEYS, dropped=1, shown=False
    ),
    Case(
        MultiTurnConversationGenerator(Agents(call(FOUND), None)), [ROW], [], KEYS, failed=1, shown=False
    ),
    Case(
        MultiTurnConversationGenerator(Agents("<think>nothing")), [ROW], [], KEYS, failed=1, shown=False
    ),
    Case(
        MultiTurnConversationGenerator(Agents(END)),
        [ROW | {"functions": f} for f in ([], "no JSON", {"a": 1}, [{"sub_task": "a", "func_list": [{"name": "f"}]}])],
        [],
        KEYS,
        failed=4,
        shown=False,
    ),
]  # fmt: skip

JUDGED = [
    replies(
        FuncCallConversationSampleEvaluator,
        {
            '{"explanation": "Two faults.", "score": 4}': 4, '```json\n{"score": "5/5", "explanation": ""}\n```': 5,
            '{"score": 0}': FAILED, '{"score": 3.5}': FAILED, '{"score": true}': FAILED, '{"score": null}': FAILED, "4": FAILED, "": FAILED, None: FAILED,
        },
        row="user: Hi",
    ),
    Case(
        FuncCallConversationSampleEvaluator(ScriptedServing('{"score": 2}')),
        [{"conversations": [{"role": "user", "content": "Hi"}]}, {"conversations": None}],
        [{"score": 2}, {"score": None}],
    ),
]  # fmt: skip


def chats(prompt: str) -> str:
    """Two turns more than asked for, and the answer to each."""
    if "Write the assistant's answer" not in prompt:
        return json.dumps({"category": "any", "turns": [f"turn {n}" for n in range(1, 5)]})
    return json.dumps({"responses": [f"answer {n}" for n in range(1, prompt.count(". turn") + 1)]})


def saying(*turns: str) -> Callable[[str], str]:
    """These turns, of which the first is said again as the answer to it where it is of more than three words."""

    def reply(prompt: str) -> str:
        if "Write the assistant's answer" not in prompt:
            return json.dumps({"turns": turns})
        again = turns[0] if len(turns[0].split()) > 3 else "Yes."
        return json.dumps({"responses": [again] + ["Yes."] * (len(turns) - 1)})

    return reply


TALK = [
    {"role": "user", "value": "turn 1"},
    {"role": "assistant", "value": "answer 1"},
    {"role": "user", "value": "turn 2"},
    {"role": "assistant", "value": "answer 2"},
]
CHATS = [
    Case(
        ConsistentChatGenerator(ScriptedServing(by=chats), 1, 2),
        [],
        [{"conversation": TALK}] * 9,
    ),
    Case(ConsistentChatGenerator(ScriptedServing(by=chats), 1, 5), [], [], failed=9),
    Case(ConsistentChatGenerator(ScriptedServing("no JSON"), 1), [], [], failed=9, shown=False),
    Case(ConsistentChatGenerator(ScriptedServing(by=saying("Thanks a lot!", "A B c d", "So what?", "a b C  d.")), 1, 4), [], [], failed=9, shown=False),
    Case(ConsistentChatGenerator(ScriptedServing(by=saying("one two three four", "next")), 1, 2), [], [], failed=9, shown=False),
    Case(
        ConsistentChatGenerator(ScriptedServing(by=saying("Hi!", "Hi!")), 1, 2),
        [],
        [{"conversation": [{"role": r, "value": v} for r, v in [("user", "Hi!"), ("assistant", "Yes."), ("user", "Hi!"), ("assistant", "Yes.")]]}] * 9,
    ),
    Case(ConsistentChatGenerator(ScriptedServing('["a", " "]'), 1, 2), [], [], failed=9, shown=False),
    Case(
        ConsistentChatGenerator(ScriptedServing(by=lambda p: '[{"response": "b"}]' if "answer to each" in p else '["a"]'), 1, 1),
        [],
        [{"conversation": [{"role": "user", "value": "a"}, {"role": "assistant", "value": "b"}]}] * 9,
    ),
]  # fmt: skip

CASES: list[Case] = [*SCENARIOS, *TASKS, *FUNCTIONS, *PLAYED, *JUDGED, *CHATS]
