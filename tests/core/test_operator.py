"""Settings, ports and the `run` of an operator, apart from any table."""

from __future__ import annotations

import inspect
import pickle
from typing import Any

import polars as pl
import pytest
from pydantic import Field, ValidationError

from dataflow.core import background
from dataflow.core.errors import BindError, ConfigError, DataFlowError, DefinitionError
from dataflow.core.generate import Generate, Judge, Source
from dataflow.core.operator import Operator, OperatorABC
from dataflow.core.ports import Arg, Binding, In, NoPort, Out, short
from dataflow.core.prompt import Prompt
from dataflow.core.rows import Filter, Map
from dataflow.testing import Table


class Cut(Map):
    """Cut a text."""

    max_chars: int = Field(10, ge=0)
    """Most characters kept."""
    suffix: str = "…"

    def map(self, text: str) -> str:
        return text[: self.max_chars] + self.suffix


class ShortCut(Cut):
    max_chars: int = 3
    mark: bool = False
    leading = ("suffix",)


class Needy(Map):
    """Join two columns, one of them optional, and a list of others."""

    input_key = NoPort()
    input_question_key = In("question")
    input_answer_key = In()
    input_hint_key = In(optional=True)
    input_more_keys = In("more", many=True)
    output_key = NoPort()
    output_text_key = Out("text")
    output_note_key = Out(optional=True)
    style = Arg("plain")

    def map(self, question: str, answer: str, hint: str | None, more: list[str]) -> tuple[str, str]:
        return f"{question}{answer}{hint}{more}", "note"


class Open(Map):
    """Read any column that `run` names."""

    open_inputs = True
    input_key = NoPort()

    def map(self, row: dict[str, Any]) -> str:
        return ",".join(row)


class Refine(Map):
    """Refine a text in place."""

    input_key = In("raw_content")
    output_key = Out(like="input_key")

    def map(self, text: str) -> str:
        return text.strip()


class Steps:
    """A storage that keeps what it is asked to do."""

    def __init__(self) -> None:
        self.applied: list[Binding] = []

    def apply(self, operator: Operator, binding: Binding) -> None:
        self.applied.append(binding)


class Tracing(Steps):
    """A storage that collects mistakes, as one does while a pipeline compiles."""

    def mistake(self, operator: Operator, keys: dict[str, Any], error: BindError) -> str:
        return f"? {error}"


def test_settings_by_position_and_name() -> None:
    assert (Cut(3, "!").max_chars, Cut(3, "!").suffix) == (3, "!")
    assert Cut(3, suffix="!") == Cut(suffix="!", max_chars=3)
    child = ShortCut("!", 5, True)
    assert (child.suffix, child.max_chars, child.mark) == ("!", 5, True)
    assert ShortCut().max_chars == 3


