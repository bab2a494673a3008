"""Results compared: the verdicts of three conventions, and how results differ."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.databases.comparison import Comparison, Difference, compare, result_of
from dataflow.databases.connector import Fault, QueryResult
from tests.databases.comparison_cases import BOTH, GOLD, NONE, ORDERED, ROWS, VALUES, Pair

CONVENTIONS = ("dataflow", "spider", "bird")
PAIRS = [Pair(verdict, [(a,)], [(b,)]) for verdict, a, b in VALUES] + ROWS + ORDERED
CELLS = st.one_of(st.none(), st.integers(-2, 2), st.sampled_from(["", "a", "1", 0.5, 0.1]), st.booleans())
TABLES = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.tuples(*[CELLS] * width), min_size=1, max_size=6)
)


def result(rows: list[tuple[Any, ...]], width: int = 1, prefix: str = "c") -> QueryResult:
    names = tuple(f"{prefix}{i}" for i in range(len(rows[0]) if rows else width))
    return QueryResult(True, names, tuple(rows))


def verdicts(pair: Pair) -> str:
    a, b = result(pair.rows, pair.widths[0]), result(pair.gold, pair.widths[1], "other")
    found = [compare(a, b, convention=name, orders=pair.orders).equal for name in CONVENTIONS]
    return "".join("NY"[same] for same in found)


def test_there_are_enough_pairs() -> None:
    assert len(PAIRS) >= 100


@pytest.mark.parametrize("pair", PAIRS, ids=repr)
def test_verdicts(pair: Pair) -> None:
    assert verdicts(pair) == pair.verdict


@pytest.mark.parametrize(("verdict", "a", "b"), VALUES)
def test_a_value_counts_alike_among_others(verdict: str, a: Any, b: Any) -> None:
    rows, gold = [("x", a, 7), ("y", 5, 8), ("z", "t", 9)], [("y", 5, 8), ("z", "t", 9), ("x", b, 7)]
    assert verdicts(Pair(verdict, rows, gold)) == verdict


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair.orders in (NONE, BOTH)], ids=repr)
def test_two_results_are_the_same_both_ways(pair: Pair) -> None:
    assert verdicts(Pair("", pair.gold, pair.rows, pair.orders, pair.widths[::-1])) == pair.verdict


FAILED = QueryResult(False, error="no such table: t", fault=Fault.UNKNOWN)


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize(("a", "b"), [(FAILED, result([])), (result([(1,)]), FAILED), (FAILED, FAILED)])
def test_a_failed_query_is_the_same_as_nothing(convention: str, a: QueryResult, b: QueryResult) -> None:
    found = compare(a, b, convention=convention)
    assert not found
    assert found.difference is Difference.FAULT
    assert "no such table: t" in found.message
    assert ("the query failed" in found.message) == (not a.success)
    assert ("the gold query failed" in found.message) == (not b.success)


DIFFERENCES: list[tuple[Difference, dict[str, Any], list[Any], list[Any], tuple[Any, ...], str]] = [
    (Difference.COLUMN_COUNT, {}, [(1,)], [(1, 2)], (None, None, None), "1 column, not 2"),
    (
        Difference.ROW_COUNT,
        {},
        [(1,), (5,)],
        [(1,)],
        (1, (5,), None),
        "2 rows, not 1; row 1, (5,), is too many",
    ),
    (Difference.ROW_COUNT, {}, [(1,)], [(1,), (5,)], (None, None, (5,)), "1 row, not 2; (5,) is missing"),
    (Difference.ROW_COUNT, {}, [(1,), (1,)], [(1,)], (1, (1,), None), "repeated otherwise"),
    (Difference.ROW_COUNT, {}, [(0.3,), (2,)], [(0.1 + 0.2,)], (1, (2,), None), "row 1, (2,), is too many"),
    (
        Difference.VALUES,
        {},
        [(1,), (2,)],
        [(2,), (3,)],
        (0, (1,), (3,)),
        "row 0, (1,), is too many; (3,) is missing",
    ),
    (
        Difference.VALUES,
        {"orders": BOTH},
        [(1,), (2,)],
        [(1,), (3,)],
        (1, (2,), (3,)),
        "row 1 is (2,), not (3,)",
    ),
    (
        Difference.ROW_ORDER,
        {"orders": BOTH},
        [(1,), (2,), (3,)],
        [(1,), (3,), (2,)],
        (1, (2,), (3,)),
        "from row 1",
    ),
    (
        Difference.COLUMN_ORDER,
        {"column_order": True},
        [(1, 2)],
        [(2, 1)],
        (None, None, None),
        "another order",
    ),
    (Difference.REPEATS, {}, [(1,), (1,), (2,)], [(1,), (2,), (2,)], (1, (1,), (2,)), "repeated otherwise"),
    (
        Difference.VALUES,
        {"convention": "bird"},
        [(1,), (1,), (3,)],
        [(1,), (2,)],
        (2, (3,), (2,)),
        "too many",
    ),
    (Difference.ROW_COUNT, {"convention": "bird"}, [(1,)], [], (0, (1,), None), "1 row, not 0"),
    (
        Difference.VALUES,
        {"convention": "spider"},
        [(0.3,)],
        [(0.1 + 0.2,)],
        (0, (0.3,), (0.1 + 0.2,)),
        "missing",
    ),
]


@pytest.mark.parametrize(("kind", "settings", "rows", "gold", "places", "said"), DIFFERENCES)
def test_how_they_differ(kind: Any, settings: Any, rows: Any, gold: Any, places: Any, said: str) -> None:
    found = compare(result(rows), result(gold), **settings)
    assert (found.equal, found.difference) == (False, kind)
    assert (found.row, found.found, found.expected) == places
    assert said in found.message


def test_the_same_says_nothing() -> None:
    assert compare(result([(1,)]), result([(1,)])) == Comparison(True)
    assert compare(result([]), result([])) == Comparison(True, empty=True)


def test_column_order_may_be_asked_for_or_left() -> None:
    a, b = result([(1, 2)]), result([(2, 1)])
    assert compare(a, b)
    assert not compare(a, b, column_order=True)
    assert not compare(a, b, convention="spider", column_order=True)


def test_lists_and_structures_are_values() -> None:
    assert compare(result([([1, {"a": [2]}],)]), result([([1.0, {"a": [2]}],)]))
    assert not compare(result([([1, 2],)]), result([([2, 1],)]))
    assert compare(result([(memoryview(b"a"),)]), result([(b"a",)]))


def test_a_long_row_is_cut_in_the_message() -> None:
    assert len(compare(result([("x" * 9999,)]), result([("y" * 9999,)])).message) < 500


def test_tolerance_is_a_setting() -> None:
    a, b = result([(0.333,)]), result([(1 / 3,)])
    assert not compare(a, b)
    assert compare(a, b, rel_tol=0.01)
    assert compare(result([(0.01,)]), result([(0.0,)]), abs_tol=0.1)


def test_numbers_near_each_other_stay_apart_where_they_are_whole() -> None:
    ids = [(i,) for i in range(10**12, 10**12 + 50)]
    assert not compare(result(ids), result([(i + 1,) for (i,) in ids]))
    assert compare(result(ids), result([(Decimal(i),) for (i,) in ids]))


def test_records_of_old_pipelines() -> None:
    a = result_of([{"n": 1, "m": None}, {"n": 2, "m": "x"}])
    assert a == QueryResult(True, ("n", "m"), ((1, None), (2, "x")))
    assert compare(a, result_of([{"k": "x", "l": 2}, {"k": None, "l": 1}]))
    assert result_of([], ("n",)).columns == ("n",)
    assert compare(result_of([]), result_of([]))


@given(TABLES, st.randoms(use_true_random=False))
def test_order_of_rows_and_columns_does_not_count(rows: list[tuple[Any, ...]], rng: random.Random) -> None:
    columns = rng.sample(range(len(rows[0])), len(rows[0]))
    other = [tuple(row[j] for j in columns) for row in rng.sample(rows, len(rows))]
    assert compare(result(rows), result(other))
    assert compare(result(rows), result(other), convention="spider")
    assert compare(result(rows), result(rng.sample(rows, len(rows)) + rows[:1]), convention="bird")


@given(TABLES, TABLES, st.sampled_from([NONE, BOTH, GOLD]))
def test_spider_as_by_trying_every_order_of_columns(
    a: list[Any], b: list[Any], orders: tuple[bool, bool]
) -> None:
    width = len(a[0])
    tried = len(b[0]) == width and any(
        permuted == a if orders[1] else Counter(permuted) == Counter(a)
        for order in itertools.permutations(range(width))
        if (permuted := [tuple(row[j] for j in order) for row in b])
    )
    assert compare(result(a), result(b), convention="spider", orders=orders).equal == tried


@given(TABLES, TABLES)
def test_bird_as_by_its_words(a: list[Any], b: list[Any]) -> None:
    assert compare(result(a), result(b), convention="bird").equal == (set(a) == set(b))


@given(
    st.lists(st.tuples(st.floats(-1e9, 1e9), st.integers()), min_size=1, max_size=8),
    st.randoms(use_true_random=False),
)
def test_noise_does_not_count(rows: list[tuple[float, int]], rng: random.Random) -> None:
    noisy = [(value * (1 + rng.uniform(-1e-15, 1e-15)), n) for value, n in rng.sample(rows, len(rows))]
    assert compare(result(rows), result(noisy))


@given(TABLES, st.data())
def test_one_other_value_counts(rows: list[tuple[Any, ...]], data: st.DataObject) -> None:
    i, j = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.integers(0, len(rows[0]) - 1))
    other = [tuple("new" if (i, j) == (y, x) else v for x, v in enumerate(row)) for y, row in enumerate(rows)]
    for convention in CONVENTIONS:
        assert not compare(result(rows), result(other), convention=convention)


def test_a_hundred_thousand_rows() -> None:
    rng = random.Random(1)
    rows = [(i, rng.random(), rng.choice("abc"), rng.randrange(5), None) for i in range(100_000)]
    other = [(noise, c, a, n, s) for a, noise, s, n, c in rng.sample(rows, len(rows))]
    assert compare(result(rows), result(other))
    other[7] = (*other[7][:4], "d")
    assert compare(result(rows), result(other)).expected == other[7] or not compare(
        result(rows), result(other)
    )


def test_columns_that_can_hardly_be_told_apart() -> None:
    rows = list(itertools.product((0, 1), repeat=11))
    a, b = rows.copy(), rows.copy()
    a[5], b[5], b[7] = a[6], b[6], b[6]
    assert compare(result(rows), result([row[::-1] for row in rows]))
    assert not compare(result(a), result(b))


def test_many_columns() -> None:
    rng = random.Random(2)
    rows = [tuple(rng.randrange(3) for _ in range(1500)) for _ in range(20)]
    order = rng.sample(range(1500), 1500)
    assert compare(result(rows), result([tuple(row[j] for j in order) for row in rows]))
