"""Comparing in processes: what hangs is told as a timeout, and the next comparison is unaffected."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from dataflow.operators._lib.answers import Verdict, compare, compare_all, workers
from dataflow.operators._lib.answers.workers import Pool

BOMBS = [
    "9^{9^{9^9}}",
    "99999999!",
    "(10^{8})!",
    r"\binom{10^9}{5\cdot 10^8}",
    r"\sum_{i=1}^{100000000} \frac{1}{i^3+i}",
    r"((((x+1)^{99}+1)^{99}+1)^{99}+1)^{99}",
    r"\frac{(7^{7^{7^7}})!}{3}",
]
LIMIT_S = 1.0
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_a_timeout_and_no_difference(bomb: str) -> None:
    started = time.monotonic()
    hung, after = compare_all([("17", bomb), ("x+1", "1+x")], LIMIT_S)
    assert time.monotonic() - started < 60
    assert not hung.equal
    assert after.equal


def test_some_bombs_do_hang() -> None:
    assert compare("17", "9^{9^{9^9}}", LIMIT_S).verdict is Verdict.TIMEOUT
    assert compare("17", "99999999!", LIMIT_S).verdict is Verdict.TIMEOUT


def test_all_but_the_bombs_of_a_batch_are_told() -> None:
    pairs = [(f"x+{i}", f"{i}+x") for i in range(20)]
    pairs[3] = pairs[11] = ("17", "9^{9^{9^9}}")
    made = compare_all(pairs, LIMIT_S)
    assert [c.verdict for c in made] == [
        Verdict.TIMEOUT if i in (3, 11) else Verdict.EQUAL for i in range(20)
    ]


def test_a_killed_process_is_replaced() -> None:
    pool = Pool(1)
    try:
        assert pool.compare_all([("x+1", "1+x")], 30)[0].equal
        process = pool.workers[0].process
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
        while process.lives:
            time.sleep(0.01)
        assert all(c.equal for c in pool.compare_all([("x+1", "1+x"), ("y+1", "1+y")], 30))
    finally:
        pool.stop()


def test_threads_share_the_processes() -> None:
    results: list[bool] = []

    def work(i: int) -> None:
        results.extend(c.equal for c in compare_all([(f"z+{i}", f"{i}+z"), (f"z-{i}", f"{i}-z")], 30))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False] * 8 + [True] * 8


def test_a_script_without_a_main_guard_runs_once() -> None:
    script = (
        "print('once')\nfrom dataflow.operators._lib.answers import compare\nprint(compare('x+1', '1+x'))"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, cwd=ROOT)
    assert done.stdout.split() == ["once", "equal"]
    assert done.stderr == ""


def test_easy_pairs_start_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_pool() -> Pool:
        raise AssertionError

    monkeypatch.setattr(workers, "_pool", no_pool)
    easy = [
        ("42", "42.0"),
        ("1/2", "0.5"),
        ("(A)", "A"),
        ("x^2+1", "x^{2} + 1"),
        (r"\{1,2\}", "2, 1"),
        ("5 cm", "50 mm"),
    ]
    assert all(c.equal for c in compare_all(easy))
    assert not any(c.equal for c in compare_all([("42", "43"), ("Paris", "London"), ("A", "(B)")]))
