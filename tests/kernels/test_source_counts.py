"""The counts over source files equal those of plain Python, where there is encoded data in them."""

from __future__ import annotations

import plain_source
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.kernels.statistics import statistics

CODES = [
    "0x41", "0X4f", "\\x41", "\\xfF", "41", "fe", "g1", "0x4", "\\x", "x41", "0x414", "_41", "é41", "41é", ",", ", ", " ", "\n", "\r\n",
    "\t", "\\u0041", "\\u00e", "\\uFFFF", "\\u", "\\", "'", "=", "+/", "A" * 63, "B", "\n" * 64, "é", "00", "0x", "\x00",
]  # fmt: skip
TEXT = st.lists(st.sampled_from(CODES), max_size=60).map("".join)
RUN = st.tuples(st.sampled_from(CODES), st.sampled_from(["", ",", ", ", " ", "\n"]), st.integers(6, 10))
RUNS = st.lists(st.one_of(TEXT, RUN.map(lambda r: (r[0] + r[1]) * r[2])), max_size=8).map("".join)


@settings(max_examples=500, deadline=None)
@given(cells=st.lists(st.one_of(st.none(), RUNS), max_size=6))
def test_encoded_data_is_counted_as_by_expressions(cells: list[str | None]) -> None:
    made = statistics(pl.Series(cells, dtype=pl.String), "source").to_list()
    assert made == [plain_source.source(cell or "") for cell in cells]


@pytest.mark.parametrize(
    ("text", "chars"),
    [
        ("0x41, " * 8, 46),
        ("41 " * 7, 0),
        (r"\x41" * 9, 36),
        ("b'" + r"\x41" * 9 + "'", 36),
        ("0x41,0x42,0x43,0x44,\n\t0x45,0x46,0x47,0x48", 41),
        ("4142434445464748", 0),
    ],
)
def test_bytes_in_hexadecimal(text: str, chars: int) -> None:
    assert statistics(pl.Series([text]), "source").struct.field("hex_chars").to_list() == [chars]


def test_a_run_of_base64_may_have_several_lines() -> None:
    lines = "\n".join(["QUJD" * 5] * 4)
    assert statistics(pl.Series([lines, "a " * 99]), "source").struct.field("base64_chars").to_list() == [
        83,
        0,
    ]


LINES = [
    " a",
    "a ",
    "a",
    "b",
    "{b}",
    "\ta b",
    "a  b",
    "A1",
    "Straße",
    "\u3000a",
    "\u3000",
    "é",
    "x" * 300,
    "",
    "{}",
    "\r",
    "ab",
    "a b",
]
REPEATS = st.tuples(st.lists(st.sampled_from(LINES), max_size=6), st.integers(1, 5))
PAGES = st.lists(REPEATS.map(lambda r: "\n".join(r[0] * r[1]) + "\n"), max_size=6).map("".join)


@settings(max_examples=500, deadline=None)
@given(cells=st.lists(st.one_of(st.none(), PAGES, TEXT), max_size=6))
def test_what_recurs_is_counted_as_by_expressions(cells: list[str | None]) -> None:
    column = pl.Series(cells, dtype=pl.String)
    assert statistics(column, "terms").to_list() == [plain_source.terms(cell or "") for cell in cells]
    assert statistics(column, "source").to_list() == [plain_source.source(cell or "") for cell in cells]


def test_the_first_lines_may_be_long() -> None:
    texts = [
        "é" * 600 + "\n" + "b\n" * 9,
        None,
        "a\n" * 9,
        "\n" * 3 + "c" * 900,
        "d" * 512,
        "e\n" * 256 + "f",
        "",
    ]
    column = pl.Series(texts, dtype=pl.String)
    assert statistics(column, "head").to_list() == [plain_source.head(text or "") for text in texts]


def test_entropy_of_four_words() -> None:
    made = statistics(pl.Series(["a b c d", "a a a a", ""]), "terms")
    assert made.struct.field("term_nanobits").to_list() == [2_000_000_000, 0, 0]
