"""`Generate`, `Judge`, `Embed` and `Source`: from a prompt to a value, and every way in which a reply fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import polars as pl
import pytest
from pydantic import BaseModel

from dataflow.core import background
from dataflow.core.abc import LLMServingABC, WrapperABC
from dataflow.core.asking import Ask, ListCalls, ask_all, askers, together
from dataflow.core.errors import BindError, CallError, ConfigError, ReplyError, ServingError, StorageError
from dataflow.core.frames import ROW, is_json, numbered, records
from dataflow.core.generate import Embed, Generate, Judge, Source, build
from dataflow.core.operator import Operator
from dataflow.core.outcome import Failure, Outcome
from dataflow.core.ports import Arg, In, NoPort, Out
from dataflow.core.prompt import DIYPromptABC, Prompt, PromptABC
from dataflow.core.protocols import Reply, Request, Scope, Usage
from dataflow.core.replies import parse_json
from dataflow.testing import ScriptedServing, run_rows


class Answer(Generate):
    """Answer a question."""

    input_key = NoPort()
    input_question_key = In("question", type="any")
    input_hint_key = In(optional=True)
    output_key = Out("answer")
    default_prompt = Prompt("<q>{question}</q>", system="Be brief.")
    prompt_template: PromptABC | None = None


class Pair(Generate):
    """Give two values of one JSON reply."""

    output_key = NoPort()
    output_a_key = Out("a")
    output_n_key = Out("n", type="int")

    def request(self, text: str) -> str:
        return text

    def parse(self, reply: str) -> tuple[Any, Any]:
        value = parse_json(reply, dict)
        return value.get("a"), value.get("n")


class Lines(Generate):
    """A row a line of the reply."""

    expands = True

    def request(self, text: str) -> str:
        return text

    def parse(self, reply: str) -> list[str]:
        return reply.splitlines()


class Twice(Generate):
    """Ask twice a row, the second time about the first reply."""

    style = Arg("plain")

    async def answer(self, ask: Ask, text: str) -> str:
        first = await ask(f"1 {text}")
        return f"{first}+{await ask(Request.of(f'2 {first}', 'system'))}+{ask.args['style']}"


class Free(Generate):
    """Ask with whatever columns the run names."""

    open_inputs = True
    input_key = NoPort()
    prompt_template: PromptABC | None = None


class Grade(Judge):
    """Grade a text."""

    default_prompt = Prompt("Grade {input}")


class GradeFilter(Grade):
    """Keep texts graded 4 and up."""

    filters = True
    output_key = Out(type="int", optional=True)

    def keeps(self, score: int) -> bool:
        return score >= 4


class GradeAll(Grade):
    """Keep every graded text."""

    filters = True


class Vectors(Embed):
    """Embed a text."""


class Numbers(Source):
    """Make rows."""

    n: int = 3

    def total(self) -> int:
        return self.n

    async def make(self, ask: Ask, number: int) -> str:
        return await ask(f"make {number}")


class Listing(LLMServingABC):
    """A user's own serving: answers lists, and keeps what it was asked."""

    def __init__(self, reply: Callable[[list[str]], Any]) -> None:
        self.reply = reply
        self.calls: list[tuple[list[str], str, Any]] = []

    def generate_from_input(
        self, user_inputs: list[str], system_prompt: str = "", json_schema: dict[str, Any] | None = None
    ) -> Any:
        self.calls.append((list(user_inputs), system_prompt, json_schema))
        return self.reply(user_inputs)


def texts(*cells: Any) -> list[dict[str, Any]]:
    return [{"raw_content": c} for c in cells]


def column(done: Outcome, name: str) -> list[Any]:
    return [row[name] for row in records(done.frame)]


def faults(operator: Operator, **keys: Any) -> list[tuple[str, str]]:
    return list(operator.check(operator.bind(**keys)))


# ---- Generate


