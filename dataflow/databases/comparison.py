"""Compare the results of two queries by value, and say how they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dataflow.databases.connector import QueryResult
from dataflow.databases.values import Row, encode, match_columns


class Convention(StrEnum):
    """What makes two results the same."""

    DATAFLOW = "dataflow"
    """The same rows as often, numbers within a tolerance, columns in any order; in the order of the rows where both
    queries order. Two empty results need the same number of columns."""
    SPIDER = "spider"
    """Execution match of Spider's test-suite evaluator (Zhong et al. 2020, arXiv 2010.02840): the same rows as often,
    numbers exact, columns in any order; in the order of the rows where the gold query orders."""
    BIRD = "bird"
    """Execution accuracy of BIRD (Li et al. 2023, arXiv 2305.03111): the same set of rows, numbers exact, columns in
    their order; repeats and the order of the rows do not count."""


class Difference(StrEnum):
    """How two results differ: the first of these that is true."""

    FAULT = "fault"
    COLUMN_COUNT = "column count"
    ROW_COUNT = "row count"
    COLUMN_ORDER = "column order"
    """The same rows once the columns of one are put into another order, where their order counts."""
    ROW_ORDER = "row order"
    """The same rows in another order, where their order counts."""
    REPEATS = "repeats"
    """The same different rows and as many, some of them more often."""
    VALUES = "values"


@dataclass(frozen=True)
class Comparison:
    """Whether two results are the same, and if not, how they differ; true where they are the same."""

    equal: bool
    difference: Difference | None = None
    message: str = ""
    """The difference in words; empty where there is none."""
    row: int | None = None
    """The place of the first row of the result that differs, from 0; null where the gold result has only more."""
    found: Row | None = None
    """That row."""
    expected: Row | None = None
    """The row that the gold result has at this place, or where order does not count the first that is missing."""
    empty: bool = False
    """Both have no rows: they are the same, which says little about the queries."""

    def __bool__(self) -> bool:
        return self.equal


SAME = Comparison(True)


def compare(
    result: QueryResult,
    gold: QueryResult,
    *,
    convention: Convention | str = Convention.DATAFLOW,
    orders: tuple[bool, bool] = (False, False),
    column_order: bool | None = None,
    rel_tol: float = 1e-9,
    abs_tol: float = 1e-12,
) -> Comparison:
    """Compare `result` with `gold` by value; the names of the columns do not count.

    1, 1.0, true and Decimal(1) are the same; NULL is the same as NULL and nothing else; 1 and '1' differ, as do texts
    in another case. A failed query is the same as nothing, not even as one that failed alike.

    Args:
        result: what the query under test gave.
        gold: what it should give.
        convention: which rules hold.
        orders: whether the query of `result` and that of `gold` order their rows at top level.
        column_order: whether the order of the columns counts; null leaves it to the convention.
        rel_tol: how far two numbers may differ, relative to the larger, where one is a float that is no whole number;
            of `dataflow` only.
        abs_tol: how far at all, for numbers near zero; of `dataflow` only.
    """
    convention = Convention(convention)
    if not (result.success and gold.success):
        return _faults(result, gold)
    ours = convention is Convention.DATAFLOW
    tolerance = (rel_tol, abs_tol) if ours else None
    early = _shapes(result, gold, tolerance, convention is not Convention.BIRD)
    if early is not None:
        return early
    ordered = {Convention.DATAFLOW: all(orders), Convention.SPIDER: orders[1]}.get(convention, False)
    fixed = convention is Convention.BIRD if column_order is None else column_order
    return _rows(result.rows, gold.rows, tolerance, ordered, fixed, convention is Convention.BIRD)


def result_of(records: Iterable[Mapping[str, Any]], columns: Sequence[str] = ()) -> QueryResult:
    """A result made of rows as dictionaries, whose keys are all the same; `columns` names those of an empty one."""
    listed = list(records)
    names = tuple(columns) or (tuple(listed[0]) if listed else ())
    return QueryResult(True, names, tuple(tuple(record.get(name) for name in names) for record in listed))


def _faults(result: QueryResult, gold: QueryResult) -> Comparison:
    failed = [
        (name, one) for name, one in (("the query", result), ("the gold query", gold)) if not one.success
    ]
    said = "; ".join(f"{name} failed ({one.fault or 'no reason given'}): {one.error}" for name, one in failed)
    return Comparison(False, Difference.FAULT, said)


def _width(result: QueryResult) -> int:
    return len(result.rows[0]) if result.rows else len(result.columns)


def _shapes(
    result: QueryResult, gold: QueryResult, tolerance: tuple[float, float] | None, bags: bool
) -> Comparison | None:
    """What can be said without a look at the values."""
    widths = _width(result), _width(gold)
    empty = not result.rows and not gold.rows
    if empty and (tolerance is None or 0 in widths or widths[0] == widths[1]):
        return Comparison(True, empty=True)
    if widths[0] != widths[1] and 0 not in widths:
        said = f"{_counted(widths[0], 'column')}, not {widths[1]}"
        return Comparison(False, Difference.COLUMN_COUNT, said, empty=empty)
    rows = len(result.rows), len(gold.rows)
    if rows[0] != rows[1] and (bags or 0 in rows):
        return _other_count(result.rows, gold.rows, tolerance)
    return None


def _other_count(
    rows: Sequence[Row], gold: Sequence[Row], tolerance: tuple[float, float] | None
) -> Comparison:
    said = f"{_counted(len(rows), 'row')}, not {len(gold)}"
    a, b = encode(rows, gold, tolerance)
    if a and set(a) == set(b):
        said += "; the same different rows, repeated otherwise"
    return _first(Difference.ROW_COUNT, said, rows, gold, a, b)


def _rows(
    rows: Sequence[Row],
    gold: Sequence[Row],
    tolerance: tuple[float, float] | None,
    ordered: bool,
    fixed: bool,
    as_set: bool,
) -> Comparison:
    if _plainly_equal(rows, gold, ordered, as_set):
        return SAME
    a, b = encode(rows, gold, tolerance)
    if _same(a, b, ordered, as_set):
        return SAME
    permuted = None if as_set else match_columns(a, b, ordered)
    if permuted is not None and not fixed:
        return SAME
    if permuted is not None:
        return Comparison(False, Difference.COLUMN_ORDER, f"the columns are in another order: {permuted}")
    if ordered and (_same(a, b, False, False) or (not fixed and match_columns(a, b, False) is not None)):
        at = next((i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y), None)
        said = f"the same rows in another order, from row {at} on"
        return Comparison(False, Difference.ROW_ORDER, said, at, *_pair(rows, gold, at))
    return _values(rows, gold, a, b, ordered, as_set)


def _plainly_equal(rows: Sequence[Row], gold: Sequence[Row], ordered: bool, as_set: bool) -> bool:
    try:
        return _same(rows, gold, ordered, as_set)
    except TypeError:  # lists and structures cannot be hashed
        return False


def _same(a: Sequence[Row], b: Sequence[Row], ordered: bool, as_set: bool) -> bool:
    if as_set:
        return set(a) == set(b)
    return a == b if ordered else Counter(a) == Counter(b)


def _values(
    rows: Sequence[Row], gold: Sequence[Row], a: Sequence[Row], b: Sequence[Row], ordered: bool, as_set: bool
) -> Comparison:
    if ordered:
        at = next(i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y)
        found, expected = _pair(rows, gold, at)
        said = f"row {at} is {_shown(found)}, not {_shown(expected)}"
        return Comparison(False, Difference.VALUES, said, at, found, expected)
    if not as_set and set(a) == set(b):
        return _first(Difference.REPEATS, "the same different rows, repeated otherwise", rows, gold, a, b)
    return _first(Difference.VALUES, "", rows, gold, a, b, as_set)


def _first(
    kind: Difference,
    said: str,
    rows: Sequence[Row],
    gold: Sequence[Row],
    a: Sequence[Row],
    b: Sequence[Row],
    as_set: bool = False,
) -> Comparison:
    """Name the first row that is too many, and the first that is missing; `a` and `b` are the rows as numbers."""
    at, missing = _surplus(a, b, as_set), _surplus(b, a, as_set)
    found = None if at is None else rows[at]
    expected = None if missing is None else gold[missing]
    parts = [said] if said else []
    if at is not None:
        parts.append(f"row {at}, {_shown(found)}, is too many")
    if missing is not None:
        parts.append(f"{_shown(expected)} is missing")
    return Comparison(False, kind, "; ".join(parts), at, found, expected)


def _surplus(rows: Sequence[Row], others: Sequence[Row], as_set: bool) -> int | None:
    left = Counter(others)
    for i, row in enumerate(rows):
        if left[row] <= 0:
            return i
        if not as_set:
            left[row] -= 1
    return None


def _pair(rows: Sequence[Row], gold: Sequence[Row], at: int | None) -> tuple[Row | None, Row | None]:
    return (None, None) if at is None else (rows[at], gold[at])


def _shown(row: Row | None, most: int = 200) -> str:
    text = repr(row)
    return text if len(text) <= most else text[: most - 1] + "…"


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}{'s' * (n != 1)}"
