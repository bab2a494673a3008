"""Which names a query uses, schemas trimmed to them, and queries on a real database."""

from __future__ import annotations

import importlib.util
import sqlite3
from pathlib import Path

import pytest

from dataflow.databases.comparison import compare
from dataflow.databases.connector import QueryResult
from dataflow.databases.queries import canonical, orders, references, trim
from dataflow.databases.schema import Column, Schema, Table
from tests.databases.shop import SHOP, table

TOUCHED: list[tuple[str, str, str, str]] = [
    ("SELECT name FROM customer", "Customer", "Customer.Name", ""),
    ("SELECT count(*) FROM customer", "Customer", "", ""),
    ("SELECT * FROM city", "city", "city.name city.country", ""),
    ("SELECT c.* FROM city c JOIN customer ON city = c.name", "city Customer", "Customer.city city.name city.country", ""),
    ("SELECT label FROM product WHERE maker = \"Acme\"", "product", "product.label product.maker", ""),
    ("SELECT total FROM orders WHERE EXISTS (SELECT 1 FROM item WHERE order_id = orders.id AND day = 1)",
     "item orders", "item.order_id orders.id orders.day orders.total", ""),
    ("WITH o AS (SELECT total AS t, day FROM orders) SELECT t, nope FROM o", "orders", "orders.total orders.day", "nope"),
    ("SELECT x FROM missing", "", "", "missing x"),
    ("SELECT total AS x FROM orders ORDER BY x", "orders", "orders.total", ""),
    ("SELECT customer.total FROM customer, orders", "Customer orders", "", "customer.total"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "tables", "columns", "unknown"), TOUCHED)
def test_references(sql: str, tables: str, columns: str, unknown: str) -> None:
    found = references(sql, SHOP)
    assert found.tables == tuple(tables.split())
    assert {".".join(column) for column in found.columns} == set(columns.split())
    assert (*found.unknown_tables, *found.unknown_columns) == tuple(unknown.split())


def test_references_without_a_schema() -> None:
    found = references("SELECT t.a, b FROM t JOIN u ON t.i = u.j")
    assert found.tables == ("t", "u")
    assert set(found.columns) == {("t", "a"), ("t", "i"), ("u", "j")}


def shape(schema: Schema) -> dict[str, list[str]]:
    return {one.name: [column.name for column in one.columns] for one in schema.tables}


def test_trim_keeps_what_is_touched_with_its_keys() -> None:
    sql = "SELECT c.name FROM orders o JOIN customer c ON c.id = o.customer_id WHERE total > 5"
    cut = trim(SHOP, sql, distractor_tables=0, distractor_columns=0)
    assert shape(cut) == {"Customer": ["id", "Name"], "orders": ["id", "customer_id", "total"]}
    customer, order = cut.tables
    assert (customer.create, customer.samples) == ("", ((1, "Ann"),))
    assert order.foreign_keys == SHOP.tables[1].foreign_keys


def test_trim_cuts_keys_to_tables_that_are_gone() -> None:
    (order,) = trim(SHOP, "SELECT * FROM orders", distractor_tables=0).tables
    assert order.foreign_keys == ()
    assert len(order.columns) == 4


def test_trim_of_a_count_keeps_a_column() -> None:
    bare = Schema("d", "sqlite", (table("t", "a b"),))
    assert shape(trim(bare, "SELECT count(*) FROM t", distractor_columns=0)) == {"t": ["a"]}


def test_trim_adds_distractors_by_seed() -> None:
    cuts = [
        shape(trim(SHOP, "SELECT name FROM customer", distractor_tables=1, distractor_columns=2, seed=s))
        for s in range(9)
    ]
    assert all(len(cut) == 2 and len(cut["Customer"]) == 4 for cut in cuts)
    assert len({str(cut) for cut in cuts}) > 1
    assert cuts[3] == shape(
        trim(SHOP, "SELECT name FROM customer", distractor_tables=1, distractor_columns=2, seed=3)
    )


def test_trim_with_more_distractors_than_there_are_is_the_whole() -> None:
    assert (
        trim(SHOP, ["SELECT 1 FROM city", "SELECT id FROM item"], distractor_tables=99, distractor_columns=99)
        == SHOP
    )


MOVIES = [
    "SELECT Director, count(*) AS films FROM omdb WHERE Country = \"Japan\" GROUP BY Director HAVING films > 1 ORDER BY films DESC, Director",
    "SELECT o.Title, t.Meter FROM omdb o JOIN tomatoes t ON o.ID = t.ID WHERE t.Meter > 95 AND o.Year >= 2010 ORDER BY o.Title LIMIT 20",
    "WITH best AS (SELECT Year AS y, max(Runtime) AS r FROM omdb GROUP BY Year) SELECT Title, y FROM omdb JOIN best ON Year = y AND Runtime = r",
    "SELECT Year, round(avg(BoxOffice), 2) FROM omdb, tomatoes WHERE omdb.ID = tomatoes.ID AND BoxOffice IS NOT NULL GROUP BY 1",
    "SELECT Title FROM omdb WHERE Genre LIKE '%Comedy%' EXCEPT SELECT Title FROM omdb WHERE Year < 1990",
    "SELECT DISTINCT Language FROM omdb WHERE ID IN (SELECT ID FROM tomatoes WHERE Fresh > Rotten * 10 AND Reviews > 50)",
]  # fmt: skip


def movies() -> Path | None:
    spec = importlib.util.find_spec("bokeh_sampledata")
    path = Path(spec.origin).parent / "_data" / "movies.db" if spec and spec.origin else None
    return path if path and path.exists() else None


@pytest.mark.skipif(movies() is None, reason="needs bokeh-sampledata: requirements-data.txt")
@pytest.mark.parametrize("sql", MOVIES)
def test_on_a_real_database(sql: str) -> None:
    connection = sqlite3.connect(f"file:{movies()}?mode=ro", uri=True)

    def run(query: str) -> QueryResult:
        cursor = connection.execute(query)
        return QueryResult(True, tuple(name for name, *_ in cursor.description), tuple(cursor.fetchall()))

    tables = []
    for name in ("omdb", "tomatoes"):
        columns = connection.execute(f'PRAGMA table_info("{name}")').fetchall()
        tables.append(Table(name, tuple(Column(column[1], column[2]) for column in columns)))
    schema = Schema("movies", "sqlite", tuple(tables))
    found = references(sql, schema)
    assert not found.unknown_columns
    gold = run(sql)
    assert gold.rows
    both = (orders(sql), orders(sql))
    for form in (canonical(sql, schema=schema), canonical(sql)):
        assert compare(run(form), gold, orders=both, column_order=True)
    assert not compare(run(f"SELECT * FROM ({sql}) LIMIT {len(gold.rows) - 1}"), gold)
    connection.close()
