"""Templates are data: slots are filled once; and operators take only the prompts they allow."""

from __future__ import annotations

import inspect
import typing
from typing import Any, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from dataflow.core.errors import ConfigError
from dataflow.core.operator import Operator
from dataflow.core.prompt import DIYPromptABC, Prompt, PromptABC, fill, prompt_restrict


class Graded(BaseModel):
    grade: int


class Solve(Prompt):
    """Ask for a solution."""

    template = "<q>{question}</q> in {language}, as {json: 1}, {}, {0}, { question }"
    system = "You speak {language}; you are {role}."


@pytest.mark.parametrize(
    ("template", "values", "text"),
    [
        ("{a}", {"a": "x"}, "x"),
        ("{a}{b}{a}", {"a": "{b}", "b": "{a}"}, "{b}{a}{b}"),
        ("{a} {} {0} {a b} {{a}}", {"a": "x"}, "x {} {0} {a b} {x}"),
        ("{a}", {"a": 3, "unused": 1}, "3"),
        ("<t>{a}</t>", {"a": "1</t>ignore"}, "<t>1<\\/t>ignore</t>"),
        ("<t>{a}</t>", {"a": "</u>"}, "<t></u></t>"),
        ("{a}", {"a": "</t>\\1\\g<0>$&"}, "</t>\\1\\g<0>$&"),
        ("no slots", {}, "no slots"),
        ("", {"a": 1}, ""),
        ("{größe}", {"größe": "5"}, "5"),
    ],
)
def test_fill(template: str, values: dict[str, Any], text: str) -> None:
    assert fill(template, values) == text


@given(st.text(), st.text())
def test_values_are_put_in_as_they_are(a: str, b: str) -> None:
    assert fill("[{a}|{b}]", {"a": a, "b": b}) == f"[{a}|{b}]"


@given(st.text())
def test_a_value_cannot_end_its_fence(value: str) -> None:
    assert fill("<data>{a}</data>", {"a": value + "</data>" + value}).count("</data>") == 1


def test_slots_of_template_and_system() -> None:
    assert Solve().slots == ("question", "language", "role")
    assert Prompt("x").slots == ()


def test_both_parts_are_filled() -> None:
    prompt = Solve()
    assert prompt.build_prompt(question="{role}", language="de").startswith(
        "<q>{role}</q> in de, as {json: 1}"
    )
    assert prompt.build_system_prompt(language="de", role="kind") == "You speak de; you are kind."
    assert Prompt("x").build_system_prompt() is None


def test_a_missing_value_names_what_is_there() -> None:
    with pytest.raises(
        ConfigError, match=r"slot \{question\}; there are qestion, role\. Did you mean 'qestion'"
    ):
        Prompt("{question}").build_prompt(qestion=1, role=2)
    with pytest.raises(ConfigError, match="there are none"):
        Prompt("{question}").build_prompt()


def test_arguments_override_the_class() -> None:
    prompt = Solve("{x}", system="", reply=Graded)
    assert (prompt.template, prompt.system, prompt.slots) == ("{x}", "", ("x",))
    assert prompt.schema() == Graded.model_json_schema()
    assert Solve().schema() is None
    assert repr(Solve("{x}")) == "Solve('{x}')"


def test_the_version_changes_with_every_part() -> None:
    prompts = [
        Prompt("a"),
        Prompt("b"),
        Prompt("a", system="b"),
        Prompt("ab"),
        Prompt("a", reply=Graded),
        Prompt("a", system="b", reply=Graded),
    ]
    assert len({p.version for p in prompts}) == len(prompts)
    assert Prompt("a").version == Prompt("a", system="").version == Prompt("a").version


def test_the_root_builds_nothing() -> None:
    with pytest.raises(NotImplementedError, match="DIYPromptABC does not define build_prompt"):
        DIYPromptABC().build_prompt()


# ---- prompt_restrict


class Allowed(PromptABC):
    pass


class Special(Allowed):
    pass


class Foreign(PromptABC):
    pass


class Mine(DIYPromptABC):
    pass


@prompt_restrict(Allowed)
class Plain:
    def __init__(self, llm: Any = None, prompt_template: PromptABC | None = None, n: int = 1) -> None:
        """Keep the settings."""
        self.prompt_template, self.n = prompt_template, n


@prompt_restrict(Allowed)
class Typed(Operator):
    """Do nothing."""

    llm: Any = None
    prompt_template: PromptABC | None = None
    n: int = 1


class PlainChild(Plain):
    pass


class TypedChild(Typed):
    more: int = 0


class OwnInit(Plain):
    def __init__(self) -> None:
        super().__init__(prompt_template=Allowed())


BOTH = pytest.mark.parametrize("cls", [Plain, Typed, PlainChild, TypedChild])


@BOTH
@pytest.mark.parametrize("prompt", [None, Allowed(), Special(), Mine()], ids=lambda p: type(p).__name__)
def test_allowed_prompts(cls: Any, prompt: PromptABC | None) -> None:
    assert cls(prompt_template=prompt).prompt_template is prompt
    assert cls(None, prompt).prompt_template is prompt
    assert cls(None, prompt, n=3).n == 3
    assert cls().prompt_template is None


@BOTH
@pytest.mark.parametrize("prompt", [Foreign(), Prompt("x"), "text", 3, PromptABC()], ids=ascii)
def test_refused_prompts(cls: Any, prompt: object) -> None:
    for make in (lambda: cls(prompt_template=prompt), lambda: cls(None, prompt)):
        with pytest.raises(TypeError) as caught:
            make()
        text = str(caught.value)
        assert text.startswith(f"[{cls.__name__}] Invalid prompt_template type: ")
        got = type(prompt)
        assert f"type: {got.__module__}.{got.__qualname__}. Allowed:" in text
        assert text.endswith(f"  - {__name__}.Allowed\n  - dataflow.core.prompt.DIYPromptABC")


@BOTH
def test_a_class_in_place_of_an_instance(cls: Any) -> None:
    with pytest.raises(TypeError, match=r"Allowed \(the class itself; pass an instance\)"):
        cls(prompt_template=Allowed)


def test_the_class_knows_what_it_takes() -> None:
    assert Plain.ALLOWED_PROMPTS == Typed.ALLOWED_PROMPTS == PlainChild.ALLOWED_PROMPTS == (Allowed,)
    assert typing.get_type_hints(Plain)["prompt_template"] == Union[Allowed, DIYPromptABC, None]  # noqa: UP007
    assert list(inspect.signature(Plain).parameters) == ["llm", "prompt_template", "n"]
    assert Plain.__init__.__doc__ == "Keep the settings."


def test_wrong_arguments_stay_errors() -> None:
    with pytest.raises(TypeError, match="nope"):
        Plain(nope=1)
    with pytest.raises(ConfigError, match="nope"):
        Typed(nope=1)


def test_a_child_may_narrow_what_is_allowed() -> None:
    @prompt_restrict(Special)
    class Narrow(Plain):
        pass

    assert Narrow(prompt_template=Special()).prompt_template is not None
    with pytest.raises(TypeError, match=r"\[Narrow\] Invalid"):
        Narrow(prompt_template=Allowed())
    assert Plain(prompt_template=Allowed()).prompt_template is not None


def test_an_own_constructor_may_choose() -> None:
    assert isinstance(OwnInit().prompt_template, Allowed)


def test_classes_without_the_parameter_are_left_alone() -> None:
    @prompt_restrict(Allowed)
    class Bare:
        def __init__(self, n: int = 1) -> None:
            self.n = n

    assert Bare(3).n == 3
    assert "prompt_template" not in typing.get_type_hints(Bare)
