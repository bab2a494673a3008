"""Spider's levels: the published distribution, and queries counted by hand."""

from __future__ import annotations

from collections import Counter

import pytest

from dataflow.core.errors import RowError
from dataflow.databases.queries import spider_hardness
from dataflow.databases.queries.hardness import HardnessCounts, hardness_counts
from dataflow.databases.queries.parsing import parse
from tests.databases import spider

PUBLISHED = {"easy": 248, "medium": 446, "hard": 174, "extra": 166}
BY_HAND = [
    (55, 0, 0, 0, "easy"),
    (125, 1, 0, 0, "easy"),
    (163, 1, 0, 0, "easy"),
    (249, 1, 0, 0, "easy"),
    (261, 1, 0, 0, "easy"),
    (351, 1, 0, 0, "easy"),
    (387, 1, 0, 0, "easy"),
    (441, 0, 0, 0, "easy"),
    (511, 1, 0, 0, "easy"),
    (517, 0, 0, 0, "easy"),
    (567, 0, 0, 0, "easy"),
    (681, 1, 0, 0, "easy"),
    (692, 1, 0, 0, "easy"),
    (704, 1, 0, 0, "easy"),
    (744, 0, 0, 0, "easy"),
    (870, 1, 0, 0, "easy"),
    (872, 1, 0, 0, "easy"),
    (2, 1, 0, 1, "medium"),
    (4, 1, 0, 2, "medium"),
    (69, 1, 0, 1, "medium"),
    (119, 1, 0, 1, "medium"),
    (121, 0, 0, 1, "medium"),
    (127, 1, 0, 1, "medium"),
    (155, 2, 0, 0, "medium"),
    (241, 2, 0, 0, "medium"),
    (424, 0, 0, 2, "medium"),
    (481, 1, 0, 1, "medium"),
    (671, 2, 0, 0, "medium"),
    (842, 2, 0, 0, "medium"),
    (846, 2, 0, 0, "medium"),
    (882, 1, 0, 1, "medium"),
    (970, 2, 0, 1, "medium"),
    (972, 2, 0, 1, "medium"),
    (1016, 1, 0, 1, "medium"),
    (28, 1, 1, 0, "hard"),
    (173, 0, 1, 0, "hard"),
    (255, 3, 0, 1, "hard"),
    (275, 1, 1, 0, "hard"),
    (281, 1, 1, 0, "hard"),
    (285, 1, 1, 0, "hard"),
    (293, 1, 1, 0, "hard"),
    (418, 1, 1, 0, "hard"),
    (422, 1, 1, 0, "hard"),
    (447, 1, 1, 0, "hard"),
    (487, 3, 0, 1, "hard"),
    (543, 1, 1, 0, "hard"),
    (605, 3, 0, 2, "hard"),
    (787, 3, 0, 1, "hard"),
    (900, 1, 1, 0, "hard"),
    (926, 0, 1, 0, "hard"),
    (1014, 3, 0, 0, "hard"),
    (24, 5, 0, 1, "extra"),
    (85, 1, 1, 1, "extra"),
    (177, 2, 1, 1, "extra"),
    (277, 4, 0, 0, "extra"),
    (420, 4, 0, 1, "extra"),
    (421, 4, 0, 1, "extra"),
    (426, 3, 1, 0, "extra"),
    (451, 2, 1, 1, "extra"),
    (500, 4, 0, 1, "extra"),
    (504, 2, 1, 1, "extra"),
    (698, 4, 0, 0, "extra"),
    (775, 1, 1, 1, "extra"),
    (776, 1, 1, 1, "extra"),
    (777, 1, 1, 1, "extra"),
    (928, 0, 1, 1, "extra"),
    (936, 5, 0, 1, "extra"),
    (938, 4, 0, 0, "extra"),
]
"""Place in the development set; components, nestings, others, and the level that follows."""

OTHERS: list[tuple[str, tuple[int, int, int], str]] = [
    ("SELECT a FROM t", (0, 0, 0), "easy"),
    ("SELECT a FROM t WHERE b LIKE 'or or like'", (2, 0, 0), "medium"),
    ("SELECT a FROM t, u WHERE t.i = u.i", (2, 0, 0), "medium"),
    ("SELECT a FROM t WHERE (b = 1 OR c = 2) AND d = 3", (2, 0, 1), "medium"),
    ("SELECT a FROM t WHERE b BETWEEN 1 AND 2", (1, 0, 0), "easy"),
    ("SELECT max(a) - min(a) FROM t", (0, 0, 0), "easy"),
    ("SELECT a FROM t GROUP BY a, b HAVING sum(c) > 1 AND avg(c) < 2", (1, 0, 1), "medium"),
    ("SELECT a FROM t GROUP BY a HAVING count(*) > (SELECT 1)", (1, 1, 0), "hard"),
    ("SELECT a FROM (SELECT a FROM t WHERE b = 1 OR c = 2) AS q", (0, 0, 0), "easy"),
    ("SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u)", (1, 1, 0), "hard"),
    (
        "SELECT a FROM t WHERE b = (SELECT max(b) FROM t) AND c = (SELECT 1 FROM u WHERE d IN (SELECT 2))",
        (1, 2, 1),
        "extra",
    ),
    ("(SELECT a FROM t) UNION SELECT b FROM u UNION SELECT c FROM v", (0, 1, 0), "hard"),
    ("SELECT a FROM t JOIN u ON t.i = u.i OR t.j = u.j", (2, 0, 0), "medium"),
    ("SELECT a, b FROM t WHERE c NOT LIKE 'x' AND d NOT IN (1, 2) ORDER BY a", (3, 0, 3), "extra"),
    ("SELECT a, max(b), min(b) FROM t WHERE c = 1 AND d = 2 GROUP BY a", (2, 0, 3), "hard"),
]


@pytest.mark.parametrize(("sql", "counts", "level"), OTHERS)
def test_counts(sql: str, counts: tuple[int, int, int], level: str) -> None:
    assert hardness_counts(parse(sql)) == HardnessCounts(*counts)
    assert spider_hardness(sql) == level


@spider.needed
def test_the_published_distribution() -> None:
    assert Counter(str(spider_hardness(question.sql)) for question in spider.questions()) == PUBLISHED


@spider.needed
@pytest.mark.parametrize(("place", "components", "nestings", "others", "level"), BY_HAND)
def test_counted_by_hand(place: int, components: int, nestings: int, others: int, level: str) -> None:
    counts = hardness_counts(parse(spider.questions()[place].sql))
    assert counts == HardnessCounts(components, nestings, others)
    assert counts.level == level


def test_no_query_has_no_level() -> None:
    with pytest.raises(RowError, match="no sqlite query"):
        spider_hardness("SELECT FROM WHERE")
