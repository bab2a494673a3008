"""What is taken out of texts: checksums, spans that overlap, models that read in batches."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from general_text_score_cases import PERSONAL
from hypothesis import given, settings
from hypothesis import strategies as st

import dataflow
from dataflow.core.errors import ConfigError
from dataflow.operators._lib import entities as models
from dataflow.operators._lib.entities import PIECE_CHARS, entities, personal_data
from dataflow.operators._lib.identifiers import IBAN_LENGTHS, iban, luhn
from dataflow.operators._lib.spans import Span, apart, replaced
from dataflow.operators.general_text.entities import (
    NERRefiner,
    PIIAnonymizeRefiner,
    PresidioFilter,
    PresidioSampleEvaluator,
)
from dataflow.operators.general_text.pii import PIIRefiner
from dataflow.testing import run_rows

PARTS = st.sampled_from(
    [*"0123456789 -.:@()+/aZ\n", "4111 1111 1111 1111", "DE89370400440532013000", "a@b.org", "10.0.0.1", "fe80::1",
     "+44 20 7946 0958", "(212) 555-0123", "AKIA", "ABCDEFGH12345678", "-----BEGIN ", "PRIVATE KEY-----", "-----END "]
)  # fmt: skip
TEXTS = st.lists(st.lists(PARTS, max_size=30).map("".join), max_size=4)


@settings(deadline=None)
@given(TEXTS)
def test_texts_that_are_passed_over_have_nothing_to_find(texts: list[str]) -> None:
    op = PIIRefiner()
    assert run_rows(op, [{"raw_content": t} for t in texts]).frame["raw_content"].to_list() == list(
        map(op.map, texts)
    )


@pytest.mark.parametrize("kind", PIIRefiner().kinds)
def test_each_kind_alone_is_found_by_its_own_pattern(kind: str) -> None:
    text = f"{PERSONAL} 10.0.0.1 4111111111111111 DE89370400440532013000 " + "ghp_" + "aB3" * 12
    op = PIIRefiner(kinds=(kind,))
    (made,) = run_rows(op, [{"raw_content": text}]).frame["raw_content"]
    assert made == op.map(text)
    assert made.count(f"<{kind.upper()}>") == 1
    assert made.count("<") == 1


@settings(deadline=None)
@given(st.text("0123456789", min_size=1, max_size=20), st.integers(0, 19), st.integers(1, 9))
def test_luhn_finds_every_digit_that_is_wrong(digits: str, at: int, off: int) -> None:
    right = next(digits + c for c in "0123456789" if luhn(digits + c))
    at %= len(right)
    wrong = right[:at] + str((int(right[at]) + off) % 10) + right[at + 1 :]
    assert not luhn(wrong)


@settings(deadline=None)
@given(st.sampled_from(sorted(IBAN_LENGTHS)), st.integers(0, 10**30 - 1), st.integers(1, 9))
def test_iban_finds_every_digit_that_is_wrong(country: str, number: int, off: int) -> None:
    body = f"{number:030d}"[: IBAN_LENGTHS[country] - 4]
    check = 98 - int("".join(str(int(c, 36)) for c in f"{body}{country}00")) % 97
    right = f"{country}{check:02d}{body}"
    assert iban(right)
    wrong = right[:-1] + str((int(right[-1]) + off) % 10)
    assert not iban(wrong)
    assert not iban(right + "0")


def test_the_same_card_with_a_wrong_digit_stays() -> None:
    good = [
        "4111 1111 1111 1111",
        "5500-0000-0000-0004",
        "378282246310005",
        "3530111333300000",
        "6011111111111117",
    ]
    for card in good:
        assert PIIRefiner().map(f"x {card}.") == "x <CARD>."
        wrong = card[:-1] + str((int(card[-1]) + 1) % 10)
        assert PIIRefiner(kinds=("card",)).map(wrong) == wrong


def test_a_region_is_a_code_of_a_country() -> None:
    with pytest.raises(ConfigError, match="two letters"):
        PIIRefiner(phone_region="Britain")


@pytest.mark.parametrize(
    "text", ["1 " * 100_000, "a." * 200_000 + "@", "-----BEGIN PRIVATE KEY-----" * 20_000, "AB12 " * 100_000, "a:" * 200_000]
)  # fmt: skip
def test_hostile_texts_end(text: str) -> None:
    assert isinstance(PIIRefiner().map(text), str)


# Spans

SPANS = st.lists(
    st.builds(lambda s, n, c: Span(s, s + n, "X", c), st.integers(0, 30), st.integers(1, 9), st.sampled_from([0.5, 1.0])),
    max_size=12,
)  # fmt: skip


def slowly_apart(spans: list[Span]) -> list[Span]:
    kept: list[Span] = []
    for span in sorted(spans, key=lambda s: (-s.score, s.start - s.end, s.start)):
        if not any(set(range(span.start, span.end)) & set(range(k.start, k.end)) for k in kept):
            kept.append(span)
    return sorted(kept)


@settings(deadline=None)
@given(SPANS)
def test_spans_are_taken_apart_as_by_hand(spans: list[Span]) -> None:
    assert apart(spans) == slowly_apart(spans)


def test_spans_are_replaced_where_they_are() -> None:
    assert replaced("1 and 1", [Span(6, 7, "B"), Span(0, 1, "A")], "[{}]") == "[A] and [B]"


# Models


def test_overlapping_finds_count_once() -> None:
    (spans,) = personal_data([PERSONAL], "en", models.ENGLISH, 0.35)
    assert [s.label for s in spans] == ["PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER"]


def test_long_texts_are_read_in_pieces_that_lose_nothing() -> None:
    text = "Nothing to see. " * (PIECE_CHARS // 16 + 5) + "\nBarack Obama lives in Chicago."
    (spans,) = entities([text])
    assert [text[s.start : s.end] for s in spans if s.label == "PERSON"] == ["Barack Obama"]
    unbroken = "x" * (2 * PIECE_CHARS + 1)
    assert "".join(piece for _, _, piece in models._pieces([unbroken])) == unbroken


def test_texts_together_are_as_texts_alone() -> None:
    texts = [PERSONAL, None, "", "Angela Merkel went to Rome.", "plain"]
    for op in (NERRefiner(), PIIAnonymizeRefiner()):
        together = op.map_batch(pl.Series(texts, dtype=pl.String)).to_list()
        assert together == [t and op.map(t) for t in texts]


def test_a_lone_surrogate_is_kept() -> None:
    made = run_rows(NERRefiner(), [{"raw_content": "\ud800 Angela Merkel went to Rome."}]).frame
    assert "[PERSON]" in str(made["raw_content"].to_list())


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Presidio's own recogniser of mail addresses would fetch a list of domains."""
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("it goes to the network"))
    letters = "".join(random.Random(1).choices("abcdefgh", k=8))
    assert PresidioSampleEvaluator().map(f"write to {letters}@{letters}.co.uk") == 1


def test_settings_of_other_versions_are_taken() -> None:
    old = PIIAnonymizeRefiner("en", "cuda", "./dataflow_cache", "dslim/bert-base-NER")
    assert old.map("I am Angela Merkel.") == "I am <PERSON>."
    assert PresidioFilter(0, 2, "en", "cpu", "cache").max_score == 2
    assert PresidioSampleEvaluator("cpu", "en").lang == "en"


def test_a_model_that_is_not_installed_is_told() -> None:
    with pytest.raises(ConfigError, match="'no_such_model' is not installed"):
        PIIAnonymizeRefiner(model_name="no_such_model").map("a")


def test_importing_the_operators_loads_no_model() -> None:
    code = (
        "import sys; import dataflow.operators.general_text as g; [getattr(g, n) for n in g.__all__]; "
        "print([m for m in ('spacy', 'presidio_analyzer', 'numba', 'nltk', 'textstat', 'fasttext', 'sacrebleu') "
        "if m in sys.modules])"
    )
    here = {**os.environ, "PYTHONPATH": str(Path(dataflow.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=here)
    assert done.stdout.strip() == "[]"
