"""Hostile statements change nothing, end in time, and leave the other queries of their batch alone."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from dataflow.databases.connector import Fault, QueryResult
from dataflow.databases.manager import DatabaseManager
from tests.databases.hostile import HOSTILE
from tests.servers.engines import Engine, outcome

LIMIT_S = 0.5
LATE_S = 0.5
"""How much longer than its limit a query may take, as the caller sees it."""
TRIES = 5
BUSY_S = 2.0
"""The same of many queries, on a machine that is busy with other things."""
MOST_MEMORY_MB = 200
"""What this process may need for results of at most 20 MB, whatever the engine needs."""
SECRET = "the secret"


def test_enough_of_them(engine: Engine) -> None:
    assert len(set(HOSTILE[engine.name])) >= 70


@pytest.mark.slow
def test_nothing_changes_and_the_batch_goes_on(engine: Engine) -> None:
    before = engine.digest()
    wrong: list[Any] = []
    with engine.manager(seconds=LIMIT_S, bytes=20_000_000, rows=10_000) as manager:
        manager.execute("shop", "SELECT 1")
        for sql in statements(engine):
            bad, good, took = answers(manager, sql)
            if took > LIMIT_S + LATE_S and (took := alone(manager, sql)) > LIMIT_S + LATE_S:
                wrong.append((sql[:100], f"took {took:.1f} s"))
            if [g.rows for g in good] != [((3,),), ((4,),), ((5,),)]:
                wrong.append((sql[:100], "others", [outcome(g) for g in good]))
            if SECRET in repr(bad.rows):
                wrong.append((sql[:100], "read a file"))
            if engine.digest() != before:
                wrong.append((sql[:100], "changed something", outcome(bad)))
                before = engine.digest()
    assert not wrong


def statements(engine: Engine) -> list[str]:
    """Hostile statements with the paths of this engine."""
    paths = {"{out}": str(engine.outside), "{db}": str(getattr(engine, "path", "")), "{{": "{", "}}": "}"}
    found = HOSTILE[engine.name]
    for name, path in paths.items():
        found = [sql.replace(name, path) for sql in found]
    return found


def answers(manager: DatabaseManager, sql: str) -> tuple[QueryResult, list[QueryResult], float]:
    """What came of a statement and of those beside it, and how long all of them took."""
    queries = [("shop", sql), *(("shop", f"SELECT count(*) + {i} FROM orders") for i in range(3))]
    started = time.monotonic()
    bad, *good = manager.batch_execute_queries(queries)
    return bad, good, time.monotonic() - started


def alone(manager: DatabaseManager, sql: str) -> float:
    """How long a statement takes alone, at best: no process starts meanwhile, and other programs may leave the machine to it."""
    taken: list[float] = []
    while len(taken) < TRIES and (not taken or min(taken) > LIMIT_S + LATE_S):
        manager.execute("shop", "SELECT 1")
        started = time.monotonic()
        manager.execute("shop", sql)
        taken.append(time.monotonic() - started)
    return min(taken)


@pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="the peak of memory is read from Linux"
)
def test_an_engine_takes_no_memory_of_this_process(engine: Engine) -> None:
    greedy = [
        s for s in statements(engine) if any(w in s for w in ("range(", "zeroblob(", "repeat(", "seq_"))
    ]
    with engine.manager(seconds=LIMIT_S, bytes=20_000_000, memory_mb=256) as manager:
        manager.execute("shop", "SELECT 1")
        Path("/proc/self/clear_refs").write_text("5")
        before = peak_mb()
        results = manager.batch_execute_queries([("shop", sql) for sql in greedy])
        assert peak_mb() - before < MOST_MEMORY_MB
        assert manager.execute("shop", "SELECT count(*) FROM orders").rows == ((3,),)
    assert sum(r.fault in (Fault.TIMEOUT, Fault.TOO_LARGE) for r in results) >= 3


def peak_mb() -> float:
    """The most memory that this process had since its peak was set back."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def test_planning_changes_nothing(engine: Engine) -> None:
    before = engine.digest()
    with engine.manager(seconds=LIMIT_S) as manager:
        started = time.monotonic()
        results = manager.batch_explain_queries([("shop", sql) for sql in statements(engine)])
        took = time.monotonic() - started
        assert manager.execute("shop", "SELECT count(*) FROM orders").rows == ((3,),)
    assert engine.digest() == before
    assert took < len(results) * LIMIT_S / 4
    assert SECRET not in repr([r.rows for r in results])


def test_endless_queries_cost_their_time_and_no_more(engine: Engine) -> None:
    workers, endless = 4, 8
    queries = [
        ("shop", f"{engine.loop} -- {i}" if i % 5 == 0 else f"SELECT {i} + id FROM customers WHERE id = 1")
        for i in range(endless * 5)
    ]
    with engine.manager(seconds=LIMIT_S, workers=workers) as manager:
        started = time.monotonic()
        results = manager.batch_execute_queries(queries)
        took = time.monotonic() - started
    assert [r.fault for r in results[::5]] == [Fault.TIMEOUT] * endless
    assert all(r.rows == ((i + 1,),) for i, r in enumerate(results) if i % 5)
    assert took < endless * LIMIT_S / workers + BUSY_S
