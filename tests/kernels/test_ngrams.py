"""Runs of words in common, against a reference that is slow and plain, on arbitrary Unicode."""

from __future__ import annotations

import unicodedata

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.kernels.ngrams import Grams
from dataflow.kernels.texts import PARALLEL_BYTES


def lower(character: str) -> str:
    low = character.lower()
    return low if len(low) == 1 else character


def words_of(text: str) -> list[tuple[str, int, int]]:
    """Each word with the characters that it stretches from and to, without the marks around it."""
    found: list[tuple[str, int, int]] = []
    word: list[tuple[str, int]] = []
    for i, c in enumerate(text + " "):
        if c.isspace():
            if word:
                found.append(("".join(w for w, _ in word), word[0][1], word[-1][1] + 1))
            word = []
        elif unicodedata.category(c)[0] not in "PS":
            word.append((lower(c), i))
    return found


def first(text: str, items: list[str], n: int) -> tuple[int, str] | None:
    """The first item with a run of words of the text, and that run."""
    words = words_of(text)
    for i in range(len(words) - n + 1):
        gram = [w for w, _, _ in words[i : i + n]]
        for number, item in enumerate(items):
            known = [w for w, _, _ in words_of(item)]
            if any(known[k : k + n] == gram for k in range(len(known) - n + 1)):
                return number, text[words[i][1] : words[i + n - 1][2]]
    return None


def found(texts: list[str | None], items: list[str], n: int) -> list[tuple[int, str] | None]:
    made = Grams.of(pl.Series(items, dtype=pl.String), n).first_in(pl.Series(texts, dtype=pl.String))
    return [
        None if owner < 0 else (owner, (text or "").encode()[begin:end].decode())
        for text, (owner, begin, end) in zip(texts, made.tolist(), strict=True)
    ]


WORDS = st.sampled_from(["a", "b", "A.", "«b»", "é", "É", "-", "c", "a-b", "ab", "ẞ", "x'"])
GAPS = st.sampled_from([" ", " ", "\n", "\u3000\t"])
PIECES = st.lists(st.tuples(WORDS, GAPS), max_size=12).map(lambda parts: "".join(w + g for w, g in parts))
ANY = st.one_of(PIECES, st.text(st.characters(exclude_categories=["Cs"]), max_size=20))


@settings(deadline=None)  # compiling counts too
@given(st.lists(ANY, max_size=4), st.lists(ANY, max_size=3), st.integers(1, 4))
def test_first_runs_are_those_of_the_reference(texts: list[str], items: list[str], n: int) -> None:
    assert found([*texts], items, n) == [first(t, items, n) for t in texts]


def test_several_threads_find_the_same() -> None:
    texts = [" ".join(f"w{(i * i) % m}" for i in range(40)) for m in range(5, 40)]
    items = ["w0 w1 w4 w9 w3", "w4 w9 w16 w25"]
    many: list[str | None] = [*texts * (PARALLEL_BYTES // sum(map(len, texts)) + 1)]
    assert found(many, items, 4) == [first(t, items, 4) for t in texts] * (len(many) // len(texts))


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("So: ONE -- two, (three)!", "ONE -- two, (three"),
        ("one two", None),
        ("one two tree", None),
        ("onetwo three", None),
        ("don’t stop now", "don’t stop now"),  # an apostrophe makes no difference
        ("", None),
        (None, None),
    ],
)
def test_what_is_found(text: str | None, match: str | None) -> None:
    assert found([text], ["", "One two three", "Dont stop now"], 3) == [
        match and (1 + ("stop" in match), match)
    ]
