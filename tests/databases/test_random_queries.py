"""Random queries: the normal form gives what the query gives, is its own normal form, and finds every name."""

from __future__ import annotations

import sqlite3

import pytest

from dataflow.databases.comparison import compare
from dataflow.databases.connector import QueryResult
from dataflow.databases.queries import canonical, features, references
from dataflow.databases.schema import Schema
from tests.databases.random_queries import SCHEMA, Writer, database


def run(connection: sqlite3.Connection, sql: str) -> QueryResult:
    cursor = connection.execute(sql)
    return QueryResult(True, tuple(name for name, *_ in cursor.description), tuple(cursor.fetchall()))


@pytest.mark.parametrize("start", range(0, 300, 100))
def test_normal_forms(start: int) -> None:
    connection = database(start)
    filled = 0
    for seed in range(start, start + 100):
        sql = Writer(seed).query()
        gold = run(connection, sql)
        filled += bool(gold.rows)
        # without a schema, a double-quoted name after a comparison is read as a text
        schemas: tuple[Schema | None, ...] = (SCHEMA,) if '"x y"' in sql.lower() else (None, SCHEMA)
        for schema in schemas:
            form = canonical(sql, schema=schema)
            assert canonical(form, schema=schema) == form, sql
            assert compare(run(connection, form), gold, column_order=True), (sql, form)
        found = references(sql, SCHEMA)
        assert not found.unknown_tables + found.unknown_columns, sql
        assert set(found.tables) <= {"t", "u", "V"}
        assert features(sql).reads
    assert filled > 60
    connection.close()
