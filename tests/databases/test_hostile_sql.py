"""Hostile statements change nothing, end in time, and leave the other queries of their batch alone."""

from __future__ import annotations

import time
from typing import Any

import pytest

from dataflow.databases.connector import Fault
from tests.databases.hostile import HOSTILE
from tests.servers.engines import Engine, outcome

LIMIT_S = 0.5
LATE_S = 2.0
"""Generous, for machines under load; what is measured is far less."""
SECRET = "the secret"


def test_enough_of_them(engine: Engine) -> None:
    assert len(set(HOSTILE[engine.name])) >= 70


@pytest.mark.slow
def test_nothing_changes_and_the_batch_goes_on(engine: Engine) -> None:
    before = engine.digest()
    wrong: list[Any] = []
    with engine.manager(seconds=LIMIT_S, bytes=20_000_000, rows=10_000) as manager:
        for sql in HOSTILE[engine.name]:
            sql = sql.replace("{out}", str(engine.outside)).replace("{db}", str(getattr(engine, "path", "")))
            sql = sql.replace("{{}}", "{}")
            started = time.monotonic()
            bad, *good = manager.batch_execute_queries(
                [("shop", sql), *(("shop", f"SELECT count(*) + {i} FROM orders") for i in range(3))]
            )
            took = time.monotonic() - started
            if took > LIMIT_S + LATE_S:
                wrong.append((sql[:100], f"took {took:.1f} s"))
            if [g.rows for g in good] != [((3,),), ((4,),), ((5,),)]:
                wrong.append((sql[:100], "others", [outcome(g) for g in good]))
            if SECRET in repr(bad.rows):
                wrong.append((sql[:100], "read a file"))
            if engine.digest() != before:
                wrong.append((sql[:100], "changed something", outcome(bad)))
                before = engine.digest()
    assert not wrong


def test_planning_changes_nothing(engine: Engine) -> None:
    before = engine.digest()
    statements = [s.replace("{out}", str(engine.outside)) for s in HOSTILE[engine.name]]
    with engine.manager(seconds=LIMIT_S) as manager:
        started = time.monotonic()
        results = manager.batch_explain_queries([("shop", sql) for sql in statements])
        took = time.monotonic() - started
        assert manager.execute("shop", "SELECT count(*) FROM orders").rows == ((3,),)
    assert engine.digest() == before
    assert took < len(statements) * LIMIT_S / 4
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
    assert took < endless * LIMIT_S / workers + LATE_S
