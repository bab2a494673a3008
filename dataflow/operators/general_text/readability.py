"""How hard a text is to read, and what that is measured by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, Literal

from dataflow.core.ports import Arg, Binding, In, Out
from dataflow.core.rows import Map
from dataflow.operators._lib.readability import measured
from dataflow.operators._lib.score_range import Bounds, MetricRange

Measure = Literal[
    "flesch_reading_ease",
    "automated_readability_index",
    "aggregate_reading_level",
    "syllable_count",
    "lexicon_count",
    "sentence_count",
    "character_count",
    "letter_count",
    "polysyllable_count",
    "monosyllable_count",
    "difficult_words",
]
RANGES: Mapping[Measure, tuple[float, float]] = {
    "flesch_reading_ease": (0, 100),
    "automated_readability_index": (0, 100),
    "aggregate_reading_level": (0, 100),
    "syllable_count": (32, 2331.9),
    "lexicon_count": (23, 1554),
    "sentence_count": (1, 89.1),
    "character_count": (118, 7466.3),
    "letter_count": (109, 7193),
    "polysyllable_count": (0, 216.4),
    "monosyllable_count": (13, 1044.1),
    "difficult_words": (4, 213.4),
}


class LangkitSampleEvaluator(Map):
    """Measure how hard each English text is to read: Flesch, ARI, school grade, and eight counts.

    The measures are those that LangKit takes from textstat. Syllables are counted by hyphenation, with no dictionary
    of pronunciation to fetch. A text without words has 0 in every measure of its words.
    """

    extras: ClassVar[tuple[str, ...]] = ("text",)
    input_key = In("raw_content", "the text")
    output_flesch_reading_ease_key = Out(
        "LangkitFleschReadingEaseScore",
        "Flesch reading ease; about 100 is very easy, 0 very hard",
        type="float",
    )
    output_automated_readability_index_key = Out(
        "LangkitAutomatedReadabilityIndexScore", "ARI, a school grade", type="float"
    )
    output_aggregate_reading_level_key = Out(
        "LangkitAggregateReadingLevelScore",
        "the school grade that most of eight formulas give, 1 to 18",
        type="float",
    )
    output_syllable_count_key = Out("LangkitSyllableCountScore", "syllables", type="int")
    output_lexicon_count_key = Out("LangkitLexiconCountScore", "words", type="int")
    output_sentence_count_key = Out("LangkitSentenceCountScore", "sentences", type="int")
    output_character_count_key = Out(
        "LangkitCharacterCountScore", "characters without white space", type="int"
    )
    output_letter_count_key = Out("LangkitLetterCountScore", "letters and digits", type="int")
    output_polysyllable_count_key = Out(
        "LangkitPolysyllableCountScore", "words of three syllables or more", type="int"
    )
    output_monosyllable_count_key = Out("LangkitMonosyllableCountScore", "words of one syllable", type="int")
    output_difficult_words_key = Out(
        "LangkitDifficultWordsScore",
        "different words of two syllables or more that are not on the list of Dale and Chall",
        type="int",
    )

    def map(self, text: str) -> tuple[float, ...]:
        return measured(text)


class LangkitFilter(MetricRange, LangkitSampleEvaluator):
    """Keep texts that are neither too easy nor too hard, too short nor too long, by eleven measures.

    The bounds are inclusive; a measure without one is not bounded. The bounds set by default drop very easy texts too
    (a Flesch reading ease above 100, a negative ARI). The measures are written for the rows that stay.
    """

    metrics: ClassVar[Mapping[str, str]] = {m: f"output_{m}_key" for m in RANGES}
    output_keys = Arg(None, "the measures that decide, such as `sentence_count`; all where left out")

    min_scores: dict[Measure, float] = {m: low for m, (low, _) in RANGES.items()}
    """Lowest score kept, by measure."""
    max_scores: dict[Measure, float] = {m: high for m, (_, high) in RANGES.items()}
    """Highest score kept, by measure."""
    metrics_to_keep: dict[Measure, bool] | list[Measure] | None = None
    """The measures that decide, as a list or with truth values; all those of `output_keys` where left out."""

    def bounds(self, binding: Binding) -> Mapping[str, Bounds]:
        named: Iterable[str] | None = self.metrics_to_keep
        if isinstance(self.metrics_to_keep, dict):
            named = [m for m, kept in self.metrics_to_keep.items() if kept]
        ports = None if named is None else {self.metrics[m] for m in named}
        return {p: b for p, b in super().bounds(binding).items() if ports is None or p in ports}
