"""Rows made up for a schema so that given queries find something."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from dataflow.databases.queries.parsing import parse
from dataflow.databases.queries.references import resolve, scopes, sources
from dataflow.databases.schema import Column, Schema
from tests.databases.plausible import value_for

ENTITIES, LINKS, WITNESSES = 30, 80, 2
Ref = tuple[str, str]


@dataclass
class Looked:
    """What one query looks for: by alias the table, the values of columns, and which columns must be equal."""

    tables: dict[str, str] = field(default_factory=dict)
    values: dict[Ref, Any] = field(default_factory=dict)
    equal: list[tuple[Ref, Ref]] = field(default_factory=list)


class Rows:
    """The rows of a database: first some of each table, then witnesses of each WHERE."""

    def __init__(self, schema: Schema, queries: list[str], rng: random.Random) -> None:
        self.rng = rng
        self.tables = {table.name: table for table in schema.tables}
        self.columns = {(t.name, c.name): c for t in schema.tables for c in t.columns}
        self.links: dict[Ref, Ref] = {
            (t.name, link.columns[0]): (link.table, link.to[0])
            for t in schema.tables
            for link in t.foreign_keys
        }
        self.pools: dict[Ref, list[Any]] = {}
        self.rows: dict[str, list[dict[str, Any]]] = {name: [] for name in self.tables}
        self.taken: dict[str, set[tuple[Any, ...]]] = {name: set() for name in self.tables}
        self.looked = [found for sql in dict.fromkeys(queries) for found in self._looked(sql, schema)]

    def made(self) -> dict[str, list[dict[str, Any]]]:
        """All rows by table."""
        self._link()
        order = self._parents_first()
        for name in order:
            for _ in range(LINKS if self.tables[name].foreign_keys else ENTITIES):
                self._add(name, {})
            for column in self.tables[name].columns:
                for value in self.pools.get((name, column.name), []):
                    self._add(name, {column.name: value})
        for found in self.looked:
            for _ in range(WITNESSES):
                self._witness(found, order)
        return self.rows

    def _looked(self, sql: str, schema: Schema) -> Iterator[Looked]:
        tree = parse(sql, "sqlite")
        known = {id(one.node): one for one in resolve(tree, schema, "sqlite")}
        for scope in scopes(tree):
            if isinstance(scope.expression, exp.Select):
                yield self._of_scope(scope, known)

    def _of_scope(self, scope: Scope, known: dict[int, Any]) -> Looked:
        named = {alias: source for alias, source in sources(scope).items() if isinstance(source, exp.Table)}
        spelled = {name.lower(): name for name in self.tables}
        found = Looked({alias: spelled[source.name.lower()] for alias, source in named.items()})

        def ref(node: Any) -> Ref | None:
            one = known.get(id(node))
            if one is None or not one.table:
                return None
            own = [a for a, t in found.tables.items() if t == one.table and node.table.lower() in ("", a)]
            return (own[0], one.column) if own else None

        for node in scope.find_all(exp.Predicate):
            column = ref(node.this)
            if column is None:
                continue
            other = ref(node.expression) if isinstance(node, exp.EQ) else None
            if other is not None:
                found.equal.append((column, other))
            for value in _sought(node, known):
                table = found.tables[column[0]]
                self.pools.setdefault((table, column[1]), []).append(value)
                found.values.setdefault(column, value)
        return found

    def _link(self) -> None:
        """Columns that queries compare take their values from one another as foreign keys do."""
        for found in self.looked:
            for (left, a), (right, b) in found.equal:
                ends = [(found.tables[left], a), (found.tables[right], b)]
                ends.sort(key=lambda end: not self.columns[end].primary_key)
                parent, child = ends
                if child not in self.links and parent != child and self.links.get(parent) != child:
                    self.links[child] = parent
        for child, parent in self.links.items():
            self.pools.setdefault(parent, []).extend(self.pools.get(child, []))

    def _parents_first(self) -> list[str]:
        order: list[str] = []

        def visit(name: str, above: tuple[str, ...]) -> None:
            for (child, _), (parent, _) in self.links.items():
                if child == name and parent not in (*above, name):
                    visit(parent, (*above, name))
            if name not in order:
                order.append(name)

        for name in self.tables:
            visit(name, ())
        return order

    def _add(self, name: str, given: dict[str, Any]) -> dict[str, Any]:
        """Add a row with the values given; where its key is there already, the row that has it."""
        table = self.tables[name]
        keys = [column.name for column in table.columns if column.primary_key]
        for _ in range(5):
            row = {c.name: given.get(c.name, self._drawn(name, c, len(keys) == 1)) for c in table.columns}
            key = tuple(str(row[k]) for k in keys)
            if key not in self.taken[name]:
                self.taken[name].add(key) if keys else None
                self.rows[name].append(row)
                return row
        return next(r for r in self.rows[name] if tuple(str(r[k]) for k in keys) == key)

    def _drawn(self, table: str, column: Column, alone: bool) -> Any:
        parent = self.links.get((table, column.name))
        if parent is not None and parent[0] != table and self.rows[parent[0]]:
            rows = self.rows[parent[0]]
            place = int(len(rows) * 0.8 * self.rng.random() ** 2)
            return _fit(rows[place][parent[1]], column)
        count = len(self.rows[table])
        if column.primary_key and alone and parent is None:
            return count + 1 if column.type == "INTEGER" else f"{column.name[:3].upper()}{count + 1}"
        pool = self.pools.get((table, column.name), [])
        return _fit(value_for(column, pool, count, self.rng), column)

    def _witness(self, found: Looked, order: list[str]) -> None:
        """Add rows that one WHERE with its joins finds."""
        values = dict(found.values)
        for alias in sorted(found.tables, key=lambda alias: order.index(found.tables[alias])):
            given = {column: value for (of, column), value in values.items() if of == alias}
            table = found.tables[alias]
            row = self._add(table, {name: _fit(v, self.columns[table, name]) for name, v in given.items()})
            for left, right in found.equal:
                for own, other in ((left, right), (right, left)):
                    if own[0] == alias and other[0] != alias:
                        values[other] = row[own[1]]


def _fit(value: Any, column: Column) -> Any:
    return str(value) if column.type == "TEXT" and value is not None else value


def _sought(node: exp.Expr, known: dict[int, Any]) -> list[Any]:
    """Values that a condition is true of, or speaks of."""

    def plain(item: Any) -> Any:
        one = known.get(id(item))
        if one is not None and one.is_text:
            return item.name
        if isinstance(item, exp.Literal):
            return item.this if item.is_string else json.loads(item.this)
        return None

    if isinstance(node, exp.Between):
        return [value for key in ("low", "high") if (value := plain(node.args[key])) is not None]
    if isinstance(node, exp.In):
        return [value for item in node.expressions if (value := plain(item)) is not None]
    value = plain(node.expression) if isinstance(node, exp.Binary) else None
    if isinstance(node, exp.Like) and isinstance(value, str):
        return (
            []
            if node.args.get("negate")
            else [value.replace("%", "x" if value.count("%") > 1 else "").replace("_", "a")]
        )
    step = {exp.GT: 1, exp.LT: -1}.get(type(node), 0)
    if value is None or (step and isinstance(value, str)):
        return [] if value is None else [_moved(value, step)]
    return [value + step] if step else [value]


def _moved(value: str, step: int) -> str:
    """A text before or after another: a number or a year moves by one."""
    head = value[:4]
    return f"{int(head) + step}{value[4:]}" if head.isdigit() else value + "z" * (step > 0)
