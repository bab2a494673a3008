"""Queries as text: errors, normal forms, features and scores."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.core.errors import ConfigError, DataFlowError, RowError
from dataflow.databases.queries import (
    canonical,
    component_score,
    digest,
    features,
    is_read,
    orders,
    parse,
    references,
)
from tests.databases.shop import SHOP

BROKEN = [
    ("", "no statement"),
    ("   ", "no statement"),
    ("-- nothing", "no statement"),
    ("SELECT", "no sqlite query"),
    ("SELECT * FROM", "no sqlite query"),
    ("SELECT a FROM t WHERE", "no sqlite query"),
    ("SELEC a FROM t", "no sqlite query"),
    ("SELECT 'open", "no sqlite query"),
    ("SELECT (1", "no sqlite query"),
    ("SELECT 1)", "no sqlite query"),
    ("SELECT 1; SELECT 2", "2 statements"),
    ("SELECT " + "(" * 5000 + "1" + ")" * 5000, "too deep"),
    ("SELECT " + "(SELECT " * 190 + "1" + ")" * 190, "too deep"),
    ("SELECT " + "CASE WHEN 1 THEN " * 3000, "too deep"),
    ("SELECT '" + "x" * 300_000 + "'", "too long"),
]


@pytest.mark.parametrize(("sql", "said"), BROKEN, ids=[sql[:20] for sql, _ in BROKEN])
def test_what_cannot_be_parsed_is_an_error_of_the_row(sql: str, said: str) -> None:
    with pytest.raises(RowError, match=said) as caught:
        parse(sql)
    assert len(str(caught.value)) < 400
    assert not is_read(sql)


def test_an_unknown_dialect_is_an_error_of_the_settings() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'postgres'"):
        parse("SELECT 1", "postgre")


@given(st.text(max_size=60) | st.text("SELECT()*,'\"-; from wher=1", max_size=60))
def test_any_text_is_read_or_refused(sql: str) -> None:
    for function in (canonical, features, component_score, references, orders):
        try:
            function(sql)
        except DataFlowError:
            continue


def test_long_chains_are_read() -> None:
    sql = "SELECT a FROM t WHERE " + " OR ".join(f"a = {i}" for i in range(1000))
    assert canonical(sql).count(" OR ") == 999
    assert features(sql).conditions == 1000


READS = [
    ("SELECT 1", "sqlite", True),
    ("SELECT 1;", "sqlite", True),
    ("WITH c AS (SELECT 1) SELECT * FROM c", "sqlite", True),
    ("SELECT 'DELETE FROM t; DROP TABLE t'", "sqlite", True),
    ("VALUES (1), (2)", "sqlite", True),
    ("(SELECT 1) UNION (SELECT 2)", "mysql", True),
    ("SELECT a FROM deleted WHERE updated = 1", "sqlite", True),
    ("WITH c AS (DELETE FROM t RETURNING *) SELECT * FROM c", "postgres", False),
    ("WITH c AS (SELECT 1) DELETE FROM t", "sqlite", False),
    ("SELECT 1; DROP TABLE t", "sqlite", False),
    ("SELECT * INTO u FROM t", "postgres", False),
    ("SELECT * FROM t FOR UPDATE", "postgres", False),
    ("INSERT INTO t SELECT 1", "sqlite", False),
    ("REPLACE INTO t VALUES (1)", "sqlite", False),
    ("UPDATE t SET a = 1", "sqlite", False),
    ("DROP TABLE t", "sqlite", False),
    ("ATTACH 'x' AS y", "sqlite", False),
    ("PRAGMA query_only = 0", "sqlite", False),
    ("VACUUM", "sqlite", False),
    ("COPY t TO 'x'", "postgres", False),
]


@pytest.mark.parametrize(("sql", "dialect", "reads"), READS)
def test_is_read(sql: str, dialect: str, reads: bool) -> None:
    assert is_read(sql, dialect) == reads


ALIKE: list[tuple[str, list[str]]] = [
    ("case and white space", ["SELECT Name FROM Customer", "select  name\nfrom CUSTOMER;", "SELECT name FROM customer -- x"]),
    ("quotes of names", ["SELECT name FROM customer", 'SELECT "Name" FROM `customer`', "SELECT [name] FROM [Customer]"]),
    ("quotes of texts", ["SELECT id FROM customer WHERE city = 'Oslo'", 'SELECT id FROM customer WHERE city = "Oslo"']),
    ("aliases of tables", ["SELECT name FROM customer", "SELECT c.name FROM customer c", "SELECT x.name FROM customer AS x"]),
    ("aliases of columns", ["SELECT count(*) FROM customer", "SELECT COUNT(*) AS n FROM customer", "SELECT count( * ) x FROM customer"]),
    ("AND and OR", ["SELECT id FROM t WHERE a=1 AND (b=2 OR c=3)", "SELECT id FROM t WHERE (3=c OR 2=b) AND a=1", "SELECT id FROM t WHERE ((a=1) AND (c=3 OR b=2 OR c=3))"]),
    ("sides", ["SELECT id FROM t WHERE a > b AND c <= 1", "SELECT id FROM t WHERE 1 >= c AND b < a"]),
    ("IN", ["SELECT id FROM t WHERE a IN (1, 2, 3)", "SELECT id FROM t WHERE a IN (3, 1, 2, 1)"]),
    ("not equal", ["SELECT id FROM t WHERE a <> 1", "SELECT id FROM t WHERE a != 1"]),
    ("NOT LIKE", ["SELECT id FROM t WHERE a NOT LIKE 'x%'", "SELECT id FROM t WHERE NOT a LIKE 'x%'"]),
    ("NOT IN", ["SELECT id FROM t WHERE a NOT IN (1)", "SELECT id FROM t WHERE NOT a IN (1)"]),
    ("joins", ["SELECT c.id FROM customer c JOIN orders o ON c.id=o.customer_id", "SELECT c.id FROM customer AS c INNER JOIN orders AS o ON o.customer_id = c.id"]),
    ("outer joins", ["SELECT c.id FROM customer c LEFT JOIN orders o ON c.id=o.id", "SELECT x.id FROM customer x LEFT OUTER JOIN orders ON x.id=orders.id"]),
    ("ordering", ["SELECT name FROM customer ORDER BY name", "SELECT name FROM customer ORDER BY name ASC", "SELECT name n FROM customer ORDER BY n", "SELECT name FROM customer ORDER BY 1"]),
    ("grouping", ["SELECT city, count(*) FROM customer GROUP BY city HAVING count(*) > 1", "SELECT city AS c, count(*) AS n FROM customer GROUP BY c HAVING n > 1", "SELECT city, count(*) FROM customer GROUP BY 1 HAVING 1 < count(*)"]),
    ("derived tables", ["SELECT q.a FROM (SELECT name AS a FROM customer) AS q", "SELECT r.b FROM (SELECT x.name AS b FROM customer x) r", "SELECT b FROM (SELECT name b FROM customer)"]),
    ("CTEs", ["WITH a AS (SELECT id AS i FROM customer) SELECT i FROM a", "WITH b AS (SELECT c.id AS j FROM customer c) SELECT x.j FROM b AS x"]),
    ("set operations", ["SELECT name AS n FROM customer UNION SELECT name FROM city ORDER BY n", "SELECT name FROM customer UNION SELECT c.name FROM city AS c ORDER BY 1"]),
    ("subqueries", ["SELECT id FROM t WHERE a = (SELECT max(a) AS m FROM t)", "SELECT x.id FROM t x WHERE (SELECT MAX(y.a) FROM t y) = x.a"]),
    ("correlated", ["SELECT id FROM customer c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id)", "SELECT a.id FROM customer AS a WHERE EXISTS (SELECT 1 FROM orders AS b WHERE a.id = b.customer_id)"]),
    ("brackets", ["SELECT a FROM t WHERE a = 1", "SELECT (a) FROM t WHERE ((a) = (1))"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "queries"), ALIKE, ids=[name for name, _ in ALIKE])
def test_other_spellings_have_one_form(name: str, queries: list[str]) -> None:
    forms = {canonical(sql) for sql in queries}
    assert len(forms) == 1, forms
    assert {canonical(form) for form in forms} == forms
    assert len({digest(sql) for sql in queries}) == 1


UNLIKE = [
    ("SELECT a FROM t", "SELECT b FROM t"),
    ("SELECT a, b FROM t", "SELECT b, a FROM t"),
    ("SELECT a FROM t", "SELECT DISTINCT a FROM t"),
    ("SELECT a FROM t", "SELECT a FROM u"),
    ("SELECT a FROM t WHERE b = 'x'", "SELECT a FROM t WHERE b = 'X'"),
    ('SELECT a FROM t WHERE b = "x"', 'SELECT a FROM t WHERE b = "X"'),
    ("SELECT a FROM t WHERE b = 'x'", "SELECT a FROM t WHERE b = x"),
    ("SELECT a FROM t WHERE b = 1", "SELECT a FROM t WHERE b = '1'"),
    ("SELECT a FROM t WHERE a = 1 OR b = 1 AND c = 1", "SELECT a FROM t WHERE (a = 1 OR b = 1) AND c = 1"),
    ("SELECT a FROM t WHERE NOT (a = 1 AND b = 2)", "SELECT a FROM t WHERE NOT a = 1 AND b = 2"),
    ("SELECT a - (b - c) FROM t", "SELECT a - b - c FROM t"),
    ("SELECT (a + b) * c FROM t", "SELECT a + b * c FROM t"),
    ("SELECT a FROM t WHERE a < 1", "SELECT a FROM t WHERE a > 1"),
    ("SELECT a FROM t ORDER BY a", "SELECT a FROM t ORDER BY a DESC"),
    ("SELECT a FROM t LIMIT 1", "SELECT a FROM t LIMIT 2"),
    ("SELECT a FROM t UNION SELECT a FROM u", "SELECT a FROM t UNION ALL SELECT a FROM u"),
    ("SELECT x.a FROM t x JOIN t y ON x.i = y.j", "SELECT y.a FROM t x JOIN t y ON x.i = y.j"),
    ("SELECT a FROM t JOIN u ON t.i = u.i", "SELECT a FROM t LEFT JOIN u ON t.i = u.i"),
    ("SELECT count(a) FROM t", "SELECT count(DISTINCT a) FROM t"),
    ("SELECT q.a FROM (SELECT a, b FROM t) q", "SELECT q.b FROM (SELECT a, b FROM t) q"),
]


@pytest.mark.parametrize(("a", "b"), UNLIKE)
def test_other_queries_have_other_forms(a: str, b: str) -> None:
    assert digest(a) != digest(b)


def test_case_counts_where_the_dialect_says_so() -> None:
    assert digest('SELECT "A" FROM t', "postgres") != digest('SELECT "a" FROM t', "postgres")
    assert digest("SELECT A FROM t", "postgres") == digest('SELECT "a" FROM t', "postgres")
    assert digest("SELECT a FROM T", "mysql") != digest("SELECT a FROM t", "mysql")
    assert digest('SELECT `a` FROM t WHERE b = "x"', "mysql") == digest(
        "SELECT a FROM t WHERE b = 'x'", "mysql"
    )


def test_a_schema_tells_columns_of_joins_apart() -> None:
    bare = "SELECT Name, total FROM Customer JOIN orders ON Customer.id = customer_id"
    full = "SELECT c.name, o.total FROM customer c JOIN orders o ON c.id = o.customer_id"
    assert digest(bare, schema=SHOP) == digest(full, schema=SHOP)
    assert digest(bare) != digest(full)


def test_a_schema_tells_names_from_texts() -> None:
    assert "q1t1.city = q1t1.name" in canonical('SELECT id FROM customer WHERE name = "city"', schema=SHOP)
    assert "= 'town'" in canonical('SELECT id FROM customer WHERE name = "town"', schema=SHOP)


NAMES = st.sampled_from(["a", "B", "t1", "Ärger", "x y", "select", "q1t1", "c1"])


@given(NAMES, NAMES, NAMES)
def test_names_of_aliases_do_not_count(table: str, other: str, column: str) -> None:
    sql = 'SELECT "{0}".name AS "{2}" FROM customer AS "{0}" JOIN (SELECT id AS "{2}" FROM orders) AS "{1}" ON "{0}".id = "{1}"."{2}"'
    if table.lower() != other.lower():
        assert digest(sql.format(table, other, column)) == digest(sql.format("l", "r", "k"))


FEATURES: list[tuple[str, dict[str, Any]]] = [
    ("SELECT a FROM t", {"depth": 1, "tables": 1, "joins": 0, "selected": 1, "functions": (), "orders": False}),
    ("SELECT * FROM t, u", {"tables": 2, "joins": 1, "selected": 1}),
    ("SELECT a FROM t JOIN t AS s ON t.i = s.i AND t.j > 1", {"tables": 1, "joins": 1, "conditions": 2}),
    ("SELECT a, count(*) FROM t GROUP BY a HAVING count(*) > 1 ORDER BY 2 DESC LIMIT 3",
     {"aggregates": 2, "group_by": 1, "having": 1, "order_by": 1, "limit": 1, "orders": True, "functions": ("COUNT",)}),
    ("SELECT a FROM t WHERE a IN (SELECT b FROM u WHERE c = (SELECT 1))", {"depth": 3, "subqueries": 2, "tables": 2}),
    ("WITH c AS (SELECT a FROM t) SELECT a FROM c", {"ctes": 1, "tables": 1, "subqueries": 0, "depth": 2}),
    ("SELECT a FROM t UNION SELECT b FROM u EXCEPT SELECT c FROM v", {"set_operations": 2, "subqueries": 0, "tables": 3}),
    ("SELECT a FROM (SELECT a FROM t UNION SELECT b FROM u) AS q", {"subqueries": 1, "set_operations": 1}),
    ("SELECT rank() OVER (ORDER BY a) FROM t", {"windows": 1, "order_by": 0, "orders": False}),
    ("SELECT CASE WHEN a = 1 THEN 2 END FROM t", {"cases": 1, "conditions": 0}),
    ("SELECT DISTINCT strftime('%Y', d), substr(a, 1, 2), my_own(b) FROM t",
     {"distinct": 1, "functions": ("MY_OWN", "STRFTIME", "SUBSTRING"), "selected": 3}),
    ("SELECT a FROM t WHERE b BETWEEN 1 AND 2 AND c IS NULL AND d LIKE 'in (select or'", {"conditions": 3, "subqueries": 0}),
    ("SELECT a FROM (SELECT a FROM t ORDER BY a) AS q", {"order_by": 1, "orders": False}),
    ("SELECT a FROM t UNION SELECT b FROM u ORDER BY 1", {"orders": True}),
    ("(SELECT a FROM t ORDER BY a)", {"orders": True}),
    ("DELETE FROM t", {"reads": False, "selected": 0}),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "expected"), FEATURES)
def test_features(sql: str, expected: dict[str, Any]) -> None:
    found = asdict(features(sql))
    assert {key: found[key] for key in expected} == expected


SCORES = [
    ("SELECT a FROM t", 0),
    ("SELECT min(a) FROM inner_join_in", 0),
    ("SELECT a FROM t WHERE b = 'x in (select y) group by z, or like and and union'", 0),
    ("SELECT updated FROM candidates", 0),
    ("SELECT max(a, b) FROM t", 0),
    ("SELECT a, b FROM t", 1),
    ("SELECT a FROM t, u", 1),
    ("SELECT a FROM t JOIN u ON t.i = u.i JOIN v ON v.i = u.i", 2),
    ("SELECT a FROM t WHERE a = 1 AND b = 2", 0),
    ("SELECT a FROM t WHERE a = 1 AND b = 2 OR c = 3", 1),
    ("SELECT a FROM t WHERE a BETWEEN 1 AND 2 AND b BETWEEN 3 AND 4", 0),
    ("SELECT a FROM t WHERE a IN (1, 2) AND b LIKE 'x'", 1),
    ("SELECT a FROM t WHERE a IN (SELECT b FROM u)", 3),
    ("SELECT a FROM t WHERE a IN (\n  SELECT b FROM u)", 3),
    ("SELECT a FROM t UNION SELECT a FROM u", 2),
    ("SELECT round(avg(a), 1), CAST(b AS REAL) FROM t", 2),
    ("SELECT a FROM t GROUP BY a HAVING count(*) > 1 ORDER BY a LIMIT 1", 4),
    ("SELECT sum(a) OVER (ORDER BY b) FROM t", 0),
]


@pytest.mark.parametrize(("sql", "score"), SCORES)
def test_component_score(sql: str, score: int) -> None:
    assert component_score(sql) == score
