"""Finding the category that a label means, though it is numbered, cut short or spelt otherwise."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from dataflow.core.errors import MissingDependency
from dataflow.prompts.reasoning.taxonomy import Taxonomy, math_taxonomy

LEAST = 80
"""How alike a label and a category must be, of 100."""
UNKNOWN = 170
_NUMBERS = re.compile(r"\s*(\d+)(?:\.(\d+))?[.):\s]*")
_BASE = 8


class CategoryUtils:
    """The categories of a taxonomy, by name and by number; that of mathematics where none is given."""

    def __init__(self, taxonomy: Taxonomy | None = None) -> None:
        self.taxonomy = math_taxonomy() if taxonomy is None else taxonomy
        self.primaries = list(self.taxonomy)

    def normalize_categories(self, raw_primary: Any, raw_secondary: Any) -> tuple[str, str]:
        """The names that two labels mean, each empty where it means none.

        A bare number, such as `2` or `2.4`, decides by itself; a number before a name only where the name means none.
        """
        told, second = str(raw_primary or ""), str(raw_secondary or "")
        if (found := self._numbered(second)) and not _name(second):
            return found
        primary = self._primary(told)
        if not primary:
            return "", ""
        return primary, _closest(_name(second), self.taxonomy[primary]) or self._second(second, primary)

    def _primary(self, label: str) -> str:
        numbers = _NUMBERS.match(label)
        by_number = self._at(int(numbers[1])) if numbers else ""
        return by_number if not _name(label) else _closest(_name(label), self.primaries) or by_number

    def _second(self, label: str, primary: str) -> str:
        found = self._numbered(label)
        return found[1] if found and found[0] == primary else ""

    def _numbered(self, label: str) -> tuple[str, str] | None:
        match = _NUMBERS.match(label)
        if match is None or match[2] is None or not (primary := self._at(int(match[1]))):
            return None
        parts, number = self.taxonomy[primary], int(match[2])
        return (primary, parts[number - 1]) if 0 < number <= len(parts) else None

    def _at(self, number: int) -> str:
        return self.primaries[number - 1] if 0 < number <= len(self.primaries) else ""

    def category_hasher(self, primary: str, secondary: str) -> int:
        """The number of a category: 8 times that of the primary plus that of the secondary, from 0; 170 for none."""
        parts = self.taxonomy.get(primary, ())
        if secondary not in parts:
            return UNKNOWN
        return _BASE * self.primaries.index(primary) + parts.index(secondary)

    def category_hasher_reverse(self, number: int) -> tuple[str, str]:
        """The names of the category with that number, empty where there is none."""
        first, second = divmod(number, _BASE)
        if not 0 <= first < len(self.primaries):
            return "", ""
        parts = self.taxonomy[self.primaries[first]]
        return (self.primaries[first], parts[second]) if second < len(parts) else ("", "")


def _name(label: str) -> str:
    """A label without the number before it; empty where it is nothing else."""
    return _NUMBERS.sub("", label, count=1).strip() if _NUMBERS.match(label) else label.strip()


def _closest(label: str, names: Sequence[str]) -> str:
    """The name that a label is most like, empty where it is like none."""
    fuzz, process, plain = _rapidfuzz()
    if not plain(label):
        return ""

    def alike(a: str, b: str, **_: Any) -> float:
        parts = fuzz.token_set_ratio(a, b) if len(a) >= 4 else 0
        return float(max(fuzz.ratio(a, b), fuzz.token_sort_ratio(a, b), 0.95 * parts))

    found = process.extractOne(label, names, scorer=alike, processor=plain, score_cutoff=LEAST)
    return str(found[0]) if found else ""


@cache
def _rapidfuzz() -> tuple[Any, Any, Any]:
    try:
        from rapidfuzz import fuzz, process, utils
    except ModuleNotFoundError:
        raise MissingDependency("rapidfuzz", "math", "Matching the names of categories") from None
    return fuzz, process, utils.default_process
