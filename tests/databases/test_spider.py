"""The databases made for Spider's questions, and every gold query of the development set on them."""

from __future__ import annotations

import random
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlglot import exp

from dataflow.databases.comparison import compare
from dataflow.databases.connector import QueryResult
from dataflow.databases.queries import canonical, digest, features, is_read, references
from dataflow.databases.queries.canonical import read_texts
from dataflow.databases.queries.features import first_select
from dataflow.databases.queries.parsing import parse
from dataflow.databases.schema import Schema
from tests.databases import spider

pytestmark = spider.needed
NON_EMPTY = 0.98


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, sqlite3.Connection]]:
    paths = spider.build_all(tmp_path_factory.mktemp("spider"))
    opened = {db_id: sqlite3.connect(path) for db_id, path in paths.items()}
    yield opened
    for connection in opened.values():
        connection.close()


def run(connection: sqlite3.Connection, sql: str) -> QueryResult:
    cursor = connection.execute(sql)
    return QueryResult(True, tuple(name for name, *_ in cursor.description), tuple(cursor.fetchall()))


def test_the_set_is_whole() -> None:
    assert len(spider.questions()) == 1034
    assert len(spider.dev_databases()) == 20
    assert len(spider.schemas()) == 166


def test_every_gold_query_runs_and_nearly_all_give_something(
    databases: dict[str, sqlite3.Connection],
) -> None:
    nothing: list[str] = []
    for question in spider.questions():
        rows = run(databases[question.db_id], question.sql).rows
        if rows in ((), ((0,),), ((None,),)):
            nothing.append(question.sql)
    assert len(nothing) <= len(spider.questions()) * (1 - NON_EMPTY), nothing


def test_the_same_seed_makes_the_same_rows(tmp_path: Path) -> None:
    dumps = []
    for place, seed in (("a", 0), ("b", 0), ("c", 1)):
        connection = sqlite3.connect(spider.build("pets_1", tmp_path / place, seed))
        dumps.append(list(connection.iterdump()))
        connection.close()
    assert dumps[0] == dumps[1] != dumps[2]


def test_keys_hold(databases: dict[str, sqlite3.Connection]) -> None:
    for db_id, connection in databases.items():
        for table in spider.schemas()[db_id].tables:
            for key in table.foreign_keys:
                child, parent = f'"{table.name}"."{key.columns[0]}"', f'"{key.table}"."{key.to[0]}"'
                lost = f'SELECT count(*) FROM "{table.name}" WHERE {child} NOT IN (SELECT {parent} FROM "{key.table}" WHERE {parent} IS NOT NULL)'
                assert connection.execute(lost).fetchone() == (0,), (db_id, child)


def test_every_schema_makes_a_database(tmp_path: Path) -> None:
    for db_id, schema in spider.schemas().items():
        connection = sqlite3.connect(spider.build(db_id, tmp_path))
        for table in schema.tables:
            if table.name != "sqlite_sequence":
                assert connection.execute(f'SELECT count(*) FROM "{table.name}"').fetchone()[0] >= 10
        connection.close()


def test_normal_forms_give_what_the_queries_give(databases: dict[str, sqlite3.Connection]) -> None:
    for question in spider.questions():
        gold = run(databases[question.db_id], question.sql)
        for schema in (None, spider.schemas()[question.db_id]):
            form = canonical(question.sql, schema=schema)
            assert canonical(form, schema=schema) == form
            found = compare(run(databases[question.db_id], form), gold, column_order=True)
            assert found, (question.sql, form, found.message)


def test_queries_with_one_digest_give_one_result(databases: dict[str, sqlite3.Connection]) -> None:
    alike: dict[tuple[str, str], set[str]] = defaultdict(set)
    for question in spider.questions():
        schema = spider.schemas()[question.db_id]
        alike[question.db_id, digest(question.sql, schema=schema)].add(question.sql)
    groups = {key: queries for key, queries in alike.items() if len(queries) > 1}
    assert len(groups) > 10
    for (db_id, _), queries in groups.items():
        first, *rest = [run(databases[db_id], sql) for sql in sorted(queries)]
        assert all(compare(first, one, column_order=True) for one in rest), queries


def respelled(sql: str, schema: Schema, rng: random.Random) -> str:
    """The same query in another spelling: case, quotes, aliases, brackets, the order of conditions, white space."""
    tree = read_texts(parse(sql), "sqlite", schema)
    for condition in list(tree.find_all(exp.And, exp.Or, exp.EQ)):
        left, right = condition.this, condition.expression
        condition.set("this", right if isinstance(condition, exp.EQ) else exp.Paren(this=right))
        condition.set("expression", left if isinstance(condition, exp.EQ) else exp.Paren(this=left))
    for greater in list(tree.find_all(exp.GT)):
        greater.replace(exp.LT(this=greater.expression, expression=greater.this))
    names = {alias.name.lower(): f"other_{i}" for i, alias in enumerate(tree.find_all(exp.TableAlias))}
    for name in tree.find_all(exp.Identifier):
        is_alias = isinstance(name.parent, exp.TableAlias) or name.arg_key == "table"
        text = names.get(name.name.lower(), name.name) if is_alias else name.name
        name.set("this", rng.choice([text.lower(), text.upper(), text.title()]))
        name.set("quoted", rng.random() < 0.3)
    outer = first_select(tree)
    if outer and not outer.args.get("group") and not outer.is_star:
        outer.set("expressions", [exp.alias_(item, f"x{i}") for i, item in enumerate(outer.expressions)])
    return "/* a comment */ " + tree.sql(
        dialect="sqlite", pretty=rng.random() < 0.5, normalize_functions="lower"
    )


def test_another_spelling_has_the_same_digest(databases: dict[str, sqlite3.Connection]) -> None:
    rng = random.Random(0)
    for question in spider.questions():
        schema = spider.schemas()[question.db_id]
        other = respelled(question.sql, schema, rng)
        assert digest(other, schema=schema) == digest(question.sql, schema=schema), (question.sql, other)
        gold, result = (run(databases[question.db_id], sql) for sql in (question.sql, other))
        assert compare(result, gold, column_order=True), other


def test_every_name_is_found() -> None:
    for question in spider.questions():
        found = references(question.sql, spider.schemas()[question.db_id])
        assert found.tables
        assert not found.unknown_tables + found.unknown_columns, question.sql


def test_every_query_reads_and_has_a_table() -> None:
    for question in spider.questions():
        assert is_read(question.sql)
        assert features(question.sql).tables >= 1
