"""Filters by the characters of a text."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import polars as pl
from pydantic import Field

from dataflow.core.ports import In, Out
from dataflow.core.rows import Filter
from dataflow.operators._lib.text_filter import TextFilter, TextStats

_SPECIAL = (
    r"[\u{200E}\u{FFFD}\u{25A1}\u{2600}-\u{26FF}\u{2730}-\u{273F}\u{1F000}-\u{1FFFF}]"
    r"|(?i:\bu200e\b|(?:\\u|\bu\+)(?:200e|26[0-9a-f]{2}|273[0-9a-f])\b|(?:\\u000|\bu\+)1f[0-9a-f]{3}\b)"
    r"|&#0*247;|\{/U\}"
)


class ContentNullFilter(Filter):
    """Keep rows that have content: neither null, nor NaN, nor a blank text, nor an empty list or dict."""

    input_key = In("raw_content", type="any")
    output_key = Out(doc="1 on every kept row; written where it is named", type="int", optional=True)

    def keep(self, content: Any) -> bool | tuple[bool, str]:
        if isinstance(content, float) and math.isnan(content):
            return False, "NaN"
        if isinstance(content, str):
            return (True, "") if content and not content.isspace() else (False, "blank")
        return (True, "") if content not in ([], {}) else (False, "empty")


class CharNumberFilter(TextFilter):
    """Keep texts with enough characters, white space not counted.

    Characters are Unicode code points. A blank text is dropped.
    """

    measured: ClassVar[str] = "characters"

    threshold: int = Field(100, ge=0)
    """Fewest characters kept."""

    def measure(self, text: TextStats) -> pl.Expr:
        return text.word_chars

    def keeps(self, measure: pl.Expr) -> pl.Expr:
        return measure >= self.threshold


class CurlyBracketFilter(TextFilter):
    """Keep texts with a low share of curly brackets, many of which are a mark of code.

    It is their share of all characters, white space included. A blank text is dropped.
    """

    measured: ClassVar[str] = "share of curly brackets"

    threshold: float = Field(0.025, ge=0, le=1)
    """From this share on a text is dropped."""

    def measure(self, text: TextStats) -> pl.Expr:
        return text.braces / text.chars

    def keeps(self, measure: pl.Expr) -> pl.Expr:
        return measure < self.threshold


class SpecialCharacterFilter(TextFilter):
    """Keep texts without pictographs, and without the residue of characters that were decoded badly.

    Special are the code points U+200E (left-to-right mark), U+FFFD (replacement), U+25A1 (empty box), U+2600 to U+26FF,
    U+2730 to U+273F and U+1F000 to U+1FFFF, where emoji lie; these spelled out, such as `u200e`, `\\u2603` and `U+1F600`;
    and the residues `&#247;` and `{/U}`. A text with a lone surrogate, which becomes U+FFFD, is dropped. So is a blank one.
    """

    measured: ClassVar[str] = "found"

    def measure(self, text: TextStats) -> pl.Expr:
        return text.column.str.extract(f"({_SPECIAL})")

    def keeps(self, measure: pl.Expr) -> pl.Expr:
        return measure.is_null()
