"""Cases pass for what the operator does, and say what is wrong with a wrong one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from dataflow.core import Expand, Filter, Generate, In, Map, Out
from dataflow.testing import FAILED, Case, expands, keeps, maps, replies


class Halve(Map):
    """Halve a text."""

    output_first_key = Out("first")
    output_second_key = Out("second")

    def map(self, text: str) -> tuple[str, str]:
        if not text:
            raise ValueError("nothing to halve")
        return text[: len(text) // 2], text[len(text) // 2 :]


class Join(Map):
    """Join two texts."""

    input_left_key = In("left")
    input_right_key = In("right")

    def map(self, left: str, right: str) -> str:
        return left + right


class NotBlank(Filter):
    """Keep texts with a letter."""

    def keep(self, text: str) -> bool:
        return bool(text.strip())


class Words(Expand):
    """Make a row of each word."""

    output_key = Out("word")

    def expand(self, text: str) -> Iterable[str]:
        return text.split()


class Number(Generate):
    """Ask for a number."""

    output_key = Out("number", type="int")

    def request(self, text: Any) -> str:
        return str(text)

    def parse(self, reply: str) -> int:
        return int(reply)


@pytest.mark.parametrize(
    "case",
    [
        maps(Halve(), {"abcd": ("ab", "cd"), "": FAILED, None: None}),
        maps(Join(), {("a", "b"): "ab", ("a", None): None}),
        keeps(NotBlank(), ["a", " ", None, "b"], ["a", "b"]),
        expands(Words(), ["a b", "", "c"], ["a", "b", "c"]),
        replies(Number, {"7": 7, "seven": FAILED, None: FAILED}),
        Case(NotBlank(), [{"t": " "}], [], {"input_key": "t"}, dropped=1),
    ],
    ids=lambda case: case.name,
)
def test_right_cases_pass(case: Case) -> None:
    case.check()


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (maps(Halve(), {"ab": ("a", "c")}), "Halve, row 0: it gave"),
        (maps(Halve(), {"": ("", "")}), "gave 0 rows, not 1: []\n  row 0 failed: nothing to halve"),
        (maps(Halve(), {"ab": FAILED}), "gave 1 rows, not 0"),
        (Case(Halve(), [{"raw_content": "ab"}], [{"frist": None}]), "writes no column 'frist'"),
        (Case(Halve(), [{"raw_content": ""}], []), "0 rows should have failed\n  row 0 failed"),
        (keeps(NotBlank(), ["a", " "], ["a", " "]), "row 1 was dropped: not kept"),
        (Case(NotBlank(), [{"raw_content": " "}], [], dropped=0), "0 rows should have been dropped"),
        (expands(Words(), ["a b"], ["b", "a"]), "Words, row 0"),
        (replies(Number, {"seven": 7}), "row 0 failed: invalid literal"),
    ],
)
def test_wrong_cases_say_what_came_instead(case: Case, message: str) -> None:
    with pytest.raises(AssertionError) as error:
        case.check()
    assert message in str(error.value)


def test_a_tuple_has_a_cell_for_each_column() -> None:
    with pytest.raises(AssertionError, match="3 cells for the columns left, right"):
        maps(Join(), {("a", "b", "c"): "abc"})
