"""Filters by the lines of a text. Lines are parted by line feeds; blank ones do not count."""

from __future__ import annotations

from typing import ClassVar

import polars as pl
from pydantic import Field

from dataflow.operators._lib.text_filter import TextFilter, TextStats


class LineEndWithEllipsisFilter(TextFilter):
    """Keep texts of which few lines end in an ellipsis, `...` or `…`.

    The rule is one of Gopher (Rae et al. 2021). Blank lines do not count. A blank text is dropped.
    """

    measured: ClassVar[str] = "share of lines that end in an ellipsis"

    threshold: float = Field(0.3, ge=0, le=1)
    """From this share on a text is dropped."""

    def measure(self, text: TextStats) -> pl.Expr:
        return text.ellipsis_lines / text.lines

    def keeps(self, measure: pl.Expr) -> pl.Expr:
        return measure < self.threshold


class LineStartWithBulletpointFilter(TextFilter):
    """Keep texts of which not nearly all lines are bullet points.

    The rule is one of Gopher (Rae et al. 2021). A bullet point begins with one of `•‣▶◀◦■□▪▫–`, or with one of `-*+·` that white space follows. Blank lines do not
    count. A blank text is dropped.
    """

    measured: ClassVar[str] = "share of bullet points"

    threshold: float = Field(0.9, ge=0, le=1)
    """Highest share of lines kept."""

    def measure(self, text: TextStats) -> pl.Expr:
        return text.bullet_lines / text.lines

    def keeps(self, measure: pl.Expr) -> pl.Expr:
        return measure <= self.threshold


class LineWithJavascriptFilter(TextFilter):
    """Keep texts that lines about JavaScript, such as "please enable JavaScript", do not make up.

    A text of up to three lines is kept. A longer one needs enough lines that do not mention JavaScript, in number and
    in share, case aside. Blank lines do not count. A blank text is dropped.
    """

    threshold: int = Field(3, ge=0)
    """Fewest lines without JavaScript that are kept."""
    max_share: float = Field(0.5, ge=0, le=1)
    """Highest share of lines with JavaScript that is kept, whatever the number of others."""

    def measure(self, text: TextStats) -> pl.Expr:
        return pl.struct(text.lines, text.javascript_lines)

    def keeps(self, measure: pl.Expr) -> pl.Expr:
        lines, scripts = measure.struct.field("lines"), measure.struct.field("javascript_lines")
        return (lines <= 3) | ((lines - scripts >= self.threshold) & (scripts / lines <= self.max_share))


class ColonEndFilter(TextFilter):
    """Keep texts that do not end in a colon, which announces something that is missing.

    The colon may be an ASCII or a full-width one; white space after it does not count. A blank text is dropped.
    """

    measured: ClassVar[str] = "ends in"

    def measure(self, text: TextStats) -> pl.Expr:
        return text.column.str.extract(r"([:：])[\s\x1c-\x1f]*$")

    def keeps(self, measure: pl.Expr) -> pl.Expr:
        return measure.is_null()
