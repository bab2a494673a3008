"""Filters by the lines and sentences of a text."""

from __future__ import annotations

from dataflow.operators.general_text.line_filters import (
    ColonEndFilter,
    LineEndWithEllipsisFilter,
    LineStartWithBulletpointFilter,
    LineWithJavascriptFilter,
)
from dataflow.operators.general_text.sentence_filters import NoPuncFilter, SentenceNumberFilter
from dataflow.testing import keeps

FOUR = "a\nb\nc\nd\n"
CASES = [
    keeps(
        LineEndWithEllipsisFilter(),
        ["a...\nb\nc\nd", "a... \r\n\r\nb\r\nc", "a…", "a...b", "好的……\n是", "..", "", "\n", None],
        ["a...\nb\nc\nd", "a...b", ".."],
    ),
    keeps(LineEndWithEllipsisFilter(threshold=0.5), ["a...\nb", "a...\nb\nc"], ["a...\nb\nc"]),
    keeps(
        LineStartWithBulletpointFilter(),
        ["• a\n• b", "• a\nb", "  - a\n\n  - b", "-1\n-2", "*bold*", "* a", "·a", "– a", "1. a\n2. b", "", None],
        ["• a\nb", "-1\n-2", "*bold*", "·a", "1. a\n2. b"],
    ),
    keeps(LineStartWithBulletpointFilter(threshold=0.5), ["- a\nb", "- a\n- b\nc"], ["- a\nb"]),
    keeps(
        LineWithJavascriptFilter(),
        ["JavaScript\n" * 3, "JavaScript\n" * 4, FOUR + "javascript\n" * 4, FOUR + "JAVASCRIPT\n" * 5, "a", "", None],
        ["JavaScript\n" * 3, FOUR + "javascript\n" * 4, "a"],
    ),
    keeps(
        LineWithJavascriptFilter(threshold=4, max_share=1.0),
        [FOUR + "javascript\n" * 50, "a\nb\nc\njavascript"],
        [FOUR + "javascript\n" * 50],
    ),
    keeps(
        ColonEndFilter(),
        ["He said: wait", "as follows:", "as follows: \n", "如下：", ":", "a:\nb", "12:30", "", None],
        ["He said: wait", "a:\nb", "12:30"],
    ),
    keeps(
        SentenceNumberFilter(),
        ["A. B! C?", "A. B...", "一。二！三？", "ख। ग। घ।", "a؟ b۔ c", "one\ntwo\nthree", "?!?!?!", "中文", "", None],
        ["A. B! C?", "一。二！三？", "ख। ग। घ।", "a؟ b۔ c", "one\ntwo\nthree"],
    ),
    keeps(SentenceNumberFilter(1, 2), ["One. Two.", "One. Two. Three.", "Pi is 3.14"], ["One. Two.", "Pi is 3.14"]),
    keeps(
        NoPuncFilter(threshold=3),
        ["a b c. d e f", "a b c d", "a b\nc d", "一二三，四五", "一二三四", "a-b c-d e-f", "أ ب، ج د", "", None],
        ["a b c. d e f", "a b\nc d", "一二三，四五", "a-b c-d e-f", "أ ب، ج د"],
    ),
]  # fmt: skip
