"""Which values of a column are shown, and which never are."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from dataflow.databases.examples import choose, is_private, sample_rows

PRIVATE = [
    "ann@example.com",
    "Ann <ann.smith@mail.example.co.uk>",
    "http://example.com",
    "see HTTPS://x.y/z",
    "www.example.org",
    "example.com",
    "+49 30 1234567",
    "+1-202-555-0143",
    "(030) 1234 5678",
    "555-123-4567",
    "555 123 4567",
    "555.123.4567",
    "555-1234",
    "13912345678",
    "03012345678",
]
PUBLIC = [
    "Paris",
    "12345",
    "2024-01-02",
    "10.5",
    "1234567890123456",
    "A-123-B",
    "1.2.3",
    "user",
    "@home",
    "3-4",
    "v2.0",
    "",
]


@pytest.mark.parametrize("value", PRIVATE)
def test_private(value: str) -> None:
    assert is_private(value)
    assert choose("a", ["x", value, "y"], 3) == ()
    assert sample_rows(["a"], [(value,)], 1) == ((None,),)


@pytest.mark.parametrize("value", [*PUBLIC, 5551234567, 1.5, None, True])
def test_public(value: Any) -> None:
    assert not is_private(value)


@pytest.mark.parametrize(
    "name", ["email", "E_Mail", "phone_number", "PhoneNumber", "home_phone", "url", "website", "password"]
)
def test_private_by_name(name: str) -> None:
    assert choose(name, ["a", "b"], 3) == ()
    assert sample_rows([name], [("a",)], 1) == ((None,),)


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([], ()),
        ([None, None], ()),
        ([None, 3, 3, 1, 2, 9], (3, 1, 2)),
        ([" ", "", "a"], ("a",)),
        ([dt.date(2024, 1, 2), dt.date(2024, 1, 3)], (dt.date(2024, 1, 2),)),
        (["2024-01-02", "2024-01-03"], ("2024-01-02",)),
        (["x" * 21, "y" * 21], ("x" * 21,)),
        (["a", "x" * 51], ()),
        ([b"bytes", "a"], ("a",)),
        ([[1], {"a": 1}], ()),
    ],
)
def test_choice(values: list[Any], shown: tuple[Any, ...]) -> None:
    assert choose("a", values, 3) == shown


def test_sample_rows_are_short() -> None:
    rows = sample_rows(["a", "b", "c"], [("x" * 300, b"0" * 100, 1), ("y", b"1", 2), ("z", None, 3)], 2)
    assert rows[0][0].endswith("…")
    assert len(rows[0][0]) == 100
    assert rows[0][1:] == (None, 1)
    assert rows[1] == ("y", b"1", 2)
    assert len(rows) == 2
