"""How rich the vocabulary of a text is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from dataflow.core.ports import Arg, In, Out
from dataflow.core.rows import Map
from dataflow.operators._lib.diversity import hdd, mtld, words_of
from dataflow.operators._lib.score_range import MetricRange

Metric = Literal["mtld", "hdd"]


class LexicalDiversitySampleEvaluator(Map):
    """Score how rich the vocabulary of each text is, whatever its length: MTLD and HD-D.

    MTLD (McCarthy and Jarvis 2010) is the mean number of words over which different words stay above 72 % of all; a
    text without any repetition has that of one with a single one. HD-D (McCarthy and Jarvis 2007) is the share of
    different words among 42 drawn from the text, 0 to 1. Words are parted by white space; case and ASCII punctuation
    around them do not count. Texts of 50 words or fewer have null.
    """

    input_key = In("raw_content", "the text")
    output_mtld_key = Out("LexicalDiversityMTLDScore", "MTLD, in words", type="float")
    output_hdd_key = Out("LexicalDiversityHD-DScore", "HD-D, 0 to 1", type="float")

    def map(self, text: str) -> tuple[float | None, float | None]:
        words = words_of(text)
        return mtld(words), hdd(words)


class LexicalDiversityFilter(MetricRange, LexicalDiversitySampleEvaluator):
    """Keep texts whose vocabulary is rich enough: MTLD and HD-D within their ranges.

    The bounds are inclusive; a metric without one is not bounded. Texts too short to be measured stay, with null as
    their scores; null is dropped.
    """

    keeps_unscored: ClassVar[bool] = True
    metrics: ClassVar[Mapping[str, str]] = {"mtld": "output_mtld_key", "hdd": "output_hdd_key"}
    output_keys = Arg(None, "the metrics that decide, `mtld` and `hdd`; both where left out")

    min_scores: dict[Metric, float] = {"mtld": 50, "hdd": 0.8}
    """Lowest score kept, by metric."""
    max_scores: dict[Metric, float] = {"mtld": 99999, "hdd": 1.0}
    """Highest score kept, by metric."""
