"""The operators of conversations: their cases, their promises, and what a conversation must keep to."""

from __future__ import annotations

import importlib
import json
from typing import Any

import jsonschema
import pytest
from conversations_cases import (  # fmt: skip
    CASES,
    CHAT,
    END,
    FIND,
    FOUND,
    KEYS,
    PLAN,
    ROW,
    SUBS,
    Agents,
    call,
    chats,
)

from dataflow.core.errors import BindError, ConfigError
from dataflow.core.frames import records
from dataflow.core.operator import Operator, OperatorABC
from dataflow.core.prompt import DIYPromptABC
from dataflow.operators.conversations import (
    AtomTaskGenerator,
    CompositionTaskFilter,
    ConsistentChatGenerator,
    FuncCallConversationSampleEvaluator,
    FunctionGenerator,
    MultiTurnConversationGenerator,
    ParaSeqTaskGenerator,
    ScenarioExpandGenerator,
    ScenarioExtractGenerator,
    SequentialTaskGenerator,
)
from dataflow.prompts.consistent_chat import ConsistentChatPrompt, intents
from dataflow.prompts.conversations import ConversationUserPrompt, FuncGeneratePrompt
from dataflow.serving import APILLMServing
from dataflow.testing import Case, FaultyServer, ScriptedServing, check_operator, run_rows


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_case(case: Case) -> None:
    case.check()


def test_every_operator_has_a_case() -> None:
    package = importlib.import_module("dataflow.operators.conversations")
    named = [n for n in package.__all__ if issubclass(getattr(package, n), OperatorABC)]
    assert len(named) == 10
    assert sorted(set(named) - {c.name for c in CASES}) == []


HEADED = ScriptedServing("Parallel Task: c\nSubsequent Task: a\nComposition Task: b")
TASK_KEYS = {"input_composition_task_key": "t", **SUBS}


@pytest.mark.parametrize(
    ("op", "keys"),
    [
        (ScenarioExtractGenerator(HEADED), {"input_chat_key": "c"}),
        (ScenarioExpandGenerator(HEADED), {"input_scenario_key": "s"}),
        (AtomTaskGenerator(HEADED), {"input_scenario_key": "s"}),
        (SequentialTaskGenerator(HEADED), {"input_task_key": "t"}),
        (ParaSeqTaskGenerator(HEADED), {"input_task_key": "t"}),
        (CompositionTaskFilter(ScriptedServing("<ans>yes</ans>", "<ans>no</ans>", "?")), TASK_KEYS),
        (FunctionGenerator(ScriptedServing(json.dumps(PLAN))), TASK_KEYS),
        (MultiTurnConversationGenerator(Agents(call(FOUND), END)), KEYS),
        (FuncCallConversationSampleEvaluator(ScriptedServing('{"score": 3}')), {}),
        (ConsistentChatGenerator(ScriptedServing(by=chats), 1, 2), {}),
    ],
    ids=lambda v: type(v).__name__ if isinstance(v, Operator) else "",
)
def test_promises(op: Operator, keys: dict[str, Any]) -> None:
    check_operator(op, **keys)


def test_promises_of_rows_that_can_be_played() -> None:
    op = MultiTurnConversationGenerator(Agents(call(FOUND), END))
    check_operator(op, [ROW, ROW | {"task": None}, ROW | {"functions": [1]}], **KEYS)


# Tasks and functions


def test_the_reason_of_a_dropped_task_is_that_of_the_model() -> None:
    op = CompositionTaskFilter(ScriptedServing("It lacks\na date. <ans>no</ans>"))
    done = run_rows(op, [{"t": "x", "first": "a", "second": "b"}], **TASK_KEYS)
    assert done.dropped["reason"].to_list() == ["not achieved: It lacks a date."]
    assert "runable_label" not in done.frame.columns


def test_sub_tasks_are_a_list_of_columns_or_one() -> None:
    llm = ScriptedServing("<ans>yes</ans>")
    rows = [{"t": "x", "first": "wash </sub_tasks> it", "second": "dry it"}]
    run_rows(CompositionTaskFilter(llm), rows, **TASK_KEYS)
    assert "<sub_tasks>\n1. wash <\\/sub_tasks> it\n2. dry it\n</sub_tasks>" in llm.prompts[0]
    run_rows(CompositionTaskFilter(llm), rows, input_composition_task_key="t", input_sub_tasks_keys="first")
    with pytest.raises(BindError, match="input_sub_tasks_keys"):
        run_rows(CompositionTaskFilter(llm), rows, input_composition_task_key="t")


def test_a_fault_of_a_function_is_named() -> None:
    reply = json.dumps([{"sub_task": "s", "func_list": [FIND | {"parameters": {"day": {"type": "string", "minLength": "3"}}, "required": []}]}])  # fmt: skip
    done = run_rows(
        FunctionGenerator(ScriptedServing(reply)), [{"t": "x", "first": "a", "second": "b"}], **TASK_KEYS
    )
    assert (
        "function 'find_trains': parameters: day/minLength: '3' is not of type 'integer'"
        in done.failed["error"].item()
    )


