"""Files of letters, and files of something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import polars as pl

from dataflow.core.ports import Out
from dataflow.operators._lib.text_filter import TextStats
from dataflow.operators._lib.text_rules import Rule, share
from dataflow.operators.code._languages import NUMBERED
from dataflow.operators.code._rules import ByLanguage, SourceFilter, SourceScore, label


class CodeTextCompositionSampleEvaluator(ByLanguage):
    """Score whether enough of each source file is letters: 1.0 from a quarter of its characters on.

    In Motorola 68K assembly and WebAssembly digits count as well. A letter is one of any alphabet; all characters count,
    white space too, and a file without any has 0. From the filters of The Stack v2 (arXiv 2402.19173).

    The language is that of the setting, of a column or a field named so, of the extension of a file name, else WebAssembly
    where the file begins with `(module`; it is only looked for where it matters. Null for null.
    """

    exceptions: ClassVar[frozenset[str]] = NUMBERED

    output_alpha_ratio_key = Out("CodeTextCompositionAlphaRatio", "share of letters, 0 to 1", type="float")
    output_alnum_ratio_key = Out(
        "CodeTextCompositionAlnumRatio", "share of letters and digits, 0 to 1", type="float"
    )
    output_score_key = Out("CodeTextCompositionScore", "1.0 with enough letters, else 0.0", type="float")

    def measures(self, source: TextStats) -> Mapping[str, pl.Expr]:
        return {
            "output_alpha_ratio_key": share(source.source_letters, source.source_chars),
            "output_alnum_ratio_key": share(source.alphanumerics, source.source_chars),
        }

    def rules(self, source: TextStats) -> Sequence[Rule]:
        return [Rule("share of letters", share(source.source_letters, source.source_chars), low=0.25)]

    def excused(self, source: TextStats) -> Sequence[Rule]:
        return [
            Rule("share of letters and digits", share(source.alphanumerics, source.source_chars), low=0.25)
        ]


class CodeTextCompositionFilter(SourceFilter, CodeTextCompositionSampleEvaluator):
    """Keep source files of which enough is letters: a quarter of their characters.

    The score is that of `CodeTextCompositionSampleEvaluator`, which tells the exceptions; its columns are written for the rows
    that stay. Both bounds are inclusive. Null is dropped.
    """

    leading: ClassVar[tuple[str, ...]] = ("min_score", "max_score")

    output_key = label("text_composition_filter_label")


class CodeEncodedDataSampleEvaluator(SourceScore):
    """Score whether each source file is code rather than encoded data: 1.0 up to half of its characters.

    Three kinds are looked for, and each may make up half: runs of at least 64 characters of base64, line feeds among them;
    runs of at least 8 bytes in hexadecimal, each of two digits that stand alone or after `0x` or `\\x`, with any commas and
    white space between; and runs of at least 8 escapes such as `\\u0041`. From the filters of The Stack v2 (arXiv
    2402.19173). A file without characters has 0 of each. Null for null.
    """

    output_base64_ratio_key = Out("CodeEncodedDataBase64Ratio", "share in base64, 0 to 1", type="float")
    output_hex_ratio_key = Out("CodeEncodedDataHexRatio", "share in hexadecimal, 0 to 1", type="float")
    output_unicode_ratio_key = Out("CodeEncodedDataUnicodeRatio", "share in escapes, 0 to 1", type="float")
    output_score_key = Out("CodeEncodedDataScore", "1.0 within the limits, else 0.0", type="float")

    def measures(self, source: TextStats) -> Mapping[str, pl.Expr]:
        return {
            "output_base64_ratio_key": share(source.base64_chars, source.source_chars),
            "output_hex_ratio_key": share(source.hex_chars, source.source_chars),
            "output_unicode_ratio_key": share(source.escape_chars, source.source_chars),
        }

    def rules(self, source: TextStats) -> Sequence[Rule]:
        names = ("share in base64", "share in hexadecimal", "share in escapes")
        return [
            Rule(name, measure, high=0.5)
            for name, measure in zip(names, self.measures(source).values(), strict=True)
        ]


class CodeEncodedDataFilter(SourceFilter, CodeEncodedDataSampleEvaluator):
    """Keep source files that are not mostly encoded data: base64, hexadecimal or escapes.

    The score is that of `CodeEncodedDataSampleEvaluator`; its columns are written for the rows that stay. Both bounds are
    inclusive. Null is dropped.
    """

    leading: ClassVar[tuple[str, ...]] = ("min_score", "max_score")

    output_key = label("encoded_data_filter_label")
