"""Each promise fails for an operator that breaks it, and says how to mend it; good operators of each kind pass."""

from __future__ import annotations

import pytest
from promising_operators import (
    Bare,
    Conjurer,
    Counts,
    Forgetful,
    Fussy,
    FussyFast,
    Grader,
    Growing,
    Idler,
    KeepsAndFails,
    Lengths,
    Letters,
    LongWinded,
    Loser,
    Maker,
    Narrower,
    Overwriter,
    Scribbler,
    Shorter,
    Shout,
    ShoutFast,
    Slow,
    TakesAnyKey,
    Thawed,
    Torn,
    TornFilter,
    Undocumented,
    Unended,
    Unique,
    local,
)

from dataflow.core import In, Map, Out
from dataflow.core.errors import BindError, ConfigError
from dataflow.core.operator import Operator
from dataflow.testing import ScriptedServing, check_operator, conformance

GOOD = [
    Shout(), Shout(suffix="?"), ShoutFast(), Shorter(), Letters(), Unique(), Lengths(),
    Grader(llm_serving=ScriptedServing("3")), Maker(llm_serving=ScriptedServing("x")),
]  # fmt: skip


@pytest.mark.parametrize("op", GOOD, ids=lambda op: type(op).__name__)
def test_a_good_operator_passes(op: Operator) -> None:
    check_operator(op)


BROKEN = [
    ("documented", Undocumented(), "give the class a docstring"),
    ("documented", Unended(), "full stop"),
    ("documented", LongWinded(), "under 100 characters"),
    ("documented", Bare(), "under each field: max_chars"),
    ("keys_are_checked", TakesAnyKey(), "call super().bind"),
    ("empty_in_empty_out", Conjurer(), "derive from Source"),
    ("no_row_is_lost", Loser(), "rows 0 are neither"),
    ("no_row_is_lost", KeepsAndFails(), "out of Outcome.frame"),
    ("no_row_is_lost", Fussy(), "let only its row fail"),
    ("no_row_is_lost", FussyFast(), "define map too"),
    ("inputs_untouched", Overwriter(), "declare an Out port"),
    ("inputs_untouched", Narrower(), "with_columns"),
    ("writes_only_its_outputs", Scribbler(), "it writes note; declare"),
    ("writes_only_its_outputs", Idler(), "it declares output but"),
    ("batch_size_does_not_matter", Counts(), "keep nothing between rows"),
    ("columns_equal_rows", Torn(), "expr and map differ"),
    ("columns_equal_rows", TornFilter(), "expr and keep differ"),
    ("fast_enough", Slow(), "a regex that backtracks"),
    ("config_round_trip", Growing(suffix="?"), "that they have seen before"),
    ("config_round_trip", Thawed(), "leave operators frozen"),
    ("config_round_trip", Forgetful(suffix="?"), "in its fields"),
    ("config_round_trip", local(), "at the top of a module"),
]


@pytest.mark.parametrize(("promise", "op", "advice"), BROKEN, ids=lambda v: type(v).__name__)
def test_a_broken_promise_is_named_with_advice(
    promise: str, op: Operator, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conformance, "SECONDS", 0.3)
    with pytest.raises(AssertionError) as broken:
        check_operator(op)
    message = str(broken.value)
    assert message.startswith(f"{type(op).__name__} breaks the promise `{promise}`: ")
    assert advice in message


def test_every_promise_can_be_broken() -> None:
    assert {promise for promise, _, _ in BROKEN} == set(conformance.promises())


def test_every_promise_is_said_in_a_sentence() -> None:
    for name, words in conformance.promises().items():
        assert words.endswith("."), name
        assert "\n" not in words, name


def test_rows_that_the_operator_cannot_read_are_the_callers_mistake() -> None:
    class Adder(Map):
        """Add one."""

        input_key = In(type="int")
        output_key = Out("sum", type="int")

        def map(self, number: int) -> int:
            return number + 1

    with pytest.raises(BindError, match="input_key"):
        check_operator(Adder())
    with pytest.raises(BindError, match="holds text, where int is read"):
        check_operator(Adder(), [{"n": "one"}], input_key="n")
    with pytest.raises(ConfigError, match="llm_serving"):
        check_operator(Grader(llm_serving=None))


def test_rows_given_are_not_changed_and_may_have_more_columns() -> None:
    rows = [{"text": "a", "tags": ["x"]}, {"text": None, "tags": None}]
    check_operator(Shout(), rows, input_key="text", output_key="loud")
    assert rows == [{"text": "a", "tags": ["x"]}, {"text": None, "tags": None}]
