"""Queries of a batch over many databases: beside a connection a query, one after the other; and with endless ones among them."""

from __future__ import annotations

import os
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from dataflow.databases.connector import Fault, Limits
from dataflow.databases.connectors.sqlite_guard import restrict
from dataflow.databases.manager import DatabaseManager

DATABASES, QUERIES, TABLES, ROWS = 10, 10_000, 12, 200
COMPARISONS, ENDLESS, LIMIT_S, WORKERS = 1000, 20, 2.0, 10
LOOP = "WITH RECURSIVE n(i) AS (SELECT {} UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


def measure() -> Iterator[str]:
    """A line for short queries, and one for endless ones."""
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder))
        yield short(Path(folder))
        yield endless(Path(folder))


def make(folder: Path) -> None:
    """Databases of the size of Spider's: a dozen tables of a few hundred rows."""
    draw = random.Random(1)
    for d in range(DATABASES):
        (folder / f"db{d}").mkdir()
        with sqlite3.connect(folder / f"db{d}" / f"db{d}.sqlite") as connection:
            for t in range(TABLES):
                connection.execute(
                    f"CREATE TABLE t{t} (id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT, price REAL, "
                    f"other INTEGER REFERENCES t{(t + 1) % TABLES} (id), made DATE)"
                )
                rows = [(i, f"n{i}", f"c{i % 7}", draw.random(), i % 50, "2024-01-01") for i in range(ROWS)]
                connection.executemany(f"INSERT INTO t{t} VALUES (?, ?, ?, ?, ?, ?)", rows)
        connection.close()


def queries(kind: str = "", count: int = QUERIES) -> list[tuple[str, str]]:
    """Different short queries: look-ups, joins, groups."""
    forms = (
        "SELECT name, price FROM t{t} WHERE id = {i} /* {n}{kind} */",
        "SELECT a.name, b.city FROM t{t} a JOIN t{u} b ON a.other = b.id WHERE a.id < 5 /* {n}{kind} */",
        "SELECT city, count(*), avg(price) FROM t{t} WHERE id < {i} GROUP BY city /* {n}{kind} */",
    )
    return [
        (
            f"db{n % DATABASES}",
            forms[n % 3].format(t=n % TABLES, u=(n + 1) % TABLES, i=n % ROWS, n=n, kind=kind),
        )
        for n in range(count)
    ]


def short(folder: Path) -> str:
    """All ways take turns; the fastest of five counts."""
    careful, bare, pooled = [], [], []
    for turn in range(5):
        asked = queries(f" {turn}")
        expected, spent = timed(lambda: [one_by_one(folder, *query) for query in asked])  # noqa: B023
        careful.append(spent)
        _, spent = timed(lambda: [without_guards(folder, *query) for query in asked])  # noqa: B023
        bare.append(spent)
        manager = DatabaseManager("sqlite", {"root_path": str(folder)})
        found, spent = timed(lambda: manager.batch_execute_queries(asked), manager.close)  # noqa: B023
        pooled.append(spent)
        assert [list(f.rows) for f in found] == expected
    slow, bare_, fast = (tuple(map(min, zip(*spent, strict=True))) for spent in (careful, bare, pooled))
    return (
        f"{QUERIES:,} different short queries over {DATABASES} SQLite databases: a connection a query, with the guards of "
        f"DatabaseManager, {_spent(slow)}; without any guard {_spent(bare_)}; DatabaseManager, which starts its processes for it, {_spent(fast)}: "
        f"{slow[0] / fast[0]:.1f} and {bare_[0] / fast[0]:.1f} times as fast, "
        f"{slow[1] / fast[1]:.1f} and {bare_[1] / fast[1]:.1f} times in CPU"
    )


def _spent(seconds: tuple[float, ...]) -> str:
    return f"{seconds[0]:.2f} s ({seconds[1]:.2f} s of CPU)"


def timed(work: Callable[[], Any], end: Callable[[], None] = lambda: None) -> tuple[Any, tuple[float, float]]:
    """What came of it, the seconds by the wall clock, and those of CPU, with the processes that `end` ends."""
    started, cpu = time.perf_counter(), _cpu()
    result = work()
    took = time.perf_counter() - started
    end()
    return result, (took, _cpu() - cpu)


def _cpu() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def one_by_one(folder: Path, db_id: str, sql: str) -> list[tuple[object, ...]]:
    """What a careful user does without a pool: open to read only, set the same guards and a time limit, ask, close."""
    path = folder / db_id / f"{db_id}.sqlite"
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        restrict(connection)
        end = time.monotonic() + LIMIT_S
        connection.set_progress_handler(lambda: time.monotonic() > end, 1000)
        return list(connection.execute(sql).fetchall())
    finally:
        connection.close()


def without_guards(folder: Path, db_id: str, sql: str) -> list[tuple[object, ...]]:
    """What a careless one does: open, ask, close; the query may write, and may never end."""
    connection = sqlite3.connect(folder / db_id / f"{db_id}.sqlite")
    try:
        return list(connection.execute(sql).fetchall())
    finally:
        connection.close()


def endless(folder: Path) -> str:
    """Pairs of queries of which some never end."""
    gold = queries(" gold", COMPARISONS)
    pairs = [(db_id, sql.replace(" gold", ""), sql) for db_id, sql in gold]
    step = COMPARISONS // ENDLESS
    for n in range(0, COMPARISONS, step):
        pairs[n] = (pairs[n][0], LOOP.format(n), pairs[n][2])
    limits = Limits(seconds=LIMIT_S)
    with DatabaseManager("sqlite", {"root_path": str(folder)}, limits=limits, workers=WORKERS) as manager:
        started = time.perf_counter()
        compared = manager.batch_compare_queries(pairs)
        took = time.perf_counter() - started
        faults = [r.fault for r in manager.batch_execute_queries([pairs[0][:2]])]
    assert faults == [Fault.TIMEOUT]
    assert sum(map(bool, compared)) == COMPARISONS - ENDLESS
    least = ENDLESS * LIMIT_S / WORKERS
    return (
        f"{COMPARISONS:,} comparisons, {ENDLESS} of them with an endless query, {LIMIT_S} s a query, {WORKERS} at once: "
        f"{took:.2f} s, {took / least - 1:.0%} over {ENDLESS} x {LIMIT_S} s / {WORKERS} = {least:.2f} s"
    )
