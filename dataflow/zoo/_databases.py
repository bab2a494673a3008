"""The small databases that the pipelines for Text-to-SQL read unless they are given others."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from dataflow.databases.manager import DatabaseManager
from dataflow.zoo._examples import DATA

EXAMPLES = ("harbour", "library")


def build(script: Path, path: Path) -> Path:
    """Make a SQLite file of a script, unless it is there; a build that is killed leaves no half of one."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}")
        part.unlink(missing_ok=True)
        with closing(sqlite3.connect(part)) as database:
            database.executescript(script.read_text("utf-8"))
        part.replace(path)
    return path


def example_databases(cache_path: str) -> str:
    """The folder with the example databases, made at first use."""
    folder = Path(cache_path) / "databases"
    for name in EXAMPLES:
        build(DATA / f"{name}.sql", folder / f"{name}.sqlite")
    return str(folder)


def databases(given: Any, cache_path: str) -> DatabaseManager:
    """The databases given: a manager, the settings of one with `db_type` among them, or null for the examples."""
    if given is None:
        return DatabaseManager("sqlite", {"root_path": example_databases(cache_path)})
    if isinstance(given, dict):
        settings = {k: v for k, v in given.items() if k != "db_type"}
        return DatabaseManager(given.get("db_type", "sqlite"), settings)
    assert isinstance(given, DatabaseManager)
    return given