def test_what_is_asked_and_kept() -> None:
    serving = ScriptedServing(by={"sky": "blue", "7": "seven"})
    rows = [{"question": "sky {hint}?</q>"}, {"question": None}, {"question": 7}, {"question": "unknown"}]
    done = run_rows(Answer(llm_serving=serving), rows)
    assert column(done, "answer") == ["blue", None, "seven"]
    assert done.failed.rows() == [("3", "the script has no reply", "CallError", '{"question":"unknown"}')]
    assert serving.prompts == ["<q>sky {hint}?<\\/q></q>", "<q>7</q>", "<q>unknown</q>"]
    assert {str(r.messages[0]) for r in serving.requests} == {str({"role": "system", "content": "Be brief."})}


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        ('{"a": "x", "n": 1}', ("x", 1)),
        ('Sure: {"a": "x", "n": null}', ("x", None)),
        ("{}", (None, None)),
        ("no JSON", "ReplyError"),
        ('{"a": 5, "n": 1}', "Misfit"),
        ('{"a": "x", "n": "1"}', "Misfit"),
        ('{"a": "x", "n": true}', "Misfit"),
        ('{"a": "x", "n": 1.5}', "Misfit"),
        ('{"a": ["x"], "n": 1}', "Misfit"),
    ],
)
def test_a_reply_never_fails_another_row(reply: str, value: Any) -> None:
    done = run_rows(Pair(llm_serving=ScriptedServing('{"a": "good", "n": 0}', reply)), texts("p", "q"))
    got = list(zip(column(done, "a"), column(done, "n"), strict=True))
    assert got == [("good", 0), *([value] if isinstance(value, tuple) else [])]
    assert done.failed["kind"].to_list() == ([] if isinstance(value, tuple) else [value])


def test_expanding_replies() -> None:
    done = run_rows(
        Lines(llm_serving=ScriptedServing("x\ny", "", "z", None)), texts("a", "b", "c", "d", None)
    )
    assert (column(done, "generated_content"), done.frame[ROW].to_list()) == (
        ["x", "y", "z"],
        ["0/0", "0/1", "2/0"],
    )
    assert done.dropped["reason"].to_list() == ["empty", "empty"]
    assert done.failed["row"].to_list() == ["3"]


def test_several_calls_a_row_are_samples_of_their_own() -> None:
    done = run_rows(Twice(llm_serving=ScriptedServing("a", "b", "c")), texts("t", None), style="bold")
    assert column(done, "generated_content") == ["a+b+bold", None]


def test_replies_stay_with_their_rows() -> None:
    class Slow:
        async def ask(self, request: Request, scope: Scope, row: str = "0", sample: int = 0) -> Reply:
            await asyncio.sleep((7 - int(row) * 3 % 7) / 500)
            return Reply(f"{request.messages[-1]['content']}!")

        def generate_from_input(
            self, user_inputs: list[str], system_prompt: str = "", json_schema: Any = None
        ) -> Any:
            return None

    done = run_rows(Answer(llm_serving=Slow()), [{"question": str(i)} for i in range(7)])
    assert column(done, "answer") == [f"<q>{i}</q>!" for i in range(7)]


@pytest.mark.parametrize("error", [ServingError, ConfigError, StorageError])
def test_what_every_row_would_meet_stops_the_run(error: type[Exception]) -> None:
    def refuse(prompt: str) -> str:
        raise error("cannot answer")

    with pytest.raises(error, match="cannot answer"):
        run_rows(Answer(llm_serving=ScriptedServing(by=refuse)), [{"question": "a"}])


def test_without_a_prompt_or_a_serving() -> None:
    with pytest.raises(ConfigError, match="Free needs prompt_template"):
        run_rows(Free(llm_serving=ScriptedServing()), [{"a": "x"}], a="a")
    with pytest.raises(ConfigError, match="Test needs llm_serving"):
        askers(None, Scope(), ["0"], "Test")
    with pytest.raises(ConfigError, match="llm_serving"):
        Answer()


def test_open_inputs_fill_the_slots_of_their_names() -> None:
    serving = ScriptedServing("ok")
    operator = Free(llm_serving=serving, prompt_template=Prompt("{topic} for {who}"))
    done = run_rows(operator, [{"t": "tea", "w": 3}, {"t": None, "w": 4}], topic="t", who="w")
    assert serving.prompts == ["tea for 3"]
    assert column(done, "generated_content") == ["ok", None]
    assert faults(operator, topic="t") == [
        ("prompt_template", ": the slot {who} of Prompt is named by no input port; there are topic.")
    ]


