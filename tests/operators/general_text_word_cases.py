"""Filters by the words of a text."""

from __future__ import annotations

from dataflow.operators.general_text.word_filters import (
    AlphaWordsFilter,
    CapitalWordsFilter,
    MeanWordLengthFilter,
    SymbolWordRatioFilter,
    UniqueWordsFilter,
    WordNumberFilter,
)
from dataflow.testing import Case, keeps

CASES = [
    keeps(
        WordNumberFilter(min_words=2, max_words=4),
        ["one", "one two", " one\u00a0two\n three ", "1 2 3 4", "", None],
        ["one two", " one\u00a0two\n three "],
    ),
    keeps(WordNumberFilter(min_words=0, max_words=1), ["", " ", "a", None], ["", " "]),
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
    keeps(
        AlphaWordsFilter(0.5, use_tokenizer=False),
        ["one two 3", "one 2", "a1 b2 ?", "мир 123 мир", "中文", "1,000 + 2", "²³ ½", "", None],
        ["one two 3", "a1 b2 ?", "мир 123 мир", "中文"],
    ),
    keeps(
        AlphaWordsFilter(threshold=0.5, use_tokenizer=True),
        ["one two.", "one, 2", "I can't.", "Ends here. So.", "...", " ", None],
        ["one two.", "I can't.", "Ends here. So."],
    ),
    Case(
        AlphaWordsFilter(0, False),
        [{"t": "a 1"}, {"t": "1"}],
        [{"t": "a 1", "alpha_words_filter_label": 1}],
        {"input_key": "t", "output_key": "alpha_words_filter_label"},
        dropped=1,
    ),
    keeps(
        CapitalWordsFilter(threshold=0.5),
        ["NASA flew", "NASA FLEW off", "NASA-Rakete", "A1 B2", "ИТАР мир", "中文 字", "123", "", None],
        ["NASA flew", "NASA-Rakete", "ИТАР мир", "中文 字", "123"],
    ),
    keeps(
        CapitalWordsFilter(0.5, True), ["NASA, ESA!", "NASA, ESA", "(NASA)", None], ["NASA, ESA!", "(NASA)"]
    ),
    keeps(
        UniqueWordsFilter(threshold=0.5),
        ["one two", "one One", "one one. two", "中文中文", "ÉTÉ été a", "", None],
        ["one two", "one one. two", "中文中文", "ÉTÉ été a"],
    ),
    keeps(
        SymbolWordRatioFilter(),
        ["# a b c", "# a", "one ... two", "a …b c d", "#中文字", "##", "1. 2. 3.", "", None],
        ["# a b c", "one ... two", "a …b c d", "#中文字", "1. 2. 3."],
    ),
]
