"""What a database holds, whatever its engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    name: str
    type: str
    """As the engine names it: `INTEGER`, `character varying(20)`."""
    nullable: bool = True
    default: str | None = None
    primary_key: bool = False
    comment: str = ""
    examples: tuple[Any, ...] = ()
    """A few different values, none that is an e-mail address, a phone number or a URL."""


@dataclass(frozen=True)
class ForeignKey:
    """`columns` of a table name rows of `table` by its `to`."""

    columns: tuple[str, ...]
    table: str
    to: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table or view."""

    name: str
    columns: tuple[Column, ...]
    foreign_keys: tuple[ForeignKey, ...] = ()
    comment: str = ""
    create: str = ""
    """The statement that makes it, as the engine keeps it or as it would be written."""
    samples: tuple[tuple[Any, ...], ...] = ()
    """A few rows, in the order of `columns`."""
    row_count: int | None = None
    """Null where counting would take long."""
    is_view: bool = False
    namespace: str = ""
    """The schema it lies in, where that is not the one of unqualified names; `name` then begins with it."""


@dataclass(frozen=True)
class Schema:
    """All tables of a database, in the order of the engine's catalogue."""

    db_id: str
    dialect: str
    """sqlglot's name: `sqlite`, `postgres`, `mysql`, `duckdb`."""
    tables: tuple[Table, ...] = field(default=())
