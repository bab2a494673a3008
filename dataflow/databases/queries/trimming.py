"""Cut a schema down to what queries touch, with some of the rest to mislead."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace

from dataflow.databases.queries.references import References, references
from dataflow.databases.schema import Schema, Table


def trim(
    schema: Schema,
    queries: str | Iterable[str],
    *,
    distractor_tables: int = 2,
    distractor_columns: int = 3,
    seed: int = 0,
) -> Schema:
    """The tables and columns that queries touch, and some that they do not, in the order of the schema.

    With each table come its primary key and the foreign keys between the tables that are left. A table that has lost
    columns has an empty `create`, for that statement would tell what was left out.

    Args:
        schema: the whole.
        queries: one query or several; all they touch stays.
        distractor_tables: how many other tables, with all their columns, as far as there are so many.
        distractor_columns: how many other columns for each table touched.
        seed: chooses both; the same seed and schema choose the same.

    Raises:
        RowError: a query cannot be parsed.
    """
    listed = [queries] if isinstance(queries, str) else list(queries)
    return trim_to(
        schema, [references(sql, schema) for sql in listed], distractor_tables, distractor_columns, seed
    )


def trim_to(schema: Schema, used: Iterable[References], tables: int, columns: int, seed: int) -> Schema:
    """`trim` by what is known to be used."""
    touched: dict[str, set[str]] = {}
    for one in used:
        for name in one.tables:
            touched.setdefault(name, set())
        for name, column in one.columns:
            touched.setdefault(name, set()).add(column)
    rng = random.Random(f"{seed} {schema.db_id}")
    others = [table.name for table in schema.tables if table.name not in touched]
    kept = {*touched, *rng.sample(others, min(tables, len(others)))}
    trimmed = []
    for table in schema.tables:
        if table.name in kept:
            names = _columns(table, touched.get(table.name), kept, columns, rng)
            trimmed.append(_cut(table, names, kept))
    return replace(schema, tables=tuple(trimmed))


def _columns(
    table: Table, touched: set[str] | None, kept: set[str], more: int, rng: random.Random
) -> set[str]:
    every = [column.name for column in table.columns]
    if touched is None:
        return set(every)
    names = touched | {column.name for column in table.columns if column.primary_key}
    names |= {name for key in table.foreign_keys if key.table in kept for name in key.columns}
    others = [name for name in every if name not in names]
    return (names | set(rng.sample(others, min(more, len(others))))) or set(every[:1])


def _cut(table: Table, names: set[str], kept: set[str]) -> Table:
    places = [i for i, column in enumerate(table.columns) if column.name in names]
    keys = tuple(key for key in table.foreign_keys if key.table in kept and names.issuperset(key.columns))
    if len(places) == len(table.columns) and keys == table.foreign_keys:
        return table
    return replace(
        table,
        columns=tuple(table.columns[i] for i in places),
        foreign_keys=keys,
        create="",
        samples=tuple(tuple(row[i] for i in places) for row in table.samples),
    )
