"""Files of many lines, or of long ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import polars as pl

from dataflow.core.ports import Out
from dataflow.operators._lib.text_filter import TextStats
from dataflow.operators._lib.text_rules import Rule, share
from dataflow.operators.code._languages import LONG_LINED
from dataflow.operators.code._rules import ByLanguage, SourceFilter, label


class CodeLengthSampleEvaluator(ByLanguage):
    """Score whether the lines of each source file are few and short enough to be written by hand.

    1.0 for at most 100,000 lines, of 100 characters on average and 1,000 in the longest; in HTML, JSON, Markdown, Roff, SMT,
    TeX, plain text and XML lines may have any average, and 100,000 characters in the longest. Blank lines count, line feeds
    are no part of a line. From the filters of The Stack v2 (arXiv 2402.19173).

    The language is that of the setting, of a column or a field named so, of the extension of a file name, else HTML, JSON,
    Roff, TeX or XML where the content says so; it is only looked for where it matters. Null for null.
    """

    exceptions: ClassVar[frozenset[str]] = LONG_LINED

    output_total_lines_key = Out("CodeLengthTotalLines", "lines", type="int")
    output_avg_line_length_key = Out(
        "CodeLengthAvgLineLength", "their mean length, in characters", type="float"
    )
    output_max_line_length_key = Out("CodeLengthMaxLineLength", "the longest, in characters", type="int")
    output_score_key = Out("CodeLengthScore", "1.0 within the limits, else 0.0", type="float")

    def measures(self, source: TextStats) -> Mapping[str, pl.Expr]:
        return {
            "output_total_lines_key": source.source_lines,
            "output_avg_line_length_key": share(source.source_line_chars, source.source_lines),
            "output_max_line_length_key": source.longest_source_line,
        }

    def rules(self, source: TextStats) -> Sequence[Rule]:
        lines, mean, longest = self.measures(source).values()
        return [
            Rule("lines", lines, high=100_000),
            Rule("mean line length", mean, high=100),
            Rule("longest line", longest, high=1000),
        ]

    def excused(self, source: TextStats) -> Sequence[Rule]:
        lines, _, longest = self.measures(source).values()
        return [Rule("lines", lines, high=100_000), Rule("longest line", longest, high=100_000)]


class CodeLengthSampleFilter(SourceFilter, CodeLengthSampleEvaluator):
    """Keep source files whose lines are few and short enough to be written by hand.

    The score is that of `CodeLengthSampleEvaluator`, which tells its limits and how languages are told; its columns are written
    for the rows that stay. Both bounds are inclusive. Null is dropped.
    """

    leading: ClassVar[tuple[str, ...]] = ("min_score", "max_score")

    output_key = label("length_filter_label")
