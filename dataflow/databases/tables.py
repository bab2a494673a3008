"""Makes tables of what the catalogue of a server lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from dataflow.core.errors import ConfigError
from dataflow.databases.connector import Fault, Limits, Session
from dataflow.databases.examples import SCANNED, choose, sample_rows
from dataflow.databases.render import quoted, quoted_table
from dataflow.databases.schema import Column, ForeignKey, Table

Rows = Sequence[tuple[Any, ...]]
Query = Callable[[str], Rows]
"""Runs a statement and gives its rows; none where they would be too many or take too long."""


FOR_SCHEMA = Limits(seconds=5.0, bytes=32 << 20)
"""What one statement about the catalogue may take."""


def asking(session: Session, db_id: str, limits: Limits = FOR_SCHEMA) -> Query:
    """Queries of a session about the catalogue.

    Raises:
        ConfigError: by a query, when the connection is lost.
    """

    def query(sql: str) -> Rows:
        result = session.execute(sql, limits)
        session.heard()
        if result.fault is Fault.CONNECTION:
            raise ConfigError(f"database {db_id!r}: {result.error}")
        return result.rows

    return query


def assemble(tables: Rows, columns: Rows, keys: Rows, home: str) -> list[Table]:
    """Tables of the rows of three listings.

    Args:
        tables: namespace, name, whether it is a view, comment, the statement that makes it.
        columns: namespace, table, name, type, whether it may be null, default, comment, whether it is in the primary key.
        keys: namespace, table, name of the key, column, namespace and table it refers to, column there.
        home: the namespace whose tables are called by their names alone.
    """
    found = []
    for space, name, is_view, comment, create in tables:
        own = tuple(
            Column(c[2], c[3], bool(c[4]), None if c[5] is None else str(c[5]), bool(c[7]), c[6] or "")
            for c in columns
            if (c[0], c[1]) == (space, name)
        )
        linked = tuple(_foreign_keys([k for k in keys if (k[0], k[1]) == (space, name)], home))
        found.append(
            Table(
                _called(space, name, home),
                own,
                linked,
                comment or "",
                create or "",
                is_view=bool(is_view),
                namespace="" if space == home else space,
            )
        )
    return found


def filled(table: Table, query: Query, dialect: str, examples: int, samples: int) -> Table:
    """A table with examples of its columns, sample rows, and how many rows it has."""
    name = quoted_table(table, dialect)
    rows: Rows = ()
    if table.columns and (examples or samples):
        first = f"SELECT {', '.join(quoted(c.name, dialect) for c in table.columns)} FROM {name} LIMIT "  # noqa: S608
        rows = query(first + str(SCANNED)) or query(first + str(samples))
    counted = () if table.is_view else query(f"SELECT count(*) FROM {name}")  # noqa: S608
    columns = tuple(
        replace(c, examples=choose(c.name, (row[i] for row in rows), examples) if examples else ())
        for i, c in enumerate(table.columns)
    )
    return replace(
        table,
        columns=columns,
        samples=sample_rows([c.name for c in columns], rows, samples),
        row_count=counted[0][0] if counted else None,
    )


def _foreign_keys(keys: Iterable[tuple[Any, ...]], home: str) -> Iterable[ForeignKey]:
    named: dict[Any, list[tuple[Any, ...]]] = {}
    for key in keys:
        named.setdefault(key[2], []).append(key)
    for parts in named.values():
        table = _called(parts[0][4], parts[0][5], home)
        yield ForeignKey(tuple(p[3] for p in parts), table, tuple(p[6] for p in parts))


def _called(space: str, name: str, home: str) -> str:
    return name if space == home else f"{space}.{name}"
