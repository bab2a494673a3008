"""Engines in processes of their own: whatever one does, only its own query is lost, and none outlives who started it."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataflow.databases import registry
from dataflow.databases.connector import Fault, Limits
from dataflow.databases.manager import DatabaseManager
from tests.databases.apart import VALUES, UnrulyConnector
from tests.servers.engines import Sqlite

ROOT = Path(__file__).parents[2]
WAIT_S = 30.0


@pytest.fixture
def unruly(monkeypatch: pytest.MonkeyPatch) -> Iterator[DatabaseManager]:
    monkeypatch.setitem(registry._registered, "unruly", UnrulyConnector)
    with DatabaseManager("unruly", limits=Limits(seconds=0.5, memory_mb=256), workers=4) as manager:
        yield manager


def process_of(manager: DatabaseManager) -> int:
    found = manager.execute("x", "process").rows[0][0]
    assert isinstance(found, int)
    return found


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until_gone(pids: list[int]) -> list[int]:
    """Those that are there still after a long time."""
    end = time.monotonic() + WAIT_S
    while any(map(is_there, pids)) and time.monotonic() < end:
        time.sleep(0.05)
    return [pid for pid in pids if is_there(pid)]


@pytest.mark.parametrize(
    ("sql", "fault", "said"),
    [
        ("hang", Fault.TIMEOUT, "its process was ended"),
        ("crash", Fault.RUNTIME, "SIGSEGV"),
        ("abort", Fault.TOO_LARGE, "out of memory"),
        ("leave", Fault.TOO_LARGE, "exit code 1"),
        ("die", Fault.TOO_LARGE, "SIGKILL"),
        ("fill", Fault.TOO_LARGE, "memory"),
    ],
)
def test_only_the_query_that_ends_its_process_is_lost(
    unruly: DatabaseManager, sql: str, fault: Fault, said: str
) -> None:
    queries = [("x", f"q{i}") for i in range(200)]
    queries[57], queries[190] = ("x", sql), ("x", f"{sql} again")
    results = unruly.batch_execute_queries(queries)
    assert [r.rows for i, r in enumerate(results) if i not in (57, 190)] == [
        ((f"q{i}",),) for i in range(200) if i not in (57, 190)
    ]
    for lost in (results[57], results[190]):
        assert (lost.fault, lost.rows) == (fault, ())
        assert said in lost.error
    assert unruly.execute("x", "q").success


def test_values_of_all_kinds_and_sizes_come_back(unruly: DatabaseManager) -> None:
    assert unruly.execute("x", "values").rows == (VALUES,)
    assert unruly.execute("x", "print").rows == (("print",),)
    many = unruly.batch_execute_queries([("x", f"large {i}") for i in range(9)])
    assert [r.row_count for r in many] == list(range(9))
    assert many[8].rows[7][0] == "a" * (1 << 20)
    long = "q" * 300_000
    assert all(
        r.rows == ((f"{long}{i}",),)
        for i, r in enumerate(unruly.batch_execute_queries([("x", f"{long}{i}") for i in range(20)]))
    )


def test_a_process_is_used_again_until_the_manager_is_closed(unruly: DatabaseManager) -> None:
    first = process_of(unruly)
    assert process_of(unruly) == first
    unruly.close()
    assert not is_there(first)
    second = process_of(unruly)
    assert second != first
    assert unruly.get_schema("x").tables == ()


def test_processes_end_with_a_manager_that_nobody_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry._registered, "unruly", UnrulyConnector)
    manager = DatabaseManager("unruly")
    pid = process_of(manager)
    del manager
    gc.collect()
    assert not wait_until_gone([pid])


def test_queries_that_wait_run_side_by_side(unruly: DatabaseManager) -> None:
    results = unruly.batch_execute_queries([("x", f"wait {i}") for i in range(24)])
    assert all(r.success for r in results)
    assert len(unruly._engines._idle) > 1  # type: ignore[union-attr]


def test_a_serving_that_fails_or_never_answers_costs_its_query(unruly: DatabaseManager) -> None:
    class Serving:
        def generate_embedding_from_input(self, texts: list[str]) -> list[list[float]]:
            if texts == ["never"]:
                waiting.wait(WAIT_S)
            if texts == ["wrong"]:
                raise ValueError("it is wrong")
            return [[float(len(texts[0]))]]

    waiting = threading.Event()
    serving = Serving()
    with DatabaseManager("unruly", None, serving, limits=Limits(seconds=0.5)) as manager:
        never, wrong, right = manager.batch_execute_queries(
            [("x", f"embed {t}") for t in ("never", "wrong", "four")]
        )
        waiting.set()
    assert never.fault is Fault.TIMEOUT
    assert "it is wrong" in wrong.error
    assert right.rows == ((4.0,),)


def test_no_answer_is_lost_when_processes_are_killed_from_outside(
    unruly: DatabaseManager, tmp_path: Path
) -> None:
    sqls = [f"once {tmp_path / str(i)}" if i % 25 == 7 else f"q{i}" for i in range(300)]
    results = unruly.batch_execute_queries([("x", sql) for sql in sqls])
    assert [r.rows for r in results] == [((sql,),) for sql in sqls]
    assert len(list(tmp_path.iterdir())) == 12


SCRIPT = """
import sys, threading, time
from dataflow.core import workers
from dataflow.databases.connector import Limits
from dataflow.databases.manager import DatabaseManager

manager = DatabaseManager(config={"root_path": sys.argv[1]}, limits=Limits(seconds=2))
assert manager.execute("shop", "SELECT 1").success
loop = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
hung = "SELECT " + ", ".join(f"instr(hex(zeroblob({1_000_000 + n})), hex(zeroblob(500000)) || '1')" for n in range(20))
batch = [("shop", loop), ("shop", hung), ("shop", "SELECT 2")]
threading.Thread(target=manager.batch_execute_queries, args=(batch,), daemon=True).start()
while len(workers.running) < 2:
    time.sleep(0.01)
print(*(process.pid for process in workers.running), flush=True)
time.sleep(60)
"""


def test_no_process_outlives_its_parent(tmp_path: Path) -> None:
    engine = Sqlite(tmp_path)
    parent = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(engine.path.parent)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert parent.stdout
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert len(pids) >= 2
    assert not wait_until_gone(pids)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_has_processes_of_its_own(unruly: DatabaseManager) -> None:
    first = process_of(unruly)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            own = process_of(unruly)
            unruly.close()
            code = 0 if own != first and not is_there(own) and is_there(first) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert process_of(unruly) == first
