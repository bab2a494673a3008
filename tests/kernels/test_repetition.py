"""The counts of repetition against a reference that is slow and plain, on arbitrary Unicode."""

from __future__ import annotations

import re

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_repetition import repetition

from dataflow.kernels.repetition import COUNTS
from dataflow.kernels.statistics import statistics
from dataflow.kernels.texts import PARALLEL_BYTES


def counted(texts: list[str]) -> list[dict[str, int]]:
    return list(statistics(pl.Series("t", texts, pl.String), "repetition").to_list())


WORDS = st.sampled_from(
    [
        "a",
        "b",
        "A",
        "•",
        "*b",
        "b.",
        "cc",
        "“cc!”",
        "-",
        "the",
        "ÉTÉ",
        "été",
        "To",
        "…",
        "(of)",
        "..",
        "#....",
        "..…",
        "ẞ",
        "İ",
    ]
)
GAPS = st.sampled_from([" ", " ", " ", "\n", "\n\n", "\n \t\n", "\u3000", "\r\n\r\n", "  "])
REPEATING = st.lists(st.tuples(WORDS, GAPS), max_size=80).map(lambda parts: "".join(w + g for w, g in parts))
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
PIECED = st.lists(st.one_of(REPEATING, ANY), max_size=3).map("\n\n".join)
DOUBLED = st.tuples(PIECED, st.integers(1, 3)).map(lambda t: " ".join([t[0]] * t[1]))


@settings(deadline=None)  # compiling counts too
@given(st.lists(st.one_of(ANY, REPEATING, DOUBLED), max_size=4))
def test_counts_are_those_of_the_reference(texts: list[str]) -> None:
    assert counted(texts) == [repetition(t) for t in texts]


def test_counts_are_those_of_the_reference_on_several_threads() -> None:
    texts = [" ".join(f"w{(i * i) % m}" for i in range(90)) for m in range(5, 60)]
    many = texts * (PARALLEL_BYTES // sum(map(len, texts)) + 1)
    assert counted(many) == [repetition(t) for t in texts] * (len(many) // len(texts))


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("", dict.fromkeys(COUNTS, 0)),
        # overlapping pairs: each word counts once
        ("a a a a", {"plain_words": 4, "top_2gram_chars": 4, "top_3gram_chars": 4, "top_4gram_chars": 0}),
        # of two equally frequent pairs the longer one
        ("a b x long pair y a b z long pair", {"top_2gram_chars": 16}),
        ("The cat. The CAT!", {"top_2gram_chars": 12, "stop_words": 1, "sentence_ends": 2}),
        # only what occurred before counts, and overlapping n-grams once
        ("a b c d e f a b c d e f", {"repeated_5gram_chars": 6, "repeated_6gram_chars": 6, "repeated_7gram_chars": 0}),
        ("a\nb\n\na b\n \nc", {"paragraphs": 3, "duplicate_paragraphs": 1, "duplicate_paragraph_chars": 3}),
        ("He said 3.5 (or 4.)\n… ?! “Yes.”", {"sentence_ends": 4, "plain_words": 6}),
        ("- a\n \t• b - c\n\nd\n*", {"listed_lines": 3, "paragraphs": 2}),
        ("don't “-” #tag —", {"plain_words": 2, "plain_word_chars": 8}),
    ],
)  # fmt: skip
def test_what_is_counted(text: str, counts: dict[str, int]) -> None:
    (made,) = counted([text])
    assert {k: made[k] for k in counts} == counts


def test_null_counts_as_the_empty_text() -> None:
    made = statistics(pl.Series("t", [None, "a"], pl.String), "repetition")
    assert made.struct.field("plain_words").to_list() == [0, 1]


def test_the_shape_of_a_text_does_not_change_its_ngrams() -> None:
    text = "one two three four five six. One two three four five six."
    spread = re.sub(" ", "\n\n\t", text)
    (a, b) = counted([text, spread])
    assert {k: v for k, v in a.items() if "gram" in k} == {k: v for k, v in b.items() if "gram" in k}
