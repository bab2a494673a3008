"""Which tables and columns a query names, resolved against a schema."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from dataflow.databases.queries.parsing import parse
from dataflow.databases.schema import Schema

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope

T = TypeVar("T")
TEXT_QUOTES = ("sqlite",)
"""Dialects where a double-quoted name that names nothing is a text."""


@dataclass(frozen=True)
class References:
    """What a query names, in the spelling of the schema, in the order of first use.

    A column is (table, column). Without a schema every table is taken to be there, and a column that several tables
    could have is left out. `SELECT *` names all columns of its tables; `count(*)` names none.
    """

    tables: tuple[str, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    unknown_tables: tuple[str, ...] = ()
    unknown_columns: tuple[str, ...] = ()
    """As the query writes them."""


@dataclass(frozen=True)
class Resolved:
    """A column of a query, and what it is."""

    node: exp.Expr
    table: str = ""
    """Empty where it is no column of a table: of a subquery, an alias, a text in double quotes, or unknown."""
    column: str = ""
    is_text: bool = False
    known: bool = True


class Names:
    """Tables and columns of a schema by their names in lower case."""

    def __init__(self, schema: Schema | None) -> None:
        self.open = schema is None
        tables = schema.tables if schema else ()
        self.tables = {table.name.lower(): table.name for table in tables}
        self.columns = {t.name.lower(): {c.name.lower(): c.name for c in t.columns} for t in tables}

    def column(self, table: str, name: str) -> str | None:
        """The column's own spelling, or null where it is not there; without a schema, the name."""
        return name if self.open else self.columns.get(table.lower(), {}).get(name.lower())

    def spelled(self, table: str) -> str:
        """The table's own spelling."""
        return self.tables.get(table.lower(), table)


def references(sql: str, schema: Schema | None = None, dialect: str = "") -> References:
    """The tables and columns that a query names.

    Args:
        sql: one statement.
        schema: what there is; decides which table an unqualified column is of.
        dialect: that of the schema, where there is one, or `sqlite`.

    Raises:
        RowError: it cannot be parsed.
    """
    dialect = dialect or (schema.dialect if schema else "sqlite")
    return references_of(parse(sql, dialect), schema, dialect)


def references_of(tree: exp.Expr, schema: Schema | None, dialect: str) -> References:
    """The tables and columns that a parsed query names."""
    from sqlglot import exp

    names = Names(schema)
    used = [table.name for scope in scopes(tree) for table in scope.tables]
    used += [table.name for table in tree.find_all(exp.Table)] if not used else []
    ctes = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    used = [name for name in used if name.lower() not in ctes]
    known = [names.spelled(name) for name in used if names.open or name.lower() in names.tables]
    columns: list[tuple[str, str]] = []
    unknown: list[str] = []
    for found in resolve(tree, schema, dialect):
        if found.table:
            columns.append((found.table, found.column))
        elif not found.known:
            unknown.append(found.node.sql(dialect=dialect))
    return References(
        _once(known),
        _once(columns + list(_starred(tree, names))),
        _once([] if names.open else [name for name in used if name.lower() not in names.tables]),
        _once(unknown),
    )


def resolve(tree: exp.Expr, schema: Schema | None, dialect: str) -> Iterator[Resolved]:
    """Every column of a query with the table it is of."""
    from sqlglot import exp

    names = Names(schema)
    for scope in scopes(tree):
        outputs = {item.alias.lower() for item in _selects(scope) if isinstance(item, exp.Alias)}
        for node in scope.find_all(exp.Column):
            if not isinstance(node.this, exp.Star):
                yield _resolved(node, scope, names, outputs, dialect)


def scopes(tree: exp.Expr) -> list[Scope]:
    """All queries of a statement, the inner ones first; none for what is no query."""
    from sqlglot import exp
    from sqlglot.errors import OptimizeError
    from sqlglot.optimizer.scope import traverse_scope

    if isinstance(tree, exp.Subquery):
        tree = tree.unnest()
    try:
        return list(traverse_scope(tree))
    except OptimizeError:
        return []


def sources(scope: Scope) -> dict[str, exp.Table | Scope]:
    """What FROM and JOIN of one query name, by alias in lower case."""
    return {name.lower(): source for name, (_, source) in scope.selected_sources.items()}


def could_be_any(node: exp.Column, scope: Scope, names: Names) -> bool:
    """Whether a column without a table may be of any of several tables, for want of a schema."""
    return names.open and not node.table and len(scope.selected_sources) > 1


def outputs_of(scope: Scope) -> list[str]:
    """The names of the columns that a query gives, in lower case; empty for one without."""
    from sqlglot import exp

    query = scope.expression
    return [item.output_name.lower() for item in query.selects] if isinstance(query, exp.Query) else []


def _resolved(node: exp.Column, scope: Scope, names: Names, outputs: set[str], dialect: str) -> Resolved:
    from sqlglot import exp

    if names.open and not node.table and node.name.lower() in outputs and not node.find_ancestor(exp.Alias):
        return Resolved(node)
    inner: Scope | None = scope
    while inner is not None:
        found = _among(node, sources(inner), names)
        if found is not None:
            return found
        if could_be_any(node, inner, names):
            return Resolved(node)
        inner = inner.parent
    unqualified = not node.table
    if unqualified and (node.name.lower() in outputs or _of_set_operation(scope)):
        return Resolved(node)
    if unqualified and node.this.args.get("quoted") and dialect in TEXT_QUOTES and not names.open:
        return Resolved(node, is_text=True)
    return Resolved(node, known=names.open)


def _among(node: exp.Column, named: dict[str, exp.Table | Scope], names: Names) -> Resolved | None:
    from sqlglot import exp

    if node.table:
        named = {key: source for key, source in named.items() if key == node.table.lower()}
    elif names.open and len(named) != 1:
        return None
    for source in named.values():
        if isinstance(source, exp.Table):
            column = names.column(source.name, node.name)
            if column is not None:
                return Resolved(node, names.spelled(source.name), column)
        elif source.expression.is_star or node.name.lower() in outputs_of(source):
            return Resolved(node)
    return None


def _of_set_operation(scope: Scope) -> bool:
    from sqlglot import exp

    return isinstance(scope.expression, exp.SetOperation)


def _starred(tree: exp.Expr, names: Names) -> Iterator[tuple[str, str]]:
    from sqlglot import exp

    for scope in scopes(tree):
        for item in _selects(scope):
            if not item.is_star:
                continue
            only = item.table.lower() if isinstance(item, exp.Column) else ""
            for alias, source in sources(scope).items():
                if isinstance(source, exp.Table) and only in ("", alias):
                    for column in names.columns.get(source.name.lower(), {}).values():
                        yield names.spelled(source.name), column


def _selects(scope: Scope) -> list[exp.Expr]:
    from sqlglot import exp

    return list(scope.expression.selects) if isinstance(scope.expression, exp.Query) else []


def _once(items: list[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))
