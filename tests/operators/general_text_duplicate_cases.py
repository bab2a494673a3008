"""De-duplication: exact, by slices, MinHash, SimHash, embeddings."""

from __future__ import annotations

from typing import Any

from dataflow.operators.general_text.exact_duplicates import (
    HashDeduplicateFilter,
    NgramHashDeduplicateFilter,
)
from dataflow.operators.general_text.near_duplicates import MinHashDeduplicateFilter, SimHashDeduplicateFilter
from dataflow.operators.general_text.semantic_duplicates import SemDeduplicateFilter
from dataflow.testing import Case, keeps

FOX = "The quick brown fox jumps over the lazy dog, again and again, until both of them are tired of it."
NEAR_FOX = FOX.replace("both", "all ")
OTHER = "Nothing of what is written here has much to do with animals, be they quick, brown, lazy or tired."


class Angles:
    """Embeds a text that is a number as a unit vector at that angle in degrees; other texts not at all."""

    def generate_embedding_from_input(self, texts: list[str]) -> list[list[float] | None]:
        return [angle(t) for t in texts]


def angle(text: str) -> list[float] | None:
    from math import cos, radians, sin

    try:
        at = radians(float(text))
    except ValueError:
        return None
    return [2 * cos(at), 2 * sin(at)]


def rows(*columns: str, cells: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in cells]


CASES = [
    keeps(
        HashDeduplicateFilter(),
        ["a b", "A b", "a b", None, "", None, "", " ", "a  b"],
        ["a b", "A b", None, "", None, "", " ", "a  b"],
        input_key="text",
    ),
    keeps(
        HashDeduplicateFilter("sha256", normalise=True),
        ["a b", "A b", " a\t B\n", "c"],
        ["a b", "c"],
        input_key="text",
    ),
    keeps(HashDeduplicateFilter("xxh3"), [1, 2, 1.0, [1], [1]], [1, 2, 1.0, [1]], input_keys=["any"]),
    Case(
        HashDeduplicateFilter(),
        rows("q", "a", cells=[("x", "y"), ("x", "z"), ("x", "y"), ("x", None), ("x", None), (None, "x")]),
        rows("q", "a", "kept", cells=[("x", "y", 1), ("x", "z", 1), ("x", None, 1), (None, "x", 1)]),
        {"input_keys": ["q", "a"], "output_key": "kept"},
        dropped=2,
    ),
    keeps(
        NgramHashDeduplicateFilter(3),
        ["one two six", "one TWO SIX", "two six one", "", "", "x", "y", "x", "xyz", None, None],
        ["one two six", "two six one", "", "", "x", "y", "xyz", None, None],
        input_key="text",
    ),
    keeps(
        NgramHashDeduplicateFilter(3, "md5", 2),
        ["aabbcc", "aabbdd", "aaeeff", "Xaabbcc", "x", "x", "zzz", "zzz"],
        ["aabbcc", "aaeeff", "Xaabbcc", "x", "zzz"],
        input_key="text",
    ),
    keeps(
        NgramHashDeduplicateFilter(2, paragraphs=True),
        ["head\n\nbody", "new\nhead\nrest", "one\n two ", "end\none"],
        ["head\n\nbody", "one\n two "],
        input_key="text",
    ),
    keeps(
        MinHashDeduplicateFilter(threshold=0.7),
        [FOX, OTHER, NEAR_FOX, "ab", "cd", "", None, "ab", "", None],
        [FOX, OTHER, "ab", "cd", "", None, "", None],
        input_key="text",
    ),
    Case(
        MinHashDeduplicateFilter(threshold=0.7),
        rows("t", "s", cells=[(FOX, 1), (NEAR_FOX, 3), (OTHER, None), (FOX, 3), ("ab", None), ("ab", -5)]),
        rows("t", "s", cells=[(NEAR_FOX, 3), (OTHER, None), ("ab", -5)]),
        {"input_key": "t", "input_score_key": "s"},
        dropped=3,
    ),
    keeps(
        MinHashDeduplicateFilter(threshold=0.7, keep="longest", unit="word", ngram=2),
        [FOX, OTHER, FOX + " Yes.", FOX + " No."],
        [OTHER, FOX + " Yes."],
        input_key="text",
    ),
    keeps(
        MinHashDeduplicateFilter(use_n_gram=False, threshold=1.0),
        ["abc", "cabbac", "abcd", "ABC"],
        ["abc", "abcd", "ABC"],
        input_key="text",
    ),
    keeps(
        MinHashDeduplicateFilter(verify=False, bands=16, normalise=True),
        [FOX, FOX.upper(), OTHER, FOX.replace(" ", "\n\n")],
        [FOX, OTHER],
        input_key="text",
    ),
    keeps(
        SimHashDeduplicateFilter(),
        [FOX, FOX.upper() + "!", OTHER, "?", "!", "?", "ab", "ab", "", None, None],
        [FOX, OTHER, "?", "!", "ab", "", None, None],
        input_key="text",
    ),
    keeps(
        SimHashDeduplicateFilter(128, 0.0, unit="word"),
        ["one two three", "three: two, ONE", "one two four"],
        ["one two three", "one two four"],
        input_key="text",
    ),
    keeps(
        SemDeduplicateFilter(embedding_serving=Angles()),
        ["0", "15", "30", "45", "-10", "x", "x", "", None, "20"],
        ["0", "30", "x", "x", "", None],
        input_key="text",
    ),
    keeps(
        SemDeduplicateFilter(0.0, embedding_serving=Angles()),
        [str(a) for a in (7, 33, 7, 33, 61, 61, 8)],
        ["7", "33", "61", "8"],
        input_key="text",
    ),
]
