"""Reads what a SQLite file holds."""

from __future__ import annotations

import re
from typing import Any

from dataflow.databases.render import quoted
from dataflow.databases.schema import Column, ForeignKey, Schema, Table
from dataflow.databases.tables import Query, filled

_LISTED = """
SELECT name, type, sql FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
ORDER BY rowid"""
_TOKEN = re.compile(
    r"""--(?P<line>[^\n]*) | /\*(?P<block>.*?)\*/ | (?P<name>"(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\] | \w+)
    | (?P<text>'(?:[^']|'')*') | (?P<mark>[(),\n])""",
    re.VERBOSE | re.DOTALL,
)
_SHADOWS = re.compile(
    r"(?:content|data|docsize|config|idx|segments|segdir|stat|node|parent|rowid|chunks|rowids|info|vector_chunks\d+"
    r"|metadata\w+|auxiliary)"
)


def read(query: Query, db_id: str, examples: int, samples: int) -> Schema:
    """The tables of a file, without the hidden ones in which full-text and vector tables keep their data."""
    listed = [(str(n), str(k), str(s or "")) for n, k, s in query(_LISTED)]
    virtual = {name.lower() for name, _, sql in listed if sql.upper().startswith("CREATE VIRTUAL")}
    own = [entry for entry in listed if not _is_shadow(entry[0], virtual)]
    return Schema(db_id, "sqlite", tuple(_table(query, *entry, examples, samples) for entry in own))


def comments_of(sql: str) -> dict[str, str]:
    """What the statement that makes a table says of its columns: `name TEXT, -- of the owner`.

    A comment is about the column before it on its line, or, on a line of its own, about the next one.
    """
    found: dict[str, list[str]] = {}
    column, depth, fresh = "", 0, True
    ahead: list[str] = []
    for token in _TOKEN.finditer(sql):
        kind, text = token.lastgroup, token[0]
        if kind in ("line", "block"):
            said = (token["line"] or token["block"] or "").strip()
            (found.setdefault(column, []) if column else ahead).append(said)
        elif kind == "mark" and text != "\n":
            depth += {"(": 1, ")": -1, ",": 0}[text]
            fresh = fresh or (depth == 1 and text != ")")
        elif kind == "mark":
            column = "" if fresh else column
        elif depth == 1 and fresh and kind == "name":
            column, fresh = _bare(text).lower(), False
            found.setdefault(column, []).extend(ahead)
            ahead = []
    return {name: " ".join(filter(None, said)) for name, said in found.items()}


def _bare(name: str) -> str:
    return name[1:-1].replace(name[0] * 2, name[0]) if name[0] in '"`' else name.strip("[]")


def _is_shadow(name: str, virtual: set[str]) -> bool:
    parts = name.lower().split("_")
    return any(
        "_".join(parts[:i]) in virtual and _SHADOWS.fullmatch("_".join(parts[i:]))
        for i in range(1, len(parts))
    )


def _table(query: Query, name: str, kind: str, sql: str, examples: int, samples: int) -> Table:
    comments = comments_of(sql)
    columns = tuple(
        Column(
            str(f[1]),
            str(f[2]),
            nullable=not f[3] and not f[5],
            default=None if f[4] is None else str(f[4]),
            primary_key=bool(f[5]),
            comment=comments.get(str(f[1]).lower(), ""),
        )
        for f in query(f"PRAGMA table_xinfo({quoted(name, 'sqlite')})")
        if f[6] != 1
    )
    table = Table(name, columns, _foreign_keys(query, name), create=sql, is_view=kind == "view")
    return filled(table, query, "sqlite", examples, samples)


def _foreign_keys(query: Query, name: str) -> tuple[ForeignKey, ...]:
    """A key that names no column means the primary key of the other table."""
    keys: dict[int, list[tuple[Any, ...]]] = {}
    for fact in query(f"PRAGMA foreign_key_list({quoted(name, 'sqlite')})"):
        keys.setdefault(fact[0], []).append(fact)
    found = []
    for _, parts in sorted(keys.items(), reverse=True):
        table = str(parts[0][2])
        to = tuple(str(p[4]) for p in parts if p[4] is not None) or _primary_key(query, table)
        if to:
            found.append(ForeignKey(tuple(str(p[3]) for p in parts), table, to))
    return tuple(found)


def _primary_key(query: Query, name: str) -> tuple[str, ...]:
    facts = sorted((f[5], str(f[1])) for f in query(f"PRAGMA table_info({quoted(name, 'sqlite')})") if f[5])
    return tuple(column for _, column in facts)