def test_checks_before_anything_runs() -> None:
    class Unready(ScriptedServing):
        def check(self) -> str:
            return "no key"

    operator = Answer(llm_serving=Unready(), prompt_template=Prompt("{questoin} {hint}"))
    assert faults(operator) == [
        ("llm_serving", ": no key"),
        ("prompt_template", ": the slot {questoin} of Prompt is named by no input port; there are hint, question. Did you mean 'question'?"),
    ]  # fmt: skip
    assert faults(Answer(llm_serving=ScriptedServing())) == []
    assert faults(Vectors(embedding_serving=Unready())) == [("embedding_serving", ": no key")]


class Graded(BaseModel):
    grade: int


def test_build() -> None:
    class Own(DIYPromptABC):
        def build_prompt(self, a: str) -> str:
            return f"own {a}"

    class Whole(Own):
        def build_prompt(self, **values: str) -> str:  # type: ignore[override]
            return f"all {sorted(values)}"

        def build_system_prompt(self, b: str) -> str:
            return f"told {b}"

    slots = {"a": "1", "b": "2"}

    def said(request: Request) -> list[str]:
        return [str(m["content"]) for m in request.messages]

    assert said(build(Own(), slots)) == ["own 1"]
    assert said(build(Own(), slots, "system")) == ["system", "own 1"]
    assert said(build(Whole(), slots, "system")) == ["told 2", "all ['a', 'b']"]
    assert said(build(Prompt("{a}"), slots, "system")) == ["system", "1"]
    assert said(build(Prompt("{a}", system="{b}"), slots, "system")) == ["2", "1"]
    assert build(Prompt("{a}", reply=Graded), slots).schema == Graded.model_json_schema()


# ---- Judge


def test_judge() -> None:
    serving = ScriptedServing("Score: 4", "4/5", "ten", "10", None)
    done = run_rows(Grade(llm_serving=serving), texts("a", "b", "c", "d", "e", None))
    assert column(done, "eval") == [4, 4, None]
    assert done.failed["kind"].to_list() == ["ReplyError", "ReplyError", "CallError"]
    assert done.dropped.height == 0


def test_judge_that_filters() -> None:
    serving = ScriptedServing("5", "3", "4", "none")
    done = run_rows(GradeFilter(llm_serving=serving), texts("a", "b", "c", "d", None))
    assert column(done, "raw_content") == ["a", "c"]
    assert done.dropped.rows() == [("1", "score 3", "b"), ("4", "null", None)]
    assert done.failed["row"].to_list() == ["3"]
    assert "score" not in done.frame.columns
    kept = run_rows(GradeFilter(llm_serving=ScriptedServing("5")), texts("a"), output_key="score")
    assert column(kept, "score") == [5]
    assert column(run_rows(GradeAll(llm_serving=ScriptedServing("1")), texts("a", None)), "eval") == [1]


# ---- Embed


class ListedVectors:
    def __init__(self, vectors: Any) -> None:
        self.vectors = vectors

    def generate_embedding_from_input(self, texts: list[str]) -> Any:
        return self.vectors


@pytest.mark.parametrize(
    ("serving", "count"),
    [
        (ScriptedServing(dim=2), 2),
        (ListedVectors([[1, 2], [0.5, 1.5]]), 2),
        (ListedVectors([np.array([1, 2], np.float32), np.array([1, 2])]), 2),
        (ListedVectors([None, [1.0, 2.0]]), 1),
        (ListedVectors([None, None]), 0),
        (ListedVectors(np.eye(2, dtype=np.float32)), 2),
    ],
)
@pytest.mark.parametrize("cells", [["a", None, "b"], [None, "a", "b"], ["a", "b", None]], ids=str)
def test_embed(serving: Any, count: int, cells: list[Any]) -> None:
    done = run_rows(Vectors(embedding_serving=serving), [{"text": c} for c in cells])
    assert done.frame.schema["embeddings"] == pl.List(pl.Float32)
    made = [(r["text"], r["embeddings"] and len(r["embeddings"])) for r in records(done.frame)]
    assert sorted(map(str, made)).count("(None, None)") == 1
    assert len([m for m in made if m[1] == 2]) == count
    assert done.failed["error"].to_list() == ["the embedding model gave no vector"] * (2 - count)


def test_embed_nothing() -> None:
    done = run_rows(Vectors(embedding_serving=ScriptedServing()), [])
    assert done.frame.schema["embeddings"] == pl.List(pl.Float32)


def test_a_wrong_number_of_vectors() -> None:
    with pytest.raises(ServingError, match="ListedVectors gave 1 vectors for 2 texts"):
        run_rows(Vectors(embedding_serving=ListedVectors([[1.0]])), [{"text": "a"}, {"text": "b"}])