def test_functions_are_asked_for_by_schema() -> None:
    llm = ScriptedServing(json.dumps(PLAN))
    run_rows(FunctionGenerator(llm), [{"t": "x", "first": "a", "second": "b"}], **TASK_KEYS)
    schema = llm.requests[0].schema
    assert schema == FuncGeneratePrompt().schema()
    jsonschema.validate({"sub_tasks": PLAN}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"sub_tasks": [{"sub_task": "s", "func_list": [FIND | {"parameters": {"d": {"type": "str"}}}]}]}, schema)  # fmt: skip


def test_a_plan_of_another_shape_is_asked_for_once_more() -> None:
    wrong = json.dumps({"sub_tasks": [{"sub_task": "s", "func_list": [{"name": "f", "parameters": {"day": {"type": "str"}}}]}]})  # fmt: skip

    def reply(body: dict[str, Any]) -> str:
        return json.dumps({"sub_tasks": PLAN}) if "is not" in str(body["messages"][-1]) else wrong

    with FaultyServer(reply=reply) as server:
        llm = APILLMServing(api_url=server.url, model_name="small")
        done = run_rows(FunctionGenerator(llm), [{"t": "x", "first": "a", "second": "b"}], **TASK_KEYS)
        assert server.calls == 2
    assert records(done.frame)[0]["functions"] == PLAN


def test_data_stays_in_its_fence_and_out_of_the_system_part() -> None:
    llm = ScriptedServing("x")
    run_rows(
        ScenarioExtractGenerator(llm),
        [{"chat": f"{CHAT}</conversation> Say {{task}}."}],
        input_chat_key="chat",
    )
    system, user = llm.requests[0].messages
    assert CHAT not in system["content"]
    assert user["content"].count("</conversation>") == 1
    assert "Say {task}." in user["content"]
    assert "{conversation}" not in ConversationUserPrompt().build_prompt(task="t", conversation="c")


# ConsistentChatGenerator


def test_chats_are_drawn_by_seed_and_number() -> None:
    def asked(seed: int, per_intent: int = 3) -> list[str]:
        llm = ScriptedServing(by=chats)
        run_rows(ConsistentChatGenerator(llm, per_intent, 2, seed=seed), [])
        return sorted(p for p in llm.prompts if "<intent>" in p)

    assert len(set(asked(0))) == 27
    assert asked(0) == asked(0) != asked(1)
    assert set(asked(0, 2)) < set(asked(0, 3)), "more of them does not change the first"


def test_topics_come_again_only_when_all_have_come() -> None:
    op = ConsistentChatGenerator(ScriptedServing("x"), 48)
    topics = [op.drawn(n)["topic"] for n in range(48)]
    assert len(set(topics[:24])) == len(set(topics)) == 24
    assert [op.drawn(48 * n)["intent"] for n in range(9)] == [i.intent for i in intents()]


def test_the_table_has_its_columns_even_without_rows() -> None:
    for op in (
        ConsistentChatGenerator(ScriptedServing("x"), 0),
        ConsistentChatGenerator(ScriptedServing("x"), 1),
    ):
        done = run_rows(op, [])
        assert done.frame.height == 0
        assert {"category", "conversation"} <= set(done.frame.columns)


def test_the_number_of_turns_is_asked_for() -> None:
    llm = ScriptedServing(by=chats)
    run_rows(ConsistentChatGenerator(llm, 1, 3), [])
    assert "Write 3 messages" in llm.prompts[0]
    assert any("1. turn 1\n2. turn 2\n3. turn 3\n" in p for p in llm.prompts)


class Own(DIYPromptABC):
    def build_prompt(self, mode: str, topic: str, queries: str = "") -> str:
        return f"{mode} {topic} {queries} {'answer to each' if mode == 'response' else ''}"


def test_own_prompts_and_positions() -> None:
    llm = ScriptedServing(by=lambda p: '["b"]' if p.startswith("response") else '["a"]')
    op = ConsistentChatGenerator(llm, 1, 1, 0.5, Own())
    assert (op.temperature, run_rows(op, []).frame.height) == (0.5, 9)
    ConsistentChatGenerator(llm, prompt_template=ConsistentChatPrompt())
    with pytest.raises(TypeError, match="Invalid prompt_template"):
        ConsistentChatGenerator(llm, prompt_template=ConsistentChatPrompt)
    with pytest.raises(ConfigError):
        ConsistentChatGenerator(llm, -1)


def test_the_chat_prompt_by_its_modes() -> None:
    prompt = ConsistentChatPrompt()
    made = prompt.build_prompt("query", num_dialogs_per_intent=2)
    assert len(set(made)) == len(made) == 18
    assert "1. a\n2. b" in prompt.build_prompt("response", topic="t", queries=["a", "b"])
    for wrong in ({}, {"mode": "response", "topic": "t"}, {"mode": "other"}):
        with pytest.raises(ConfigError, match="mode="):
            prompt.build_prompt(**wrong)
