"""Values of results as numbers that are equal where the values are the same, and columns matched by their values."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Row = tuple[Any, ...]
Codes = NDArray[np.int64]

NAN = ("not a number",)
WHOLE = 2**53
"""From here on a float cannot tell a whole number from the next."""
DIGITS = 15
"""A decimal of more digits is the rest of a division."""
BUDGET = 60_000_000
"""Values looked at before columns that cannot be told apart are said not to match."""


def encode(
    rows: Sequence[Row], others: Sequence[Row], tolerance: tuple[float, float] | None
) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """Put a number for each value, the same for the same value in both.

    With a tolerance, numbers that lie within it are one value if one of them is a float that is no whole number, so
    that identifiers never are. Neighbours are joined, not rounded: there is no edge at which noise shows.
    """
    codes: dict[Hashable, int] = {}
    coded = [
        [tuple(_code(value, codes, tolerance) for value in row) for row in both] for both in (rows, others)
    ]
    if tolerance is not None:
        joined = _joined(codes, *tolerance)
        if joined:
            coded = [[tuple(joined.get(code, code) for code in row) for row in both] for both in coded]
    return coded[0], coded[1]


def _code(value: Any, codes: dict[Hashable, int], tolerance: tuple[float, float] | None) -> int:
    if tolerance is not None and isinstance(value, float | Decimal) and value != value:
        value = NAN
    try:
        return codes.setdefault(value, len(codes))
    except TypeError:
        return codes.setdefault(_frozen(value), len(codes))


def _frozen(value: Any) -> Hashable:
    """A value of values as one that can be hashed."""
    if isinstance(value, dict):
        return "struct", frozenset((_frozen(key), _frozen(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return "list", tuple(_frozen(item) for item in value)
    if isinstance(value, set):
        return "set", frozenset(_frozen(item) for item in value)
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    return value if isinstance(value, Hashable) else repr(value)


def _joined(codes: dict[Hashable, int], rel_tol: float, abs_tol: float) -> dict[int, int]:
    """The code to use in place of another, for numbers within the tolerance of a neighbour."""
    values: dict[Any, int] = {value: code for value, code in codes.items() if _is_number(value)}
    numbers = [(float(value), _noisy(value), code) for value, code in values.items()]
    if not any(noisy for _, noisy, _ in numbers):
        return {}
    numbers.sort()
    joined: dict[int, int] = {}
    for (low, low_noisy, low_code), (high, high_noisy, code) in pairwise(numbers):
        if (low_noisy or high_noisy) and math.isclose(low, high, rel_tol=rel_tol, abs_tol=abs_tol):
            joined[code] = joined.get(low_code, low_code)
    return joined


def _is_number(value: Hashable) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, Decimal):
        return value.is_finite() and value.adjusted() < 300
    return isinstance(value, int) and value.bit_length() < 1000


def _noisy(value: Any) -> bool:
    if isinstance(value, float):
        return not value.is_integer() or abs(value) >= WHOLE
    return (
        isinstance(value, Decimal)
        and len(value.as_tuple().digits) > DIGITS
        and value != value.to_integral_value()
    )


def match_columns(
    rows: Sequence[tuple[int, ...]], others: Sequence[tuple[int, ...]], ordered: bool
) -> list[int] | None:
    """Which column of `others` each column of `rows` is, so that the rows are the same; null if there is no way.

    Without order, columns are matched one by one: the rows cut down to the columns matched so far must be the same
    as often. That leaves one way in nearly all results; where it leaves too many, the search ends after `BUDGET`.
    """
    if len(rows) != len(others):
        return None
    a, b = np.array(rows, dtype=np.int64), np.array(others, dtype=np.int64)
    keys = [[_column_key(table[:, j], ordered) for j in range(table.shape[1])] for table in (a, b)]
    if Counter(keys[0]) != Counter(keys[1]):
        return None
    options = [[j for j, key in enumerate(keys[1]) if key == own] for own in keys[0]]
    if ordered:
        return _taken(options)
    return _Search(a, b, options).run()


def _column_key(column: Codes, ordered: bool) -> bytes:
    return (column if ordered else np.sort(column)).tobytes()


def _taken(options: list[list[int]]) -> list[int]:
    order: list[int] = []
    for choice in options:
        order.append(next(j for j in choice if j not in order))
    return order


class _Search:
    """Columns assigned one by one, those with the fewest candidates first."""

    def __init__(self, a: Codes, b: Codes, options: list[list[int]]) -> None:
        self.a, self.b, self.options = a, b, options
        self.order = sorted(range(len(options)), key=lambda i: len(options[i]))
        self.codes = int(max(a.max(), b.max())) + 1
        self.left = BUDGET

    def run(self) -> list[int] | None:
        start = np.zeros(len(self.a), dtype=np.int64)
        chosen: list[int] = []
        open_: list[Iterator[tuple[int, Codes, Codes]]] = [self._matching(0, start, start, chosen)]
        while open_ and len(chosen) < len(self.order):
            found = next(open_[-1], None)
            if found is None:
                open_.pop()
                del chosen[-1:]
                continue
            j, in_a, in_b = found
            chosen.append(j)
            open_.append(self._matching(len(chosen), in_a, in_b, chosen))
        if len(chosen) < len(self.order):
            return None
        at = dict(zip(self.order, chosen, strict=True))
        return [at[i] for i in range(len(at))]

    def _matching(
        self, depth: int, in_a: Codes, in_b: Codes, chosen: list[int]
    ) -> Iterator[tuple[int, Codes, Codes]]:
        """The candidates of one column that leave the rows the same, with the rows so far."""
        if depth == len(self.order):
            return
        i = self.order[depth]
        own = in_a * self.codes + self.a[:, i]
        for j in self._candidates(i, set(chosen)):
            self.left -= len(own)
            if self.left < 0:
                return
            classes = _classes(own, in_b * self.codes + self.b[:, j])
            if classes is not None:
                yield j, *classes

    def _candidates(self, i: int, used: set[int]) -> Iterator[int]:
        """Those not used, the one at the same place first; of columns that are equal row by row only one."""
        seen: set[bytes] = set()
        for j in sorted(self.options[i], key=lambda j: j != i):
            key = self.b[:, j].tobytes() if len(self.options[i]) > 1 else b""
            if j not in used and key not in seen:
                seen.add(key)
                yield j


def _classes(a: Codes, b: Codes) -> tuple[Codes, Codes] | None:
    """Small numbers for the rows so far, if both have the same rows as often."""
    kinds, in_a, counts = np.unique(a, return_inverse=True, return_counts=True)
    others, in_b, other_counts = np.unique(b, return_inverse=True, return_counts=True)
    if not (np.array_equal(kinds, others) and np.array_equal(counts, other_counts)):
        return None
    return in_a.astype(np.int64), in_b.astype(np.int64)