# ---- Source


def test_source() -> None:
    serving = ScriptedServing("a", "b", None)
    done = run_rows(Numbers(llm_serving=serving), [])
    assert column(done, "generated_content") == ["a", "b"]
    assert serving.prompts == ["make 0", "make 1", "make 2"]
    assert done.failed["row"].to_list() == ["2"]
    assert run_rows(Numbers(llm_serving=serving, n=0), []).frame.height == 0


def test_a_source_starts_from_nothing() -> None:
    with pytest.raises(BindError, match="Numbers makes rows out of nothing, but the table has 1"):
        run_rows(Numbers(llm_serving=ScriptedServing()), texts("a"))


def test_an_undefined_source_says_so() -> None:
    source = Source(llm_serving=ScriptedServing())
    with pytest.raises(NotImplementedError):
        source.total()
    with pytest.raises(NotImplementedError):
        asyncio.run(source.make(askers(source.llm_serving, Scope(), ["0"], "x")[0], 0))


# ---- servings that only answer lists


def test_one_call_for_a_batch_of_rows() -> None:
    serving = Listing(lambda prompts: [p.upper() for p in prompts])
    done = run_rows(Answer(llm_serving=serving), [{"question": q} for q in ("a", None, "b", "c")])
    assert column(done, "answer") == ["<Q>A</Q>", None, "<Q>B</Q>", "<Q>C</Q>"]
    assert serving.calls == [(["<q>a</q>", "<q>b</q>", "<q>c</q>"], "Be brief.", None)]


@pytest.mark.parametrize(
    ("reply", "errors"),
    [
        (lambda p: ["a"], ["Listing: 1 replies to 2 prompts"] * 2),
        (lambda p: ["a", "b", "c"], ["Listing: 3 replies to 2 prompts"] * 2),
        (lambda p: None, ["Listing: object of type 'NoneType' has no len()"] * 2),
        (lambda p: 1 / 0, ["Listing: division by zero"] * 2),
        (lambda p: [None, "b"], ["Listing gave no reply"]),
        (lambda p: [None, None], ["Listing gave no reply"] * 2),
        (lambda p: [7, "b"], ["column 'answer' is declared text, but the kernel gave int"]),
    ],
)
def test_faulty_lists(reply: Any, errors: list[str]) -> None:
    done = run_rows(Answer(llm_serving=Listing(reply)), [{"question": "x"}, {"question": "y"}])
    assert done.failed["error"].to_list() == errors
    assert done.frame.height == 2 - len(errors)


def test_each_system_prompt_and_schema_has_its_own_call() -> None:
    schema = {"type": "object"}

    class Mixed(Generate):
        """Ask in several ways."""

        def request(self, text: str) -> Request:
            return Request.of(text, "system " + text[0], schema if text == "b2" else None)

    serving = Listing(lambda prompts: [p + "!" for p in prompts])
    done = run_rows(Mixed(llm_serving=serving), texts("a1", "b1", "a2", "b2", "b3"))
    assert column(done, "generated_content") == ["a1!", "b1!", "a2!", "b2!", "b3!"]
    assert sorted(serving.calls, key=str) == [
        (["a1", "a2"], "system a", None),
        (["b1", "b3"], "system b", None),
        (["b2"], "system b", schema),
    ]


def test_a_coroutine_that_answers_lists() -> None:
    class Later(Listing):
        async def _later(self, prompts: list[str]) -> list[str]:
            await asyncio.sleep(0)
            return [p + "?" for p in prompts]

    serving = Later(lambda prompts: serving._later(prompts))
    assert column(run_rows(Answer(llm_serving=serving), [{"question": "a"}]), "answer") == ["<q>a</q>?"]


def test_second_turns_are_gathered_too() -> None:
    serving = Listing(lambda prompts: [p + "!" for p in prompts])
    done = run_rows(Twice(llm_serving=serving), texts("a", "b"))
    assert column(done, "generated_content") == ["1 a!+2 1 a!!+plain", "1 b!+2 1 b!!+plain"]
    assert [len(prompts) for prompts, _, _ in serving.calls] == [2, 2]


