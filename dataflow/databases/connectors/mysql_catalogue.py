"""Reads what a MySQL or MariaDB database holds."""

from __future__ import annotations

from dataclasses import replace

from dataflow.databases.render import quoted
from dataflow.databases.schema import Schema
from dataflow.databases.tables import Query, assemble, filled

DATABASES = """
SELECT schema_name FROM information_schema.schemata
WHERE schema_name NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys') ORDER BY schema_name"""
_TABLES = """
SELECT table_schema, table_name, table_type = 'VIEW', IF(table_comment = 'VIEW', '', table_comment), ''
FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY create_time, table_name"""
_COLUMNS = """
SELECT table_schema, table_name, column_name, column_type, is_nullable = 'YES', column_default, column_comment,
    column_key = 'PRI'
FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position"""
_KEYS = """
SELECT table_schema, table_name, constraint_name, column_name, referenced_table_schema, referenced_table_name,
    referenced_column_name
FROM information_schema.key_column_usage
WHERE table_schema = DATABASE() AND referenced_table_name IS NOT NULL
ORDER BY table_name, constraint_name, ordinal_position"""


def read(query: Query, db_id: str, examples: int, samples: int) -> Schema:
    """The tables of the database."""
    found = assemble(query(_TABLES), query(_COLUMNS), query(_KEYS), db_id)
    tables = (filled(t, query, "mysql", examples, samples) for t in found)
    return Schema(db_id, "mysql", tuple(replace(t, create=_create(query, t.name)) for t in tables))


def _create(query: Query, name: str) -> str:
    rows = query(f"SHOW CREATE TABLE {quoted(name, 'mysql')}")
    return str(rows[0][1]) if rows else ""
