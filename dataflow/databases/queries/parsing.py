"""Parse SQL as text, with the errors of this package."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dataflow.core.errors import ConfigError, MissingDependency, RowError, did_you_mean

if TYPE_CHECKING:
    from sqlglot import exp

MAX_CHARS = 200_000
MAX_DEPTH = 200
"""Of brackets one inside the other."""
STATEMENTS = {"Select", "Union", "Intersect", "Except", "Values", "Subquery", "Table"}
WRITES = (
    "Insert",
    "Update",
    "Delete",
    "Merge",
    "Create",
    "Drop",
    "Alter",
    "TruncateTable",
    "Into",
    "Copy",
    "Lock",
)


def parse(sql: str, dialect: str = "sqlite") -> exp.Expr:
    """The tree of one statement.

    Raises:
        RowError: it cannot be parsed, or it is none or more than one statement.
        ConfigError: no such dialect.
    """
    trees = parse_all(sql, dialect)
    if len(trees) != 1:
        raise RowError(
            f"this is {len(trees) or 'no'} statement{'s' * (len(trees) != 1)}, not one: {_start(sql)}"
        )
    return trees[0]


def parse_all(sql: str, dialect: str = "sqlite") -> list[exp.Expr]:
    """The trees of all statements.

    Raises:
        RowError: it cannot be parsed.
        ConfigError: no such dialect.
    """
    sqlglot = library()
    _check_dialect(dialect)
    if len(sql) > MAX_CHARS:
        raise RowError(f"a query of {len(sql)} characters is too long: {MAX_CHARS} at most")
    if depth_of(sql) > MAX_DEPTH:
        raise RowError(f"a query with more than {MAX_DEPTH} brackets one inside the other is too deep")
    try:
        trees = sqlglot.parse(sql, read=dialect)
    except sqlglot.errors.SqlglotError as error:
        raise RowError(f"this is no {dialect} query: {_said(error)}: {_start(sql)}") from error
    except RecursionError as error:
        raise RowError(f"this query is too deep: {_start(sql)}") from error
    found = [tree for tree in trees if tree is not None and type(tree).__name__ != "Semicolon"]
    if dialect != "postgres" and any(
        type(tree).__name__ == "Select" and not tree.expressions for tree in found
    ):
        raise RowError(f"this is no {dialect} query: it selects nothing: {_start(sql)}")
    return found


def is_read(sql: str, dialect: str = "sqlite") -> bool:
    """Whether it is one statement that asks and changes nothing, by its text.

    Information for statistics and filters, not a guard: functions may have side effects that no text shows; what
    must not write is to be run on a connection that cannot. False for what cannot be parsed.
    """
    try:
        trees = parse_all(sql, dialect)
    except RowError:
        return False
    return len(trees) == 1 and reads_only(trees[0])


def reads_only(tree: exp.Expr) -> bool:
    """Whether a statement is a query, and nothing in it writes."""
    if type(tree).__name__ not in STATEMENTS:
        return False
    return not any(type(node).__name__ in WRITES for node in tree.walk())


def depth_of(sql: str) -> int:
    """Brackets one inside the other, at most; those in texts and comments do not count."""
    bare = re.sub(r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/", "", sql, flags=re.DOTALL)
    depth = most = 0
    for mark in re.findall(r"[()]|\bcase\b|\bend\b", bare, flags=re.IGNORECASE):
        depth = depth + 1 if mark in "(" or mark.lower() == "case" else max(depth - 1, 0)
        most = max(most, depth)
    return most


def library() -> Any:
    """sqlglot.

    Raises:
        MissingDependency: it is not there.
    """
    try:
        import sqlglot
    except ImportError as error:
        raise MissingDependency("sqlglot", "text2sql", "Reading SQL") from error
    return sqlglot


def _check_dialect(dialect: str) -> None:
    from sqlglot.dialects.dialect import Dialect

    if not dialect or Dialect.get(dialect) is None:
        known = sorted(name for name in Dialect.classes if name)
        raise ConfigError(
            f"dialect={dialect!r} is none that is known; there are {', '.join(known)}."
            f"{did_you_mean(dialect, known)}"
        )


def _said(error: Exception) -> str:
    errors = getattr(error, "errors", None)
    if errors:
        first = errors[0]
        return f"{first['description']} (line {first['line']}, column {first['col']})"
    return str(error).splitlines()[0]


def _start(sql: str, most: int = 80) -> str:
    text = " ".join(sql.split())
    return text if len(text) <= most else text[: most - 1] + "…"