def test_a_cancelled_row_does_not_hold_up_the_others() -> None:
    serving = Listing(lambda prompts: time.sleep(0.05) or [p + "!" for p in prompts])

    async def work() -> str:
        calls = ListCalls(serving, Scope())
        lost = asyncio.create_task(calls.ask(Request.of("lost")))
        kept = asyncio.create_task(calls.ask(Request.of("kept")))
        await asyncio.sleep(0.01)
        lost.cancel()
        return await asyncio.wait_for(kept, 5)

    assert background.run(work()) == "kept!"


# ---- asking on behalf of whole columns


@pytest.mark.parametrize(
    "serving",
    [ScriptedServing(by={"a": "A", "b": "B"}), Listing(lambda p: [{"a": "A", "b": "B"}.get(x) for x in p])],
    ids=lambda s: type(s).__name__,
)
def test_ask_all(serving: Any) -> None:
    got = ask_all(serving, ["a", Request.of("b"), "c"], "Test")
    assert got[:2] == ["A", "B"]
    assert isinstance(got[2], Failure)
    assert ask_all(serving, [], "Test") == []


def test_ask_all_counts_for_the_operator_that_runs() -> None:
    usage = Usage()
    token = background.current_scope.set(Scope("Op", usage=usage))
    try:
        ask_all(ScriptedServing("x"), ["a", "b"], "Test")
    finally:
        background.current_scope.reset(token)
    assert usage.calls == 2


def test_together_waits_for_all_before_it_raises() -> None:
    ended: list[int] = []

    async def work(i: int) -> int:
        await asyncio.sleep(0.01 * i)
        ended.append(i)
        if i == 1:
            raise ReplyError("no")
        return i

    async def both(*numbers: int) -> list[int]:
        return await together(*map(work, numbers))

    assert asyncio.run(both(2, 0)) == [2, 0]
    ended.clear()
    with pytest.raises(ReplyError):
        asyncio.run(both(3, 1))
    assert ended == [1, 3]


def test_roots_of_users_own_classes() -> None:
    for call in (
        lambda: LLMServingABC().generate_from_input(["a"]),
        lambda: LLMServingABC().load_model("m"),
        lambda: WrapperABC().run(None),
    ):
        with pytest.raises(NotImplementedError, match="does not"):
            call()
    LLMServingABC().start_serving()
    LLMServingABC().cleanup()


def test_a_free_form_error_says_what_failed() -> None:
    error = CallError("refused", status=400, attempts=2)
    assert (error.status, error.attempts, str(error)) == (400, 2, "refused")


def test_json_cells_are_asked_about_as_json() -> None:
    serving = ScriptedServing("ok")
    done = run_rows(Answer(llm_serving=serving), [{"question": {"a": 1}}, {"question": [1, "x"]}])
    assert is_json(done.frame.schema["question"])
    assert serving.prompts == ['<q>{"a":1}</q>', '<q>[1,"x"]</q>']


@pytest.fixture(autouse=True)
def _no_scope_leaks() -> Iterator[None]:
    yield
    assert background.current_scope.get() is None


def test_frames_are_not_changed() -> None:
    frame = numbered(pl.DataFrame({"raw_content": ["a", None]}))
    before = frame.clone()
    operator = Grade(llm_serving=ScriptedServing("x"))
    background.run(operator.apply(frame, operator.bind(), Scope()))
    assert frame.equals(before)


# ---- conversations of several turns by lists


class Recalls(Generate):
    """Ask again, with the first answer in sight."""

    async def answer(self, ask: Ask, value: str) -> str:
        first = await ask(f"first {value}")
        turns = [("user", f"first {value}"), ("assistant", first), ("user", "second")]
        return await ask(Request(tuple({"role": r, "content": c} for r, c in turns)))


def test_a_serving_of_lists_is_given_whole_conversations() -> None:
    class Talking(Listing):
        def generate_from_conversations(self, conversations: list[list[dict[str, str]]]) -> list[str]:
            return [" | ".join(turn["content"] for turn in c) for c in conversations]

    done = run_rows(Recalls(Talking(lambda prompts: ["one"] * len(prompts))), texts("a", "b"))
    assert column(done, "generated_content") == ["first a | one | second", "first b | one | second"]


def test_a_serving_of_single_prompts_fails_a_conversation_rather_than_forget_its_turns() -> None:
    done = run_rows(Recalls(Listing(lambda prompts: ["one"] * len(prompts))), texts("a"))
    assert done.frame.height == 0
    assert "generate_from_conversations" in done.failed["error"].item()
