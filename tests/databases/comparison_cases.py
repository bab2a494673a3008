"""Pairs of results, and whether they are the same: for us, for Spider's test-suite evaluator, and for BIRD's.

Their verdicts are reasoned from what is published. Spider: rows as tuples of Python values, as often, under some order
of the columns, in sequence where the gold query has ORDER BY. BIRD: the sets of the tuples. Both compare values
as Python does, so 1 == 1.0 == True, None == None, and 0.1 + 0.2 != 0.3.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

NONE, BOTH, GOLD, OTHER = (False, False), (True, True), (False, True), (True, False)
"""Which of the queries order: neither, both, only the gold one, only the other."""


@dataclass(frozen=True)
class Pair:
    """Two results and three verdicts, such as YYN: ours, Spider's, BIRD's."""

    verdict: str
    rows: list[tuple[Any, ...]]
    gold: list[tuple[Any, ...]]
    orders: tuple[bool, bool] = NONE
    widths: tuple[int, int] = (1, 1)
    """Of results without rows."""


def _nan() -> float:
    return float("nan")


VALUES: list[tuple[str, Any, Any]] = [
    ("YYY", 1, 1),
    ("NNN", 1, 2),
    ("NNN", 1, -1),
    ("YYY", 1, 1.0),
    ("YYY", 1, Decimal(1)),
    ("YYY", 1, Decimal("1.00")),
    ("YYY", 1.5, Decimal("1.5")),
    ("YYY", True, 1),
    ("YYY", False, 0),
    ("NNN", True, 0),
    ("NNN", 1, "1"),
    ("NNN", 1.0, "1.0"),
    ("NNN", True, "True"),
    ("NNN", None, ""),
    ("NNN", None, 0),
    ("NNN", None, "None"),
    ("NNN", None, "NULL"),
    ("NNN", None, False),
    ("YYY", None, None),
    ("YYY", "", ""),
    ("NNN", "", " "),
    ("NNN", "a", "A"),
    ("NNN", "a", "a "),
    ("NNN", "\u00e9", "e\u0301"),
    ("NNN", "1", "1.0"),
    ("YNN", 0.1 + 0.2, 0.3),
    ("YNN", 2.9999999999999996, 3),
    ("YNN", 1 / 3, 0.333333333333),
    ("NNN", 1 / 3, 0.3333),
    ("NNN", 1.0001, 1),
    ("NNN", 2.5, 2),
    ("YNN", 0.1, Decimal("0.1")),
    ("YNN", Decimal("0.3333333333333333"), Decimal("0.33333333333333333333")),
    ("NNN", Decimal("0.10"), Decimal("0.11")),
    ("NNN", Decimal("1000000000.01"), Decimal("1000000000.02")),
    ("YNN", 0, 1e-15),
    ("NNN", 0, 1e-6),
    ("YYY", 0.0, -0.0),
    ("NNN", 10**10, 10**10 + 1),
    ("NNN", 2**53, 2**53 + 1),
    ("NNN", 10**30, 10**30 + 1),
    ("YYY", 10**16, 1e16),
    ("YNN", 1e22 + 2**21, 1e22),
    ("NNN", 1e10 + 1, 1e10),
    ("YNN", _nan(), _nan()),
    ("NNN", _nan(), None),
    ("YYY", float("inf"), float("inf")),
    ("NNN", float("inf"), float("-inf")),
    ("NNN", float("inf"), 10**400),
    ("YYY", b"a", b"a"),
    ("NNN", b"a", "a"),
    ("YYY", dt.date(2020, 1, 1), dt.date(2020, 1, 1)),
    ("NNN", dt.date(2020, 1, 1), "2020-01-01"),
    ("NNN", dt.date(2020, 1, 1), dt.datetime(2020, 1, 1)),
    ("YYY", dt.timedelta(hours=24), dt.timedelta(days=1)),
    ("YYY", UUID(int=1), UUID(int=1)),
    ("NNN", UUID(int=1), str(UUID(int=1))),
]
"""Alone in a result, and beside others in a larger one, which must not change the verdict."""

ROWS: list[Pair] = [
    Pair("YYY", [], []),
    Pair("NYY", [], [], widths=(1, 2)),
    Pair("YYY", [], [], widths=(2, 2)),
    Pair("NNN", [], [(1,)]),
    Pair("NNN", [(1,)], []),
    Pair("NNN", [(None,)], []),
    Pair("NNN", [(0,)], []),
    Pair("YYY", [(1,), (2,)], [(2,), (1,)]),
    Pair("NNY", [(1,), (1,)], [(1,)]),
    Pair("NNY", [(1,)], [(1,), (1,)]),
    Pair("NNY", [(1,), (1,), (2,)], [(1,), (2,), (2,)]),
    Pair("NNY", [(None,), (None,)], [(None,)]),
    Pair("NNY", [(1,), (1.0,)], [(1,)]),
    Pair("YYY", [(True,), (1,)], [(1,), (1.0,)]),
    Pair("NNN", [(1,), (2,)], [(1,), (3,)]),
    Pair("NNN", [(1,), (2,)], [(1,)]),
    Pair("NNN", [(1,)], [(1, 1)]),
    Pair("NNN", [(1, "a")], [(1,)]),
    Pair("YYN", [(1, "a")], [("a", 1)]),
    Pair("YYN", [(1, 2)], [(2, 1)]),
    Pair("YYN", [(1, 2), (3, 4)], [(2, 1), (4, 3)]),
    Pair("YYN", [(1, 2), (3, 4)], [(4, 3), (2, 1)]),
    Pair("NNN", [(1, 2), (3, 4)], [(2, 1), (3, 4)]),
    Pair("YYY", [(1, 1)], [(1, 1)]),
    Pair("NNN", [(1, 1)], [(1, 2)]),
    Pair("NNN", [(1, 1, 2)], [(1, 2, 2)]),
    Pair("YYN", [(1, 1, 2)], [(1, 2, 1)]),
    Pair("YYN", [(1, "a", None), (2, "b", None)], [("a", None, 1), ("b", None, 2)]),
    Pair("NNN", [(1, "a"), (2, "b")], [(1, "b"), (2, "a")]),
    Pair("NNN", [(1, 2), (2, 1)], [(1, 1), (2, 2)]),
    Pair("YYN", [(1, 2), (2, 3), (3, 1)], [(2, 1), (3, 2), (1, 3)]),
    Pair("NNN", [(0, 0, 1), (1, 1, 0)], [(0, 1, 0), (1, 1, 0)]),
    Pair("YYN", [(0, 0, 1), (1, 1, 0)], [(1, 0, 0), (0, 1, 1)]),
    Pair("NNY", [(1, 2), (1, 2), (3, 4)], [(3, 4), (1, 2)]),
    Pair("YNN", [(0.1 + 0.2, "x"), (1, "y")], [(1, "y"), (0.3, "x")]),
    Pair("YNN", [("x", 0.1 + 0.2), ("y", 1)], [(1, "y"), (0.3, "x")]),
    Pair("NNN", [(0.1 + 0.2, 0.3)], [(0.3, 0.4)]),
    Pair("YNN", [(0.1 + 0.2,), (0.3,)], [(0.3,), (0.3,)]),
    Pair("NNN", [(None, 1)], [("", 1)]),
    Pair("NNN", [(None, None)], [(None, 0)]),
    Pair("YYN", [(None, 1)], [(1, None)]),
    Pair("NNN", [("a", "b")], [("ab", "")]),
    Pair("NNN", [(12, 3)], [(1, 23)]),
    Pair("NNN", [("a, b",)], [("a", "b")]),
]

ORDERED: list[Pair] = [
    Pair("YYY", [(1,), (2,)], [(1,), (2,)], BOTH),
    Pair("NNY", [(1,), (2,)], [(2,), (1,)], BOTH),
    Pair("YNY", [(1,), (2,)], [(2,), (1,)], GOLD),
    Pair("YYY", [(1,), (2,)], [(2,), (1,)], OTHER),
    Pair("YYN", [(1, "a"), (2, "b")], [("a", 1), ("b", 2)], BOTH),
    Pair("NNN", [(1, "a"), (2, "b")], [("b", 2), ("a", 1)], BOTH),
    Pair("YNN", [(1, "a"), (2, "b")], [("b", 2), ("a", 1)], GOLD),
    Pair("YYN", [(1, "a"), (2, "b")], [("b", 2), ("a", 1)], OTHER),
    Pair("NNY", [(1,), (1,), (2,)], [(1,), (2,), (1,)], BOTH),
    Pair("NNY", [("a", 1), ("b", 1)], [("b", 1), ("a", 1)], BOTH),
    Pair("YNN", [(0.1 + 0.2,), (1,)], [(0.3,), (1,)], BOTH),
    Pair("NNN", [(1,), (0.1 + 0.2,)], [(0.3,), (1,)], BOTH),
    Pair("NNY", [(1,), (2,)], [(1,), (2,), (2,)], BOTH),
    Pair("NNN", [(1,), (2,)], [(1,), (3,)], BOTH),
    Pair("YYY", [], [], BOTH),
    Pair("YYY", [(1, 1), (2, 2)], [(1, 1), (2, 2)], BOTH),
    Pair("YYY", [(5,)], [(5,)], GOLD),
    Pair("YYY", [(1, 2), (2, 1)], [(2, 1), (1, 2)], BOTH),
    Pair("NNY", [(1, 2), (3, 4), (2, 1)], [(2, 1), (3, 4), (1, 2)], BOTH),
    Pair("YYY", [(None,), (1,)], [(None,), (1,)], BOTH),
    Pair("NNY", [(None,), (1,)], [(1,), (None,)], BOTH),
]
