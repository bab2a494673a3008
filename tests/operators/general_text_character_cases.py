"""Filters by the characters of a text."""

from __future__ import annotations

import math

from dataflow.operators.general_text.character_filters import (
    CharNumberFilter,
    ContentNullFilter,
    CurlyBracketFilter,
    SpecialCharacterFilter,
)
from dataflow.testing import Case, keeps

CASES = [
    keeps(ContentNullFilter(), ["text", " a ", "", " \n\u3000", None, "0", "\u200b"], ["text", " a ", "0", "\u200b"]),
    keeps(ContentNullFilter(), [1.5, math.nan, 0.0, None], [1.5, 0.0]),
    keeps(ContentNullFilter(), [["a"], [], {"a": None}, {}, False, "x"], [["a"], {"a": None}, False, "x"]),
    Case(
        ContentNullFilter(),
        [{"answer": "a"}, {"answer": None}],
        [{"answer": "a", "content_null_filter_label": 1}],
        {"input_key": "answer", "output_key": "content_null_filter_label"},
        dropped=1,
    ),
    keeps(CharNumberFilter(), ["x" * 100, "x " * 99, "😀" * 100, "e\u0301" * 49, "", None], ["x" * 100, "😀" * 100]),
    keeps(CharNumberFilter(3), ["abc", "a\u3000b\x1fc", "a b", "中文字"], ["abc", "a\u3000b\x1fc", "中文字"]),
    keeps(
        CurlyBracketFilter(),
        ["{" + "a" * 40, "{" + "a" * 39, "{a}", "no brackets", "｛｝", "", None],
        ["{" + "a" * 40, "no brackets", "｛｝"],
    ),
    keeps(
        SpecialCharacterFilter(),
        ["plain ÷ text", "sun ☀", "mark\u200e", "mark\u200f", "caf\ufffd", "□", "😀", "u200e", "U+1F600", "&#247;", "{/U}", "a ? :b", None],
        ["plain ÷ text", "mark\u200f", "a ? :b"],
    ),
    keeps(SpecialCharacterFilter(), ["U+26", "zu200e", "u2603", "\\u2603", "一\ud800", "→"], ["U+26", "zu200e", "u2603", "→"]),
]  # fmt: skip
