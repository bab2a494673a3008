"""Which answers are the same: a table of pairs, both ways round, and what is said of those that are not."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from dataflow.operators._lib.answers import Comparison, Verdict, agrees, compare, compare_all

MOST_FALSELY_DIFFERENT = 0.02


class Pair(NamedTuple):
    kind: str
    equal: bool
    reference: str
    answer: str


def pairs() -> list[Pair]:
    lines = Path(__file__).with_name("pairs.tsv").read_text("utf-8").splitlines()[1:]
    return [Pair(k, e == "yes", r, a) for k, e, r, a in (line.split("\t") for line in lines)]


PAIRS = pairs()


@pytest.fixture(scope="module")
def told() -> list[tuple[Pair, Comparison]]:
    both = PAIRS + [p._replace(reference=p.answer, answer=p.reference) for p in PAIRS]
    made = compare_all([(p.reference, p.answer) for p in both])
    return list(zip(both, made, strict=True))


def test_the_table_is_large_and_even() -> None:
    counts = Counter(p.equal for p in PAIRS)
    assert len(PAIRS) == len(set(PAIRS)) >= 320
    assert 0.4 < counts[True] / len(PAIRS) < 0.6
    for kind in {p.kind for p in PAIRS}:
        assert len({p.equal for p in PAIRS if p.kind == kind}) == 2, f"{kind} has pairs of one sort only"


def test_no_pair_is_falsely_equal(told: list[tuple[Pair, Comparison]]) -> None:
    assert [(p, c) for p, c in told if c.equal and not p.equal] == []


def test_hardly_a_pair_is_falsely_different(told: list[tuple[Pair, Comparison]]) -> None:
    wrong = [(p, str(c)) for p, c in told if p.equal and not c.equal]
    assert len(wrong) <= MOST_FALSELY_DIFFERENT * sum(p.equal for p, _ in told), wrong


def test_every_pair_is_decided(told: list[tuple[Pair, Comparison]]) -> None:
    assert [(p, str(c)) for p, c in told if not c.decided] == []


def test_different_pairs_have_a_detail(told: list[tuple[Pair, Comparison]]) -> None:
    assert [p for p, c in told if not p.equal and not c.detail] == []


@pytest.mark.parametrize(
    ("reference", "answer", "outcome"),
    [
        ("3", "4", "different value: 3 and 4"),
        ("5 cm", "5 kg", "different form: in length and in mass"),
        ("(1,2)", r"\{1,2\}", "different form: a tuple of 2 and several values"),
        ("1, 2", "1, 2, 3", "different value: 2 values and 3 values"),
        ("Paris", "4", "different form: words and a value"),
        ("4", r"\frac{1}{", r"parse failure: no expression: \frac{1}{"),
        (r"x+\frac{a}{}", "4", r"parse failure: no expression: x+\frac{a}{}"),
        ("4", "", "parse failure: no answer"),
        (" ", "4", "parse failure: no reference"),
        ("4", "it depends on what you mean by it", "parse failure: prose: it depends on what you mean by it"),
        ("to be or not to be at all", "that is the question here", "parse failure: prose"),
    ],
)
def test_why_answers_differ(reference: str, answer: str, outcome: str) -> None:
    assert str(compare(reference, answer)) == outcome


@pytest.mark.parametrize(
    "text",
    [
        "?",
        "\\",
        "{",
        "}",
        "\\boxed{",
        "((((",
        "$",
        "-",
        "\x00",
        "a" * 5000,
        "(" * 3000,
        "\\frac" * 300,
        "^" * 50,
        "1," * 2000,
    ],
)
def test_odd_texts_are_the_same_as_themselves_or_unreadable(text: str) -> None:
    assert compare(text, text).verdict in (Verdict.EQUAL, Verdict.UNREADABLE)
    assert not compare("7", text).equal


def test_an_answer_that_is_a_solution_agrees_by_its_answer() -> None:
    assert agrees(r"\boxed{x^2+1}", "I expand. Therefore the answer is $1+x^2$.")
    assert not agrees("Paris", "Paris was built in 1")
