"""A schema as text: statements, M-Schema, and one line a table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from dataflow.databases.schema import Column, Schema, Table

_BACKTICKS = "mysql"


def quoted(name: str, dialect: str) -> str:
    """A name as the dialect writes it."""
    mark = "`" if dialect == _BACKTICKS else '"'
    return mark + name.replace(mark, mark * 2) + mark


def quoted_table(table: Table, dialect: str) -> str:
    """The name of a table, with its namespace where it has one."""
    if not table.namespace:
        return quoted(table.name, dialect)
    name = table.name.removeprefix(f"{table.namespace}.")
    return f"{quoted(table.namespace, dialect)}.{quoted(name, dialect)}"


def literal(value: Any) -> str:
    """A value as SQL writes it."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, (int, float, Decimal)):
        return str(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"X'{bytes(value).hex()}'"
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        value = value.isoformat(sep=" ") if isinstance(value, dt.datetime) else value.isoformat()
    return "'" + str(value).replace("'", "''") + "'"


def ddl(table: Table, dialect: str) -> str:
    """The statement that makes a table: as the engine keeps it, else written from what is known."""
    return table.create.strip().rstrip(";") or _create(table, dialect)


def schema_ddl(schema: Schema) -> str:
    """The statements that make all tables."""
    return "\n\n".join(f"{ddl(table, schema.dialect)};" for table in schema.tables)


def inserts(schema: Schema) -> list[str]:
    """Statements that put the sample rows into their tables."""
    found = []
    for table in (t for t in schema.tables if not t.is_view):
        names = ", ".join(quoted(c.name, schema.dialect) for c in table.columns)
        into = f"INSERT INTO {quoted_table(table, schema.dialect)} ({names}) VALUES"
        found += [f"{into} ({', '.join(map(literal, row))});" for row in table.samples]
    return found


def m_schema(schema: Schema) -> str:
    """M-Schema (XiYan-SQL, arXiv 2411.08599): a column a line, with type, keys, comment and examples."""
    lines = [f"【DB_ID】 {schema.db_id}", "【Schema】"]
    for table in schema.tables:
        lines.append(f"# Table: {table.name}" + (f", {table.comment}" if table.comment else ""))
        lines += ["[", ",\n".join(_m_column(c) for c in table.columns), "]"]
    keys = [
        f"{t.name}.{a}={k.table}.{b}"
        for t in schema.tables
        for k in t.foreign_keys
        for a, b in zip(k.columns, k.to, strict=False)
    ]
    return "\n".join([*lines, *(["【Foreign keys】", *keys] if keys else [])])


def compact(schema: Schema) -> str:
    """A line a table: `customers(id PK, name, city) -- 91 rows`, and a line a foreign key."""
    lines = []
    for table in schema.tables:
        columns = ", ".join(c.name + (" PK" if c.primary_key else "") for c in table.columns)
        rows = "" if table.row_count is None else f" -- {table.row_count} rows"
        lines.append(f"{table.name}({columns}){rows}")
        lines += [
            f"{table.name}({', '.join(k.columns)}) -> {k.table}({', '.join(k.to)})"
            for k in table.foreign_keys
        ]
    return "\n".join(lines)


FORMS: dict[str, Callable[[Schema], str]] = {"m-schema": m_schema, "ddl": schema_ddl, "compact": compact}


def _m_column(column: Column) -> str:
    parts = [f"{column.name}:{column.type.upper()}" if column.type else column.name]
    if column.comment:
        parts.append(column.comment)
    if column.primary_key:
        parts.append("Primary Key")
    if column.examples:
        parts.append(f"Examples: [{', '.join(map(str, column.examples))}]")
    return f"({', '.join(parts)})"


def _create(table: Table, dialect: str) -> str:
    """A view is written as a table: only its columns matter to a reader."""
    parts = []
    for column in table.columns:
        default = f" DEFAULT {column.default}" if column.default is not None else ""
        null = "" if column.nullable else " NOT NULL"
        parts.append(f"{quoted(column.name, dialect)} {column.type}{null}{default}")
    if keys := [quoted(c.name, dialect) for c in table.columns if c.primary_key]:
        parts.append(f"PRIMARY KEY ({', '.join(keys)})")
    for key in table.foreign_keys:
        here, there = ([quoted(n, dialect) for n in names] for names in (key.columns, key.to))
        target = quoted(key.table, dialect)
        parts.append(f"FOREIGN KEY ({', '.join(here)}) REFERENCES {target} ({', '.join(there)})")
    lines = [f"    {part}{',' if i < len(parts) - 1 else ''}" for i, part in enumerate(parts)]
    for i, column in enumerate(table.columns):
        lines[i] += f" -- {' '.join(column.comment.split())}" if column.comment else ""
    return "\n".join([f"CREATE TABLE {quoted_table(table, dialect)} (", *lines, ")"])
