"""The background thread: who may wait for it, and what passes into it."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from dataflow.core import background
from dataflow.core.background import arun, current_scope, finish, loop, run
from dataflow.core.errors import (
    CompileError,
    DataFlowError,
    MissingDependency,
    MissingSource,
    Mistake,
    UnknownName,
    did_you_mean,
)
from dataflow.core.protocols import Scope


async def where() -> tuple[str, Scope | None]:
    await asyncio.sleep(0)
    return threading.current_thread().name, current_scope.get()


def test_there_is_one_thread() -> None:
    assert loop() is loop()
    with ThreadPoolExecutor(8) as pool:
        names = {name for name, _ in pool.map(lambda _: run(where()), range(50))}
    assert len(names) == 1
    assert names != {threading.current_thread().name}


def test_results_and_errors_come_back() -> None:
    async def fail() -> None:
        raise ValueError("inside")

    assert run(asyncio.sleep(0, "value")) == "value"
    with pytest.raises(ValueError, match="inside"):
        run(fail())


def test_waiting_on_the_loop_itself_is_refused() -> None:
    async def blocking() -> None:
        run(asyncio.sleep(0))

    with pytest.raises(DataFlowError, match="await its async twin"):
        run(blocking())


def test_worker_threads_may_wait() -> None:
    async def outer() -> str:
        return await asyncio.to_thread(lambda: run(asyncio.sleep(0.01, "inner")))

    async def many() -> list[str]:
        return await asyncio.gather(*(outer() for _ in range(20)))

    assert run(many()) == ["inner"] * 20


def test_the_scope_passes_through() -> None:
    mine, other = Scope("mine"), Scope("other")
    token = current_scope.set(mine)
    try:
        assert run(where())[1] is mine
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(lambda: run(where())).result()[1] is None
        assert run(_changing(other)) is other
        assert current_scope.get() is mine
    finally:
        current_scope.reset(token)
    assert run(where())[1] is None


async def _changing(scope: Scope) -> Scope | None:
    current_scope.set(scope)
    return (await where())[1]


def test_other_loops_may_await() -> None:
    async def outside() -> tuple[str, Scope | None]:
        current_scope.set(Scope("outside"))
        return await arun(where())

    name, scope = asyncio.run(outside())
    assert name == run(where())[0]
    assert scope == Scope("outside")
    assert run(outside())[1] == Scope("outside")


def test_ctrl_c_cancels_the_work() -> None:
    started, cancelled = threading.Event(), threading.Event()

    async def forever() -> None:
        started.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    def interrupt() -> None:
        started.wait(10)
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    helper = threading.Thread(target=interrupt)
    helper.start()
    with pytest.raises(KeyboardInterrupt):
        run(forever())
    helper.join()
    assert cancelled.wait(10)
    assert run(asyncio.sleep(0, "still there")) == "still there"


def test_closing_from_anywhere() -> None:
    closed: list[str] = []

    async def close(name: str) -> None:
        closed.append(name)

    async def fail() -> None:
        raise ValueError("already gone")

    async def from_the_loop() -> None:
        finish(close("loop"))
        await asyncio.sleep(0.01)

    finish(close("thread"))
    finish(fail())
    run(from_the_loop())
    assert closed == ["thread", "loop"]


def test_nothing_is_traced_by_itself() -> None:
    assert background.tracing.get() is False


def test_errors_read_well() -> None:
    assert str(UnknownName("no operator 'x'")) == "no operator 'x'"
    assert isinstance(MissingSource("x"), FileNotFoundError)
    missing = MissingDependency("torch", "hf", "Perplexity")
    assert (missing.package, missing.extra) == ("torch", "hf")
    assert str(missing) == 'Perplexity needs torch: pip install "dataflow-llm[hf]"'
    assert did_you_mean("answr", ["question", "answer"]) == " Did you mean 'answer'?"
    assert did_you_mean("zzz", ["question"]) == ""


def test_all_mistakes_are_in_one_report() -> None:
    one = Mistake(2, "Judge", "input_key", "='answr' is not a column here")
    two = Mistake(0, "Solve", "storage", " is missing")
    assert str(CompileError("Solve", [one, two])) == (
        "Solve does not compile: 2 mistakes. Nothing has run.\n"
        "  1. step 2 Judge: input_key='answr' is not a column here\n"
        "  2. Solve: storage is missing"
    )
    assert str(CompileError("Solve", [one])).startswith("Solve does not compile: 1 mistake. ")


def test_a_ctrl_c_on_a_worker_thread_reaches_whoever_waits() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            background.run(asyncio.to_thread(interrupted))
    assert background.run(asyncio.sleep(0, "still turning")) == "still turning"
