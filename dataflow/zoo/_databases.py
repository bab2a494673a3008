"""The small databases that the pipelines for Text-to-SQL read unless they are given others."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from dataflow.core.errors import MissingDependency
from dataflow.databases.manager import DatabaseManager
from dataflow.zoo._examples import DATA

EXAMPLES = ("harbour", "library")


def build(script: Path, path: Path, *, vectors: bool = False) -> Path:
    """Make a SQLite file of a script, unless it is there; a build that is killed leaves no half of one."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}")
        part.unlink(missing_ok=True)
        with closing(sqlite3.connect(part)) as database:
            if vectors:
                _load_vectors(database)
            database.executescript(script.read_text("utf-8"))
        part.replace(path)
    return path


def _load_vectors(database: sqlite3.Connection) -> None:
    try:
        import sqlite_vec
    except ImportError as error:
        raise MissingDependency("sqlite-vec", "text2sql", "A database of vectors") from error
    database.enable_load_extension(True)
    sqlite_vec.load(database)
    database.enable_load_extension(False)


def example_databases(cache_path: str) -> str:
    """The folder with the example databases, made at first use."""
    folder = Path(cache_path) / "databases"
    for name in EXAMPLES:
        build(DATA / f"{name}.sql", folder / f"{name}.sqlite")
    return str(folder)


def example_vectors(cache_path: str) -> str:
    """The folder with the example database of vectors, made at first use."""
    folder = Path(cache_path) / "vectors"
    build(DATA / "films.sql", folder / "films.sqlite", vectors=True)
    return str(folder)


def connected(
    given: DatabaseManager | None, where: str, db_type: str, embedding: Any, examples: Callable[[], str]
) -> DatabaseManager:
    """The databases of a manager, else those at an address or in a folder, else the examples."""
    if given is not None:
        return given
    scheme, parted, _ = where.partition("://")
    if parted:
        return DatabaseManager(
            scheme.partition("+")[0] if db_type == "sqlite" else db_type, {"url": where}, embedding
        )
    return DatabaseManager(db_type, {"root_path": where or examples()}, embedding)
