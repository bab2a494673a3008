"""Filters by the words of a text."""

from __future__ import annotations

from dataflow.operators.general_text.word_filters import MeanWordLengthFilter, WordNumberFilter
from dataflow.testing import Case, keeps

CASES = [
    keeps(
        WordNumberFilter(min_words=2, max_words=4),
        ["one", "one two", " one\u00a0two\n three ", "1 2 3 4", "", None],
        ["one two", " one\u00a0two\n three "],
    ),
    Case(
        WordNumberFilter(min_words=2),
        [{"raw_content": "one two three"}, {"raw_content": "one"}],
        [{"raw_content": "one two three", "n": 3}],
        {"output_key": "n"},
        dropped=1,
    ),
    keeps(
        MeanWordLengthFilter(min_length=3, max_length=5),
        ["abc abc", "ab abc", "abcd abcde", "abcde", "été ét", "   ", "", None],
        ["abc abc", "abcd abcde"],
    ),
]
