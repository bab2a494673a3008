"""Sampling and mixing: which rows stay."""

from __future__ import annotations

from dataflow.operators.general_text.mixing import MixtureSampleFilter
from dataflow.operators.general_text.sampling import StratifiedSampleFilter, WeightedSampleFilter
from dataflow.testing import Case, keeps

HUNDREDS = [
    ("web", "x" * 100),
    ("web", "x" * 100),
    ("web", "x" * 100),
    ("book", "x" * 300),
    ("code", "x"),
    (None, "x"),
]

CASES = [
    keeps(WeightedSampleFilter(2, temperature=1e-6), [0.1, 3, None, 2.5, float("nan"), -9], [3, 2.5]),
    keeps(WeightedSampleFilter(share=0.5, temperature=1e-6), [1, 2, None, 4, 3], [4, 3]),
    keeps(WeightedSampleFilter(3, weighting="linear"), [0, 5, -2, 0.5, None], [5, 0.5]),
    keeps(WeightedSampleFilter(9), [1, None, 2], [1, 2]),
    keeps(WeightedSampleFilter(0), [1, 2], []),
    Case(
        WeightedSampleFilter(1, temperature=1e-6),
        [{"score": 1}, {"score": 2}, {"score": None}],
        [{"score": 2}],
        dropped=2,
    ),
    keeps(StratifiedSampleFilter(3, allocation="equal"), ["a", "b", "c", None], ["a", "b", "c"]),
    keeps(StratifiedSampleFilter(share=1), ["a", "b", None, "a"], ["a", "b", "a"]),
    keeps(StratifiedSampleFilter(4), ["a", "a", "b", "b", "b", "b", "b", "b"], ["a", "b", "b", "b"]),
    keeps(StratifiedSampleFilter(num_samples=2), ["a", "a", "b", "b"], ["a", "b"]),
    keeps(StratifiedSampleFilter(4, allocation="equal"), ["a", "a", "a", "a", "a", "b"], ["a", "a", "a", "b"]),
    keeps(MixtureSampleFilter({"a": 1, "b": 1}), ["a", "a", "a", "b", "c", None], ["a", "b"]),
    keeps(MixtureSampleFilter({"a": 0.75, "b": 0.25}, 4), ["a", "b", "a", "b", "a"], ["a", "b", "a", "a"]),
    keeps(MixtureSampleFilter({"a": 1, "b": 1}, 4, fill=True), ["a", "a", "a", "b"], ["a", "a", "b"]),
    keeps(MixtureSampleFilter({"a": 1, "b": 0}), ["a", "b"], ["a"]),
    Case(
        MixtureSampleFilter({"web": 0.5, "book": 0.5}),
        [{"source": s, "text": t} for s, t in HUNDREDS],
        [{"source": s, "text": t} for s, t in HUNDREDS[:4]],
        {"input_text_key": "text"},
        dropped=2,
    ),
    Case(
        MixtureSampleFilter({"a": 0.5, "b": 0.5}, total=20),
        [{"source": "a", "n": 10}, {"source": "b", "n": 5}, {"source": "b", "n": 5}, {"source": "a", "n": None}],
        [{"source": "a"}, {"source": "b"}, {"source": "b"}],
        {"input_size_key": "n"},
        dropped=1,
    ),
]  # fmt: skip
