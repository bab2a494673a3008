"""The published rules for web pages: what a dropped row is told, and the promises of the operators."""

from __future__ import annotations

from typing import Any

import pytest
from general_text_web_cases import CASES, NONE, PROSE

from dataflow.core.operator import Operator
from dataflow.operators.general_text.repetition import GopherRepetitionFilter
from dataflow.operators.general_text.web_quality import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
)
from dataflow.testing import check_operator
from dataflow.testing.cases import run_rows

FIRST = {type(c.op): c.op for c in reversed(CASES) if isinstance(c.op, Operator)}


@pytest.mark.parametrize("op", FIRST.values(), ids=lambda op: type(op).__name__)
def test_promises(op: Operator) -> None:
    check_operator(op)


@pytest.mark.parametrize(
    ("op", "text", "reason"),
    [
        (GopherQualityFilter(), PROSE, "words < 50: 10"),
        (GopherQualityFilter(max_words=50), " ".join([PROSE] * 6), "words > 50: 60"),
        (GopherQualityFilter(min_words=1), "a b", "mean word length < 3: 1"),
        (GopherQualityFilter(min_words=1), "#" + PROSE + "#", "hashes a word > 0.1: 0.2"),
        (GopherQualityFilter(min_words=1), PROSE.replace(" ", "… ", 2), "ellipses a word > 0.1: 0.2"),
        (GopherQualityFilter(min_words=1), f"- {PROSE}", "bullet lines > 0.9: 1"),
        (GopherQualityFilter(min_words=1), f"{PROSE}…", "ellipsis lines > 0.3: 1"),
        (GopherQualityFilter(min_words=1), "123 4567 the and", "words with a letter < 0.8: 0.5"),
        (GopherQualityFilter(min_words=1), "the whale", "stop words < 2: 1"),
        # two rules are broken: the first one counts
        (GopherRepetitionFilter(), "so be it\nso be it", "duplicate lines > 0.3: 0.5"),
        (GopherRepetitionFilter(**(NONE | {"max_top_3gram": 0.5})), "so be it so be it", "most frequent 3-gram > 0.5: 1"),
        (GopherRepetitionFilter(), None, "null"),
        (FineWebQualityFilter(), " ", "blank"),
        (FineWebQualityFilter(), "Menu\nLogin", "terminal lines < 0.12: 0"),
        (C4QualityFilter(), "{{", "curly brackets > 0: 2"),
        (C4QualityFilter(), "So it is.", "sentences < 5: 1"),
    ],
)  # fmt: skip
def test_a_dropped_row_is_told_the_first_rule_it_breaks(op: Operator, text: str | None, reason: str) -> None:
    rows: list[dict[str, Any]] = [{"raw_content": text}, {"raw_content": None}]
    told = run_rows(op, rows).dropped["reason"].to_list()
    assert told == [reason, "null"]


def test_counts_are_made_once_and_noted_for_later_filters() -> None:
    done = run_rows(GopherRepetitionFilter(), [{"raw_content": PROSE}])
    noted = [c for c in done.frame.columns if c.endswith((":repetition", ":lines"))]
    assert len(noted) == 2
