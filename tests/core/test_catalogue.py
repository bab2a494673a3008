"""What the catalogue reads off an operator's class."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from dataflow.core import catalogue
from dataflow.core.catalogue import describe, domain_of
from dataflow.core.errors import MissingDependency
from dataflow.core.generate import Generate
from dataflow.core.operator import OperatorABC
from dataflow.core.ports import Arg, In, Out
from dataflow.core.prompt import Prompt, prompt_restrict
from dataflow.core.registry import OPERATOR_REGISTRY
from dataflow.core.rows import Filter, Map
from dataflow.core.written import source, type_text


class JoinRefiner(Map):
    """Join two columns.

    The second may be missing.
    """

    separator: str = Field(" ", min_length=1, max_length=3)
    """What stands between."""
    most: int = Field(ge=1)
    """How many."""

    input_left_key = In("left", "the first", many=True)
    input_right_key = In(doc="the second", optional=True)
    output_key = Out(like="input_left_key")
    loud = Arg(False, "whether to shout")

    def map(self, left: list[str], right: str | None) -> str:
        return self.separator.join([*left, right or ""])


def _need() -> None:
    raise MissingDependency("torch", "hf", "EnglishFilter")


class EnglishFilter(Filter):
    """Keep what a model says is English."""

    def keep(self, text: str) -> bool:
        _need()
        return True


class OnePrompt(Prompt):
    """One."""

    template = "{input}"


@prompt_restrict(OnePrompt)
class AskGenerator(Generate):
    """Ask."""

    prompt_template: Any = None
    """What is asked."""


class OldGenerator(OperatorABC):
    """Do as open-dataflow 1.x does.

    Not more.

    Args:
        llm_serving: the model
            that answers.
        times: how often.

    Raises:
        ConfigError: never.
    """

    def __init__(self, llm_serving: Any, times: int = 2) -> None:
        super().__init__()

    def run(
        self,
        storage: Any,
        input_key: str = "text",
        input_more_key: str | None = None,
        output_key: str = "made",
        fast: bool = True,
    ) -> str:
        return output_key


def test_columns() -> None:
    reads, writes = describe(JoinRefiner).reads, describe(JoinRefiner).writes
    assert [(c.port, c.default, c.optional, c.many, c.doc) for c in reads] == [
        ("input_left_key", "left", False, True, "the first"),
        ("input_right_key", None, True, False, "the second"),
    ]
    assert [(c.port, c.default, c.like) for c in writes] == [("output_key", None, "input_left_key")]


def test_settings_and_their_limits() -> None:
    separator, most = describe(JoinRefiner).settings
    assert (separator.name, separator.type, separator.default, separator.required) == (
        "separator",
        "str",
        "' '",
        False,
    )
    assert (separator.description, separator.constraints) == (
        "What stands between.",
        "length ≥ 1, length ≤ 3",
    )
    assert (most.default, most.required, most.constraints) == (None, True, "≥ 1")


def test_a_changed_default_keeps_its_description() -> None:
    class Joiner(JoinRefiner):
        separator: str = "-"

    class Told(JoinRefiner):
        separator: str = Field("+", description="What joins.")

    assert [s.description for s in describe(Joiner).settings][:1] == ["What stands between."]
    assert [s.description for s in describe(Told).settings][:1] == ["What joins."]


def test_a_class_without_source_has_no_descriptions() -> None:
    made = type("Made", (JoinRefiner,), {"__annotations__": {"depth": int}, "depth": 1})
    assert [(s.name, s.description) for s in describe(made).settings][::2] == [
        ("separator", "What stands between."),
        ("depth", ""),
    ]


def test_words_and_kinds() -> None:
    d = describe(JoinRefiner)
    assert (d.headline, d.notes, d.kind, d.function) == (
        "Join two columns.",
        "The second may be missing.",
        "Map",
        "Refiner",
    )
    assert [(a.name, a.default, a.doc) for a in d.run_args] == [("loud", "False", "whether to shout")]
    assert (d.calls_models, d.streams, d.needs) == (False, True, ())


def test_an_extra_that_a_helper_asks_for_is_a_need() -> None:
    assert describe(EnglishFilter).needs == ("hf",)


def test_prompts_and_servings() -> None:
    d = describe(AskGenerator)
    assert (d.prompts, d.needs, d.calls_models) == (("OnePrompt",), ("llm",), True)


def test_free_form_operators_are_read_off_their_signatures() -> None:
    d = describe(OldGenerator)
    assert [(c.port, c.default, c.optional) for c in d.reads] == [
        ("input_key", "text", False),
        ("input_more_key", None, True),
    ]
    assert [(c.port, c.default) for c in d.writes] == [("output_key", "made")]
    assert [(s.name, s.default, s.description) for s in d.settings] == [
        ("llm_serving", None, "the model that answers."),
        ("times", "2", "how often."),
    ]
    assert d.notes == "Not more.\n\nRaises:\n    ConfigError: never."
    assert [a.name for a in d.run_args] == ["fast"]
    assert (d.kind, d.streams, d.needs, d.calls_models) == ("FreeForm", False, ("llm",), True)


def test_get_desc_can_be_called_on_the_class_and_on_an_instance() -> None:
    assert EnglishFilter.get_desc() == EnglishFilter().get_desc(lang="en")
    assert OldGenerator.get_desc("en").startswith(
        "Do as open-dataflow 1.x does.\n\nNot more.\n\nRaises:\n    ConfigError: never.\n\nReads:\n- input_key = 'text' (any)"
    )


def test_chinese_where_it_is_translated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = {
        "headline": "连接两列。",
        "columns": {"input_left_key": "第一列"},
        "settings": {"separator": "分隔符"},
    }
    (tmp_path / "zh").mkdir()
    (tmp_path / "zh" / "all.json").write_text(json.dumps({"JoinRefiner": words}), "utf-8")
    monkeypatch.setattr(catalogue, "LOCALES", tmp_path)
    catalogue._locale.cache_clear()
    try:
        text = JoinRefiner.get_desc("zh")
        assert text.startswith("连接两列。")
        assert "读取的列:\n- input_left_key = 'left' (text): 第一列" in text
        assert "分隔符" in text
        assert EnglishFilter.get_desc("zh") == EnglishFilter.get_desc("en")
    finally:
        catalogue._locale.cache_clear()


@pytest.mark.parametrize("name", OPERATOR_REGISTRY.keys())
def test_every_operator_can_be_described(name: str) -> None:
    d = describe(OPERATOR_REGISTRY.get(name))
    assert json.loads(json.dumps(d.to_dict()))["name"] == name
    e = OPERATOR_REGISTRY.entry(name)
    assert (e.headline, e.domain, e.kind, e.needs) == (d.headline, d.domain, d.kind, d.needs), (
        "run `make gen`"
    )
    assert not [s.name for s in d.settings if "0x" in (s.default or "")], "a default shows a memory address"


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        ("Optional[str]", "str | None"),
        ("Annotated[int, Field(ge=1)]", "int"),
        ("collections.abc.Callable[[str], bool]", "Callable[[str], bool]"),
        ("str | None", "str | None"),
        (int, "int"),
        (list[str], "list[str]"),
    ],
)
def test_types_as_text(annotation: Any, text: str) -> None:
    assert type_text(annotation) == text


def test_values_as_source_are_the_same_in_every_process() -> None:
    assert source("a") == "'a'"
    assert source(len) == "len"
    assert source(int) == "int"
    assert "0x" not in source([object(), lambda: 0])


def test_domains() -> None:
    assert domain_of("dataflow.operators.core_text.prompted") == "core_text"
    assert domain_of("dataflow_poems.operators") == "dataflow_poems"
