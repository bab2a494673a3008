"""The engines that prompts know: what they are called, and functions worth using."""

from __future__ import annotations

from functools import cache
from importlib import resources
from random import Random

NAMES = {
    "sqlite": "SQLite",
    "postgres": "PostgreSQL",
    "mysql": "MySQL",
    "duckdb": "DuckDB",
}
"""Dialect to engine."""


def dialect_of(engine: str) -> str:
    """The dialect of an engine, however it is called: `PostgreSQL`, `sqlite-vec`; `sqlite` of one that is not known."""
    name = engine.lower()
    return next((dialect for dialect in NAMES if name.startswith(dialect)), "sqlite")


def engine_name(engine: str) -> str:
    """What prompts call an engine: `sqlite` is `SQLite`; one that is not known keeps its name."""
    known = any(engine.lower().startswith(dialect) for dialect in NAMES)
    return NAMES[dialect_of(engine)] if known else engine


@cache
def functions_of(dialect: str) -> tuple[str, ...]:
    """A line for each function: how it is called, a colon, and what it gives."""
    text = resources.files(__package__).joinpath(f"functions_{dialect}.txt").read_text("utf-8")
    return tuple(text.splitlines())


def some_functions(engine: str, draw: Random, most: int = 2) -> list[str]:
    """None to `most` of the functions of an engine, drawn."""
    return draw.sample(functions_of(dialect_of(engine)), draw.randint(0, most))


def number_of_columns(draw: Random, most: int = 6) -> int:
    """How many columns a query gives: one in six of ten cases, and ever fewer cases of more."""
    count = 1
    while count < most and draw.random() >= 0.6:
        count += 1
    return count
