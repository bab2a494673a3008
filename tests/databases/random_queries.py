"""Random queries over three small tables, in as many shapes as SQLite allows."""

from __future__ import annotations

import random
import sqlite3

from dataflow.databases.schema import Column, Schema, Table

TABLES = {"t": ("a", "b", "c"), "u": ("a", "d", "e"), "V": ("b", "Date", "x y")}
SCHEMA = Schema(
    "small",
    "sqlite",
    tuple(Table(name, tuple(Column(column, "") for column in columns)) for name, columns in TABLES.items()),
)


def database(seed: int = 0) -> sqlite3.Connection:
    """The tables with 12 rows each of small numbers, short texts and nulls."""
    rng = random.Random(seed)
    connection = sqlite3.connect(":memory:")
    for name, columns in TABLES.items():
        connection.execute(f"CREATE TABLE {name} ({', '.join(map(_quoted, columns))})")
        rows = [[rng.choice([None, 0, 1, 2, 3, "x", "b"]) for _ in columns] for _ in range(12)]
        connection.executemany(f"INSERT INTO {name} VALUES (?, ?, ?)", rows)
    return connection


def _quoted(name: str) -> str:
    return f'"{name}"' if " " in name else name


class Writer:
    """Writes queries; `columns` are those that may be named, qualified or, where only one table has them, bare."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.made = 0

    def query(self, depth: int = 2, width: int = 0) -> str:
        """A query, with a WITH, set operation, GROUP BY or ORDER BY now and then."""
        draw = self.rng.random()
        if depth and draw < 0.15:
            word = self.rng.choice(["UNION", "UNION ALL", "EXCEPT", "INTERSECT"])
            n = width or self.rng.randint(1, 2)
            left, right = self._select(depth - 1, n, False), self._select(depth - 1, n, False)
            return f"{left} {word} {right}" + self.rng.choice(["", f" ORDER BY {n}", " ORDER BY 1 DESC"])
        if depth and draw < 0.3 and not width:
            name = self._name("w")
            inner = self.query(depth - 1, 2).split(" ORDER BY ")[0]
            return (
                f"WITH {name} AS ({inner}) SELECT {name}.*, t.c FROM {name} JOIN t ON t.b = t.b AND 1 <= t.c"
            )
        return self._select(depth, width, True)

    def _name(self, start: str) -> str:
        self.made += 1
        return self.rng.choice(
            [f"{start}{self.made}", f"{start.upper()}{self.made}", f'"{start} {self.made}"']
        )

    def _select(self, depth: int, width: int, ordered: bool) -> str:
        sources, columns = self._sources(depth)
        grouped = self.rng.random() < 0.25
        n = width or self.rng.randint(1, 3)
        keys = [self._value(columns, 0) for _ in range(self.rng.randint(1, 2))]
        items = [
            self.rng.choice(
                [*keys, f"max({self._value(columns, 1)})", "count(*)", f"sum({self._column(columns)}) + 1"]
            )
            if grouped
            else self._value(columns, 1)
            for _ in range(n)
        ]
        aliases = [self._name("k") if self.rng.random() < 0.5 else "" for _ in items]
        selected = [
            f"{item} AS {alias}" if alias else item for item, alias in zip(items, aliases, strict=True)
        ]
        sql = (
            "SELECT "
            + self.rng.choice(["", "DISTINCT "] if not grouped else [""])
            + ", ".join(selected)
            + sources
        )
        if self.rng.random() < 0.6:
            sql += f" WHERE {self._condition(columns, depth)}"
        if grouped:
            sql += " GROUP BY " + ", ".join(keys)
            sql += self.rng.choice(
                ["", f" HAVING count(*) > 1 OR {self._test(columns)}", " HAVING 0 < count(*)"]
            )
        if ordered and self.rng.random() < 0.4:
            named = [alias for alias in aliases if alias] + [str(self.rng.randint(1, n))]
            sql += " ORDER BY " + self.rng.choice(named) + self.rng.choice(["", " ASC", " DESC"])
        return sql

    def _sources(self, depth: int) -> tuple[str, list[str]]:
        """FROM with its joins, and the columns that may be named."""
        parts, named = [], []
        for _ in range(self.rng.choice([1, 1, 1, 2, 2, 3])):
            if depth and self.rng.random() < 0.2:
                alias = self._name("q")
                columns = ["k", "l"]
                first, second = self._column(self._of("t", "t")), self.rng.choice(["t.c", "1 + t.b"])
                parts.append(
                    f"(SELECT {first} AS k, {second} AS l FROM t) {self.rng.choice(['', 'AS '])}{alias}"
                )
            else:
                table = self.rng.choice(list(TABLES))
                alias = (
                    self._name("s") if self.rng.random() < 0.5 or any(a == table for a, _ in named) else table
                )
                columns = list(TABLES[table])
                parts.append(table if alias == table else f"{table} {self.rng.choice(['', 'AS '])}{alias}")
            named.append((alias, columns))
        reachable = [f"{alias}.{_quoted(column)}" for alias, columns in named for column in columns]
        every = [column for _, columns in named for column in columns]
        reachable += [
            _quoted(column) for column in every if every.count(column) == 1 and column.lower() != "date"
        ]
        sql = f" FROM {parts[0]}"
        for i, part in enumerate(parts[1:], 1):
            on = f"{named[0][0]}.{_quoted(named[0][1][0])} = {named[i][0]}.{_quoted(named[i][1][0])}"
            join = self.rng.choice([" JOIN {} ON {}", " INNER JOIN {} ON {}", " LEFT JOIN {} ON {}", ", {}"])
            sql += join.format(part, on)
        return sql, reachable

    def _of(self, table: str, alias: str) -> list[str]:
        return [f"{alias}.{_quoted(column)}" for column in TABLES[table]]

    def _column(self, columns: list[str]) -> str:
        column = self.rng.choice(columns)
        return self.rng.choice([column, column, column.lower(), column.upper()])

    def _value(self, columns: list[str], depth: int) -> str:
        column, other = self._column(columns), self._column(columns)
        plain = [column, column, column, f"({column})"]
        worked = [
            "1",
            "'x'",
            f"{column} + {other}",
            f"({column} - 1) * 2",
            f"{column} - ({other} - 1)",
            "NULL",
        ]
        worked += [f"coalesce({column}, {other})", f"CASE WHEN {column} > 1 THEN {other} ELSE 'x' END"]
        return self.rng.choice(plain + (worked if depth else []))

    def _condition(self, columns: list[str], depth: int) -> str:
        tests = [self._test(columns) for _ in range(self.rng.randint(1, 3))]
        if depth and self.rng.random() < 0.3:
            inner, outer = self._select(0, 1, False), self._column(columns)
            tests.append(
                self.rng.choice([f"{outer} IN ({inner})", f"NOT EXISTS ({inner})", f"({inner}) = {outer}"])
            )
        sql = tests[0]
        for test in tests[1:]:
            shape = self.rng.choice(
                ["{} AND {}", "{} OR {}", "({} OR {})", "NOT ({} AND {})", "({}) AND ({})"]
            )
            sql = shape.format(sql, test)
        return sql

    def _test(self, columns: list[str]) -> str:
        left, right = self._value(columns, 1), self._value(columns, 1)
        column = self._column(columns)
        return self.rng.choice(
            [
                f"{left} {self.rng.choice(['=', '<>', '!=', '<', '>', '<=', '>='])} {right}",
                f"{column} IN (2, 1, 'x', 2)",
                f"{column} NOT IN (3, 1)",
                f"{column} BETWEEN 0 AND 2",
                f"NOT {column} LIKE 'x%'",
                f"{column} NOT LIKE '%b'",
                f"{column} IS NOT NULL",
                f"{column} IS NULL",
                f"NOT {left} = {right}",
            ]
        )