@pytest.mark.parametrize(
    ("args", "settings", "message"),
    [
        ((1, "!", 2), {}, r"^Cut takes at most 2 settings \(max_chars, suffix\); 3 were given$"),
        ((1,), {"max_chars": 2}, r"^Cut got two values for max_chars$"),
        (
            (),
            {"maxchars": 2},
            r"^Cut has no setting 'maxchars'; it has max_chars, suffix\. Did you mean 'max_chars'\?$",
        ),
        ((), {"max_chars": -1}, r"^Cut: max_chars=-1: Input should be greater than or equal to 0$"),
        (
            (),
            {"max_chars": "x", "sufix": 1, "suffix": 2},
            r"max_chars='x'.*\n.*suffix=2.*\n.*no setting 'sufix'",
        ),
    ],
)
def test_faulty_settings(args: tuple[Any, ...], settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Cut(*args, **settings)


def test_a_needed_setting() -> None:
    with pytest.raises(ConfigError, match=r"^Generate needs llm_serving$"):
        Generate()


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Cut().max_chars = 3  # type: ignore[misc]


@pytest.mark.parametrize("operator", [Cut(3), ShortCut("!"), Needy(), Open(), Refine()], ids=repr)
def test_pickling(operator: Operator) -> None:
    copy = pickle.loads(pickle.dumps(operator))
    assert copy == operator
    assert copy.inputs == operator.inputs


def test_ports_are_replaced_inherited_and_taken_away() -> None:
    class Renamed(Cut):
        input_text_key = In("text")

    class Added(Renamed):
        input_text_key = In("text")
        input_other_key = In("other")

        def map(self, text: str, other: str) -> str:
            return text + other

    class Plain(Filter):
        input_key = In("x")

    assert list(Cut.inputs) == ["input_key"]
    assert (list(Renamed.inputs), list(Renamed.outputs)) == (["input_text_key"], ["output_key"])
    assert list(Added.inputs) == ["input_text_key", "input_other_key"]
    assert list(Needy.outputs) == ["output_text_key", "output_note_key"]
    assert list(Needy.run_args) == ["style"]
    assert (Plain.inputs["input_key"].default, list(Plain.outputs)) == ("x", [])
    assert list(Source.inputs) == []


@pytest.mark.parametrize(
    ("operator", "keys", "reads", "writes"),
    [
        (Cut(), {}, {"input_key": "raw_content"}, {"output_key": "output"}),
        (Cut(), {"input_key": "a", "output_key": "b"}, {"input_key": "a"}, {"output_key": "b"}),
        (Cut(), {"input_key": None, "output_key": None}, {"input_key": "raw_content"}, {"output_key": "output"}),
        (Refine(), {}, {"input_key": "raw_content"}, {"output_key": "raw_content"}),
        (Refine(), {"input_key": "t"}, {"input_key": "t"}, {"output_key": "t"}),
        (Refine(), {"input_key": "t", "output_key": "u"}, {"input_key": "t"}, {"output_key": "u"}),
        (
            Needy(),
            {"input_answer_key": "a"},
            {"input_question_key": "question", "input_answer_key": "a", "input_hint_key": None, "input_more_keys": ("more",)},
            {"output_text_key": "text"},
        ),
        (
            Needy(),
            {"input_answer_key": "a", "input_hint_key": "h", "input_more_keys": ["m", "n"], "output_note_key": "note"},
            {"input_question_key": "question", "input_answer_key": "a", "input_hint_key": "h", "input_more_keys": ("m", "n")},
            {"output_text_key": "text", "output_note_key": "note"},
        ),
        (Open(), {"b": "x", "a": "y"}, {"b": "x", "a": "y"}, {"output_key": "output"}),
        (Open(), {}, {}, {"output_key": "output"}),
    ],
)  # fmt: skip
def test_bind(
    operator: Operator, keys: dict[str, Any], reads: dict[str, Any], writes: dict[str, str]
) -> None:
    binding = operator.bind(**keys)
    assert list(binding.reads.items()) == list(reads.items())
    assert binding.writes == writes


@pytest.mark.parametrize(
    ("operator", "keys", "message"),
    [
        (Cut(), {"inpt_key": "a"}, "run has no key 'inpt_key'; it has input_key, output_key. Did you mean 'input_key'?"),
        (Cut(), {"x": "a"}, "run has no key 'x'; it has input_key, output_key."),
        (Cut(), {"input_key": 5}, "run needs input_key, the name of a column; 5 is none"),
        (Cut(), {"input_key": ""}, "run needs input_key, the name of a column; '' is none"),
        (Cut(), {"input_key": ["a", "b"]}, "run needs input_key, the name of a column; ['a', 'b'] is none"),
        (Needy(), {}, "run needs input_answer_key, the name of a column"),
        (Needy(), {"input_answer_key": "a", "input_more_keys": 3}, "the name of a column or a list of them; 3 is none"),
        (Open(), {"a": 3}, "run needs a, the name of a column; 3 is none"),
    ],
)  # fmt: skip
def test_faulty_keys(operator: Operator, keys: dict[str, Any], message: str) -> None:
    with pytest.raises(BindError) as caught:
        operator.run(Steps(), **keys)
    assert message in str(caught.value)
    assert operator.run(Tracing(), **keys) == f"? {caught.value}"


def test_an_output_without_a_name() -> None:
    class Nameless(Map):
        """Write where it is told."""

        output_key = Out()

        def map(self, text: str) -> str:
            return text

    with pytest.raises(BindError, match=r"^Nameless\.run needs output_key$"):
        Nameless().bind()


def test_arguments_that_are_no_columns() -> None:
    assert Needy().bind(input_answer_key="a").args == {"style": "plain"}
    assert Needy().bind(input_answer_key="a", style="bold").args == {"style": "bold"}


def test_run_gives_the_columns_written() -> None:
    storage = Steps()
    assert Cut().run(storage) == "output"
    assert Needy().run(storage, "a", output_note_key="n") == ["text", "n"]
    assert storage.applied[0].reads == {"input_key": "raw_content"}


def test_keys_by_position() -> None:
    storage = Steps()
    Cut().run(storage, "a", "b")
    Needy().run(storage, "ans", "ques", "hint")
    assert storage.applied[0] == Binding({"input_key": "a"}, {"output_key": "b"}, {})
    assert list(storage.applied[1].reads.values()) == ["ques", "ans", "hint", ("more",)]
    for args, keys in ((("a", "b", "c"), {}), (("a",), {"input_key": "b"})):
        with pytest.raises(
            BindError, match=r"Cut\.run takes each key once, in the order input_key, output_key"
        ):
            Cut().run(storage, *args, **keys)
    assert len(storage.applied) == 2


def test_the_signature_of_run() -> None:
    assert str(inspect.signature(Cut.run)) == (
        "(self, storage, input_key: 'str' = 'raw_content', output_key: 'str' = 'output') -> 'str | list[str]'"
    )
    assert str(inspect.signature(Needy.run)) == (
        "(self, storage, input_answer_key: 'str | None', input_question_key: 'str' = 'question', "
        "input_hint_key: 'str | None' = None, input_more_keys: 'str | list[str]' = 'more', "
        "output_text_key: 'str' = 'text', output_note_key: 'str | None' = None, style: 'str' = 'plain') "
        "-> 'str | list[str]'"
    )
    assert list(inspect.signature(Open.run).parameters) == ["self", "storage", "output_key", "columns"]


def test_a_kernel_takes_one_value_a_port() -> None:
    with pytest.raises(
        DefinitionError, match=r"Two\.map takes 2 value\(s\), but the class reads 1 column\(s\): input_key"
    ):

        class Two(Map):
            """Take too much."""

            def map(self, a: str, b: str) -> str:
                return a + b

    with pytest.raises(
        DefinitionError, match=r"NoParse\.parse takes 0 value\(s\), but the class reads 1 .*: the reply"
    ):

        class NoParse(Generate):
            """Take nothing."""

            def parse(self) -> str:  # type: ignore[override]
                return ""

    with pytest.raises(DefinitionError, match=r"Asks\.answer takes 2"):

        class Asks(Generate):
            """Take too much."""

            async def answer(self, ask: Any, a: str, b: str) -> str:
                return a + b

    with pytest.raises(
        DefinitionError, match=r"Loose's prompt has the slots \['question'\], which no input port names"
    ):

        class Loose(Judge):
            """Ask about what is not there."""

            default_prompt = Prompt("{question} {input}")


def test_kernels_that_fit() -> None:
    class Variadic(Map):
        """Take anything."""

        def map(self, *values: Any) -> str:
            return str(values)

    class Defaulted(Map):
        """Take one more at will."""

        def map(self, text: str, times: int = 2) -> str:
            return text * times

    assert (Variadic.kind, Defaulted.kind) == ("Map", "Map")


@pytest.mark.parametrize(
    ("port", "slot"),
    [
        ("input_question_key", "question"),
        ("input_key", "input"),
        ("output_text_key", "text"),
        ("input_a_b_key", "a_b"),
    ],
)
def test_slot_names(port: str, slot: str) -> None:
    assert short(port) == slot


def test_binding_accounts() -> None:
    binding = Binding({"a": None, "b": ("x", "y"), "c": "z"}, {"o": "p", "q": "r"})
    assert list(binding.columns_read()) == [("b", "x"), ("b", "y"), ("c", "z")]
    assert (binding.first_read, binding.returned) == ("x", ["p", "r"])
    assert (Binding().first_read, Binding().returned) == (None, [])


class Free(OperatorABC):
    """Double every row."""

    def run(self, storage: Any, times: int = 2) -> str:
        storage.write(storage.read("dict") * times)
        return "done"


class FreeChild(Free):
    pass


def test_a_free_form_operator() -> None:
    table = Table(pl.DataFrame({"a": [1]}))
    assert FreeChild().run(table, times=3) == "done"
    assert table.table["a"].to_list() == [1, 1, 1]
    assert FreeChild().logger.name == __name__
    assert Cut().logger.name == __name__
    with pytest.raises(NotImplementedError, match="OperatorABC does not define run"):
        OperatorABC().run(table)


def test_a_free_form_call_is_noted_down_where_nothing_may_run() -> None:
    class Noting:
        def note(self, operator: object, call: inspect.BoundArguments) -> Any:
            return call.arguments

        def mistake(self, operator: object, keys: dict[str, Any], error: BindError) -> str:
            return f"? {error}"

    arguments = Free().run(Noting(), 3)
    assert arguments["times"] == 3
    fault = "Free.run got an unexpected keyword argument 'tims'. Did you mean 'times'?"
    assert Free().run(Noting(), tims=3) == f"? {fault}"


def test_nothing_runs_while_a_pipeline_compiles() -> None:
    table = Table(pl.DataFrame({"a": [1]}))
    token = background.tracing.set(True)
    try:
        with pytest.raises(
            DataFlowError, match=r"Free\.run was given a storage that compile\(\) does not know"
        ):
            Free().run(table)
    finally:
        background.tracing.reset(token)
    assert table.table.height == 1
