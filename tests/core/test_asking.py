"""A reply that cannot be read is asked for again with its fault; of several calls only the one at fault."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from dataflow.core.asking import Ask, readable, together
from dataflow.core.errors import CallError, ReplyError, RowError, ServingError
from dataflow.core.generate import Generate
from dataflow.core.prompt import Prompt
from dataflow.core.protocols import Reply, Request, Scope, Usage
from dataflow.core.replies import parse_json
from dataflow.operators.core_text import BenchAnswerGenerator
from dataflow.testing import ScriptedServing, run_rows


def number(reply: str) -> int:
    """The number that a reply is."""
    if not reply.isdigit():
        raise ReplyError(f"no number: {reply}")
    return int(reply)


class Numbered(Generate):
    """Ask for a number."""

    default_prompt = Prompt("How many {input}?", "Count.")

    def parse(self, reply: str) -> str:
        return str(number(reply))


class Turns:
    """A serving that gives each reply in its turn, by how many faults the request tells."""

    def __init__(self, *replies: str | Exception, repairs: int = 1) -> None:
        self.replies, self.repairs = replies, repairs
        self.asked: list[tuple[Request, int]] = []

    def generate_from_input(self, user_inputs: list[str], system_prompt: str = "") -> list[str | None]:
        raise NotImplementedError

    async def ask(self, request: Request, scope: Scope, row: str = "0", sample: int = 0) -> Reply:
        self.asked.append((request, sample))
        turn = str(request.messages[-1]["content"]).count("could not be used")
        reply = self.replies[turn]
        if isinstance(reply, Exception):
            raise reply
        return Reply(reply, truncated=reply.endswith("…"))


def read(serving: Any, usage: Usage | None = None) -> Any:
    ask = Ask(serving, Scope(usage=usage), "0")
    return asyncio.run(ask.read("how many?", number, "Count."))


def test_a_reply_is_asked_for_again_with_its_fault() -> None:
    serving, usage = Turns("many", "3"), Usage()
    assert read(serving, usage) == 3
    (first, _), (second, _) = serving.asked
    assert second.messages[:-1] == first.messages[:-1]
    assert second.messages[-1]["role"] == "user"
    assert second.messages[-1]["content"].startswith("how many?\n\n")
    assert "no number: many" in second.messages[-1]["content"]
    assert usage.repairs == 1


def test_a_reply_that_broke_off_is_asked_for_again_and_told_to_be_brief() -> None:
    serving = Turns("a long way off…", "3")
    assert read(serving) == 3
    told = serving.asked[1][0].messages[-1]["content"]
    assert "be brief" in told
    assert "a long way off" not in told


def test_what_a_model_is_measured_by_is_asked_for_once() -> None:
    serving = Turns("3…", "3")
    with pytest.raises(ReplyError, match="breaks off"):
        asyncio.run(Ask(serving, Scope(), "0")("how many?"))
    done = run_rows(
        BenchAnswerGenerator(llm_serving=serving), [{"question": "how many?"}], input_question_key="question"
    )
    assert (done.failed.height, len(serving.asked)) == (1, 2)


def test_pictures_stay_in_the_request() -> None:
    serving = Turns("many", "3")
    picture = {"type": "image_url", "image_url": {"url": "a.png"}}
    ask = Ask(serving, Scope(), "0")
    assert asyncio.run(ask.read(Request(({"role": "user", "content": [picture]},)), number)) == 3
    first, words = serving.asked[1][0].messages[0]["content"]
    assert (first, words["type"]) == (picture, "text")
    assert "no number: many" in words["text"]


def test_the_schema_is_told_again() -> None:
    serving = Turns("many", "3")
    ask = Ask(serving, Scope(), "0")
    assert asyncio.run(ask.read("how many?", number, schema={"type": "integer"})) == 3
    second = serving.asked[1][0]
    assert second.schema == {"type": "integer"}
    assert '{"type":"integer"}' in second.messages[-1]["content"]


@pytest.mark.parametrize(
    ("replies", "repairs", "calls", "fault"),
    [
        (("many", "few"), 1, 2, "no number: few"),
        (("many", "few", "3"), 0, 1, "no number: many"),
        (("many", "few", "none"), 2, 3, "no number: none"),
        (("many", CallError("too long")), 1, 2, "no number: many"),
        (("3…", "4…"), 1, 2, "breaks off.*4"),
        (("3…",), 0, 1, "breaks off"),
        (("many", "3…"), 1, 2, "breaks off"),
    ],
    ids=str,
)
def test_the_last_fault_stays(replies: tuple[Any, ...], repairs: int, calls: int, fault: str) -> None:
    serving = Turns(*replies, repairs=repairs)
    with pytest.raises(ReplyError, match=fault):
        read(serving)
    assert len(serving.asked) == calls


def test_what_must_stop_the_run_stops_it() -> None:
    with pytest.raises(ServingError, match="gone"):
        read(Turns("many", ServingError("gone")))


def test_only_the_reply_at_fault_is_asked_for_again_and_other_draws_stay_what_they_are() -> None:
    """What is asked for again keeps its number, so that the draws after it are found in a journal again."""

    class Uneven(Turns):
        async def ask(self, request: Request, scope: Scope, row: str = "0", sample: int = 0) -> Reply:
            await super().ask(request, scope, row, sample)
            return Reply("many" if request.messages[0]["content"] == "n" and sample == 1 else str(sample))

    serving = Uneven("", "")
    ask = Ask(serving, Scope(), "0")

    async def calls() -> list[int]:
        three = await together(*(ask.read("n", number) for _ in range(3)))
        return [*three, await ask.read("n", number)]

    assert asyncio.run(calls()) == [0, 1, 2, 3]
    assert sorted(sample for _, sample in serving.asked) == [0, 1, 1, 2, 3]


def test_an_operator_needs_nothing_for_it() -> None:
    serving = ScriptedServing(by=lambda asked: "7" if "no number" in asked else "many", repairs=1)
    done = run_rows(Numbered(llm_serving=serving), [{"raw_content": "a"}, {"raw_content": None}])
    assert done.frame["generated_content"].to_list() == ["7", None]
    serving.repairs = 0
    done = run_rows(Numbered(llm_serving=serving), [{"raw_content": "a"}])
    assert done.failed["error"].to_list() == ["no number: many"]


def test_a_users_serving_that_answers_lists_is_asked_once() -> None:
    class Lists:
        calls = 0

        def generate_from_input(self, user_inputs: list[str], system_prompt: str = "") -> list[str]:
            self.calls += 1
            return ["many"] * len(user_inputs)

    serving = Lists()
    done = run_rows(Numbered(llm_serving=serving), [{"raw_content": "a"}])
    assert (done.failed["error"].to_list(), serving.calls) == (["no number: many"], 1)


async def gives(value: Any) -> Any:
    if isinstance(value, Exception):
        raise value
    return value


@pytest.mark.parametrize(
    ("values", "leave", "made"),
    [
        ([1, 2], ReplyError, [1, 2]),
        ([ReplyError("x"), 2], ReplyError, [None, 2]),
        ([CallError("x"), 2], RowError, [None, 2]),
        ([], ReplyError, []),
    ],
    ids=str,
)
def test_of_several_calls_those_that_can_be_read(values: list[Any], leave: Any, made: list[Any]) -> None:
    assert asyncio.run(readable(map(gives, values), leave)) == made


@pytest.mark.parametrize(
    ("values", "leave", "fault"),
    [
        ([ReplyError("x"), ReplyError("y")], ReplyError, "x"),
        ([ReplyError("x"), CallError("y"), 1], ReplyError, "y"),
        ([ReplyError("x"), CallError("y")], RowError, "x"),
        ([1, ServingError("gone")], RowError, "gone"),
    ],
    ids=str,
)
def test_where_none_can_be_read_or_one_failed(values: list[Any], leave: Any, fault: str) -> None:
    with pytest.raises(Exception, match=f"^{fault}$"):
        asyncio.run(readable(map(gives, values), leave))


def test_json_that_is_told_what_was_wrong_with_it() -> None:
    """The fault of any reader goes back, as that of `parse_json` does."""
    serving = Turns("Sure!", '{"a": 1}')
    ask = Ask(serving, Scope(), "0")
    assert asyncio.run(ask.read("a?", parse_json)) == {"a": 1}
    assert "no JSON in the reply 'Sure!'" in serving.asked[1][0].messages[-1]["content"]
