"""Reads what a PostgreSQL database holds."""

from __future__ import annotations

from dataflow.databases.schema import Schema
from dataflow.databases.tables import Query, assemble, filled

DATABASES = """
SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate AND datname <> 'postgres'
AND has_database_privilege(datname, 'CONNECT') ORDER BY datname"""
_OURS = "n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' AND NOT c.relispartition"
_TABLES = f"""
SELECT n.nspname, c.relname, c.relkind IN ('v', 'm'), obj_description(c.oid, 'pg_class'), ''
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND {_OURS} AND has_table_privilege(c.oid, 'SELECT') ORDER BY c.oid"""  # noqa: S608
_COLUMNS = f"""
SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
    CASE WHEN a.attidentity = '' AND a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END,
    col_description(c.oid, a.attnum),
    EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY (i.indkey))
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'm', 'p', 'f') AND {_OURS}
ORDER BY c.oid, a.attnum"""  # noqa: S608
_KEYS = f"""
SELECT n.nspname, c.relname, k.conname, a.attname, fn.nspname, f.relname, fa.attname
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class f ON f.oid = k.confrelid JOIN pg_namespace fn ON fn.oid = f.relnamespace
CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS u (here, there, place)
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.here
JOIN pg_attribute fa ON fa.attrelid = f.oid AND fa.attnum = u.there
WHERE k.contype = 'f' AND {_OURS} ORDER BY c.oid, k.conname, u.place"""  # noqa: S608


def read(query: Query, db_id: str, examples: int, samples: int) -> Schema:
    """The tables that the role may read."""
    found = assemble(query(_TABLES), query(_COLUMNS), query(_KEYS), "public")
    return Schema(db_id, "postgres", tuple(filled(t, query, "postgres", examples, samples) for t in found))
