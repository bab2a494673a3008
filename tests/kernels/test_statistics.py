"""The counts of the text kernels equal those of plain Python, for every text, on any number of threads."""

from __future__ import annotations

import sys
import unicodedata
from itertools import chain

import plain_counts
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.kernels import characters, texts
from dataflow.kernels.listed_words import COUNTS, WordList, listed_words
from dataflow.kernels.listed_words import parts as parts_of
from dataflow.kernels.sets import hash_of
from dataflow.kernels.statistics import GROUPS, statistics

MARKS = "".join(sorted({*characters.ENDS, *characters.BREAKS, *characters.BULLETS, *characters.TERMINALS}))
PIECES = [
    *MARKS, *characters.DASHES, "...", "..", "{", "}", "#", "##", " ", "  ", "\t", "\r\n", "\n\n", "\x1c", "\x85", "\u00a0",
    "\u2028", "\u3000", "word", "Word", "WORD", "don't", "don’t", "''", "JavaScript", "javascript", "javajavascript", "JAVA script",
    "été", "ÉTÉ", "ǅ", "İ", "ß", "ς", "Σ", "ª", "_", "²", "½", "٣", "三", "中文", "ー", "・", "かな", "한국어", "ไทย", "\u0301", "\u200d", "👩‍👩‍👧",
    "\U0001f600", "\ufffd", "\x00", "\ufeff", "\u0378", "\ue000", "𠀀", "\U000e0041", "\U0010ffff", "the", "of", "a", "b", "x" * 40,
]  # fmt: skip
ANY = st.text(st.characters(exclude_categories=["Cs"]))
PIECEWISE = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
TEXT = st.one_of(ANY, PIECEWISE, st.lists(st.one_of(ANY, PIECEWISE), max_size=4).map("\n".join))
COLUMN = st.lists(st.one_of(st.none(), TEXT), max_size=12)
LIST = ["the", "of a", "of a word", "don't", "中文", "三", "ÉTÉ", "of_a", "javascript;word", "...", "a b a b"]


def column(cells: list[str | None]) -> pl.Series:
    return pl.Series("text", cells, dtype=pl.String)


@pytest.mark.parametrize("group", GROUPS)
@settings(max_examples=300, deadline=None)
@given(cells=COLUMN)
def test_counts_are_those_of_plain_python(group: str, cells: list[str | None]) -> None:
    made = statistics(column(cells), group).to_list()
    assert made == [plain_counts.GROUPS[group](cell or "") for cell in cells]


@settings(max_examples=300, deadline=None)
@given(cells=COLUMN)
def test_listed_words_are_those_of_plain_python(cells: list[str | None]) -> None:
    made = listed_words(column(cells), WordList.of(LIST)).to_list()
    assert made == [plain_counts.listed(cell or "", LIST) for cell in cells]
    assert [parts_of(cell or "") for cell in cells] == [plain_counts.parts(cell or "") for cell in cells]


@pytest.mark.parametrize("group", GROUPS)
@settings(max_examples=20, deadline=None)
@given(cells=COLUMN)
def test_threads_do_not_matter(group: str, cells: list[str | None]) -> None:
    alone = statistics(column(cells * 5), group).to_list()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(texts, "PARALLEL_BYTES", 0)
        assert statistics(column(cells * 5), group).to_list() == alone


@pytest.mark.parametrize("group", GROUPS)
def test_large_texts_outgrow_the_room_that_was_made_for_them(group: str) -> None:
    long = "\n".join(f"{i % 700} wörd{i} ..." for i in range(3000))
    cells = [long, None, "", "x", long[::-1]]
    made = statistics(column(cells), group).to_list()
    assert made == [plain_counts.GROUPS[group](cell or "") for cell in cells]


def test_a_long_text_of_listed_words() -> None:
    cells = ["of a word " * 1000 + "中" * 2000, None]
    made = listed_words(column(cells), WordList.of(LIST)).to_list()
    assert made == [plain_counts.listed(cell or "", LIST) for cell in cells]


@pytest.mark.parametrize("group", GROUPS)
def test_every_code_point(group: str) -> None:
    every = [chr(p) for p in chain(range(0xD800), range(0xE000, sys.maxunicode + 1), [0x41])]
    blocks = ["a".join(every[i : i + 4096]) for i in range(0, 0x34000, 4096)]
    made = statistics(column(blocks), group).to_list()
    assert made == [plain_counts.GROUPS[group](block) for block in blocks]


def test_no_rows() -> None:
    for group, (_, names) in GROUPS.items():
        none = statistics(column([]), group)
        assert none.to_list() == []
        assert none.struct.fields == list(names)
    assert listed_words(column([]), WordList.of(LIST)).struct.fields == list(COUNTS)


def test_an_empty_list_finds_nothing() -> None:
    nothing = listed_words(column(["a b", None]), WordList.of(["", "...", " "]))
    assert nothing.to_list() == [
        {"parts": 2, "entries": 0, "listed": 0},
        {"parts": 0, "entries": 0, "listed": 0},
    ]


def test_nothing_is_assigned_where_the_tables_do_not_look() -> None:
    looked_at = set(chain(*characters.ASSIGNED))
    for point in range(sys.maxunicode + 1):
        if point not in looked_at:
            assert unicodedata.category(chr(point)) in {"Cn", "Co", "Cs"}
            assert chr(point).lower() == chr(point)


def test_kinds_say_what_classes_say() -> None:
    kinds = characters.kinds()
    assert (kinds.classes[kinds.kinds] == characters.classes()).all()


def test_words_of_one_hash_are_one_word() -> None:
    assert len({hash_of(w) for w in ["", "a", "aa", "ab", "ba", "b", "abc"]}) == 7
