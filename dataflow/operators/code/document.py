"""Files as documents: how long they are, how much of them recurs, how rich their words are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import polars as pl
from pydantic import field_validator

from dataflow.core.errors import did_you_mean
from dataflow.core.ports import Out
from dataflow.operators._lib.text_filter import TextStats
from dataflow.operators._lib.text_rules import Rule, share
from dataflow.operators.code._rules import SourceFilter, SourceScore, label

NGRAMS = range(2, 11)
THRESHOLDS: Mapping[str, float] = {
    "min_num_chars": 1,
    "max_num_chars": 100_000,
    "min_num_words": 1,
    "max_num_words": 100_000,
    "max_frac_duplicate_lines": 1.0,
    **{f"max_frac_duplicate_{n}gram": 1.0 for n in NGRAMS},
    "max_frac_curly_bracket": 1.0,
    "max_frac_all_caps_words": 1.0,
    "min_entropy_unigram": 0.0,
}
"""The limits where none are given; all are inclusive."""


def _gram(n: int) -> Out:
    doc = f"share of runs of {n} words that occur more than once, 0 to 1"
    return Out(f"CodeDocumentQualityDuplicate_{n}Gram_RatioRatio", doc, type="float")


class CodeDocumentQualitySampleEvaluator(SourceScore):
    """Score whether each source file is within limits of length, repetition, capitals and entropy.

    Words are runs of letters, digits and underscores, and differ by case. What occurs more than once counts each time: runs
    of 2 to 10 words as a share of all such runs, lines as a share of all that are not blank, white space around them aside.
    Words in capitals have more than one character. The entropy is that of single words, in bits. A file without words has 0
    of all of these. Null for null.
    """

    thresholds: dict[str, float] | None = None
    """Limits by name, over those that let pass nearly everything: `min_num_chars`, `max_num_chars`, `min_num_words`, `max_num_words`, `max_frac_duplicate_lines`, `max_frac_duplicate_2gram` to `10gram`, `max_frac_curly_bracket`, `max_frac_all_caps_words`, `min_entropy_unigram`."""

    output_char_count_key = Out("CodeDocumentQualityCharCount", "characters", type="int")
    output_word_count_key = Out("CodeDocumentQualityWordCount", "words", type="int")
    output_duplicate_lines_key = Out(
        "CodeDocumentQualityDuplicateLinesRatio",
        "share of lines that occur more than once, 0 to 1",
        type="float",
    )
    output_duplicate_2gram_key = _gram(2)
    output_duplicate_3gram_key = _gram(3)
    output_duplicate_4gram_key = _gram(4)
    output_duplicate_5gram_key = _gram(5)
    output_duplicate_6gram_key = _gram(6)
    output_duplicate_7gram_key = _gram(7)
    output_duplicate_8gram_key = _gram(8)
    output_duplicate_9gram_key = _gram(9)
    output_duplicate_10gram_key = _gram(10)
    output_curly_bracket_key = Out(
        "CodeDocumentQualityCurlyBracketRatio",
        "share of curly brackets among characters, 0 to 1",
        type="float",
    )
    output_all_caps_key = Out(
        "CodeDocumentQualityAllCapsRatio", "share of words in capitals, 0 to 1", type="float"
    )
    output_entropy_key = Out("CodeDocumentQualityEntropy", "entropy of the words, in bits", type="float")
    output_score_key = Out("CodeDocumentQualityScore", "1.0 within all limits, else 0.0", type="float")

    @field_validator("thresholds")
    @classmethod
    def _known(cls, given: dict[str, float] | None) -> dict[str, float] | None:
        for name in given or ():
            if name not in THRESHOLDS:
                raise ValueError(f"there is no limit {name!r}.{did_you_mean(name, THRESHOLDS)}")
        return given

    def measures(self, source: TextStats) -> Mapping[str, pl.Expr]:
        grams: dict[str, pl.Expr] = {
            f"output_duplicate_{n}gram_key": share(
                getattr(source, f"recurring_{n}grams"), (source.terms - (n - 1)).clip(0)
            )
            for n in NGRAMS
        }
        return {
            "output_char_count_key": source.source_chars,
            "output_word_count_key": source.terms,
            "output_duplicate_lines_key": share(source.recurring_lines, source.stripped_lines),
            **grams,
            "output_curly_bracket_key": share(source.source_braces, source.source_chars),
            "output_all_caps_key": share(source.capital_terms, source.terms),
            "output_entropy_key": (source.term_nanobits / 1e9).round(9),
        }

    def rules(self, source: TextStats) -> Sequence[Rule]:
        limits: dict[str, Any] = {**THRESHOLDS, **(self.thresholds or {})}
        of = self.measures(source)
        return [
            Rule("characters", of["output_char_count_key"], limits["min_num_chars"], limits["max_num_chars"]),
            Rule("words", of["output_word_count_key"], limits["min_num_words"], limits["max_num_words"]),
            Rule(
                "duplicate lines", of["output_duplicate_lines_key"], high=limits["max_frac_duplicate_lines"]
            ),
            *(
                Rule(
                    f"duplicate {n}-grams",
                    of[f"output_duplicate_{n}gram_key"],
                    high=limits[f"max_frac_duplicate_{n}gram"],
                )
                for n in NGRAMS
            ),
            Rule("curly brackets", of["output_curly_bracket_key"], high=limits["max_frac_curly_bracket"]),
            Rule("words in capitals", of["output_all_caps_key"], high=limits["max_frac_all_caps_words"]),
            Rule("entropy", of["output_entropy_key"], limits["min_entropy_unigram"]),
        ]


class CodeDocumentQualityFilter(SourceFilter, CodeDocumentQualitySampleEvaluator):
    """Keep source files within limits of length, repetition, capitals and entropy.

    The score is that of `CodeDocumentQualitySampleEvaluator`, which tells what is measured; its columns are written for the rows
    that stay. Both bounds are inclusive. Null is dropped.
    """

    leading: ClassVar[tuple[str, ...]] = ("min_score", "max_score")

    output_key = label("doc_quality_filter_label")
