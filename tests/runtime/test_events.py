"""Rows told of as they come through: to a callback, and to a loop that reads a stream."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from flows import Asks, FirstOfEach, Louder, NotEnding, Ranked, Steps, Words, chat, column, lines, numbers

from dataflow.core.errors import CompileError, RunStopped
from dataflow.pipeline import PipelineABC
from dataflow.runtime import runs
from dataflow.storage import FileStorage
from dataflow.testing.server import FaultyServer


@pytest.fixture(scope="module")
def server() -> Iterator[FaultyServer]:
    with FaultyServer(latency_s=0.002) as running:
        yield running


@pytest.fixture
def llm(server: FaultyServer) -> Any:
    server.reset()
    return chat(server, max_workers=4)


class Heard:
    """Keeps the rows that it is told of, and whether it ever was told of some while it listened to others."""

    def __init__(self) -> None:
        self.frames: list[pl.DataFrame] = []
        self.overlapped = False
        self._busy = threading.Lock()

    def __call__(self, frame: pl.DataFrame) -> None:
        self.overlapped |= not self._busy.acquire(blocking=False)
        time.sleep(0.001)
        self.frames.append(frame)
        self._busy.release()

    @property
    def table(self) -> pl.DataFrame:
        return pl.concat(self.frames)


STEPS = {
    "rows": [(Louder(), {}), (NotEnding(), {})],
    "model": [("ask", {}), (Words(), {}), (NotEnding(), {"input_key": "word"})],
    "table last": [("ask", {}), (FirstOfEach(), {})],
    "table first": [(Ranked(), {}), ("ask", {})],
}


def piped(folder: Path, llm: Any, *steps: Any, count: int = 60) -> Steps:
    made = [(Asks(llm_serving=llm) if op == "ask" else op, keys) for op, keys in steps]
    return Steps(lines(folder / "in.jsonl", numbers(count)), folder, *made)


@pytest.mark.parametrize("case", STEPS)
@pytest.mark.parametrize("target", [None, 20])
def test_each_row_of_the_final_table_is_told_once(
    tmp_path: Path, llm: Any, case: str, target: int | None
) -> None:
    heard = Heard()
    run = piped(tmp_path, llm, *STEPS[case]).run(progress=False, on_rows=heard, target_rows=target)
    assert not heard.overlapped
    by = run.table.columns
    assert heard.table.sort(by).equals(run.table.sort(by))
    assert heard.table.columns == by
    if target:
        assert heard.table.equals(run.table)


@pytest.mark.parametrize("case", STEPS)
def test_rows_that_are_used_again_are_told_too(
    tmp_path: Path, llm: Any, case: str, server: FaultyServer
) -> None:
    run, calls = piped(tmp_path, llm, *STEPS[case]).run(progress=False), server.calls
    heard = Heard()
    piped(tmp_path, llm, *STEPS[case]).run(progress=False, on_rows=heard)
    assert heard.table.sort(run.table.columns).equals(run.table.sort(run.table.columns))
    assert server.calls == calls


def test_a_callback_that_raises_stops_the_run(tmp_path: Path, llm: Any, server: FaultyServer) -> None:
    heard = Heard()

    def full(frame: pl.DataFrame) -> None:
        heard(frame)
        if heard.table.height >= 10:
            raise OSError("the disk is full")

    pipeline = piped(tmp_path, llm, *STEPS["model"], count=200)
    with pytest.raises(OSError, match="the disk is full"):
        pipeline.run(progress=False, on_rows=full)
    left = runs.load(tmp_path / "p").summary
    assert (left["status"], left["message"]) == ("failed", "the disk is full")
    calls = server.calls
    assert calls < 200
    assert server.in_flight == 0
    assert pipeline.run(progress=False).rows == 380
    assert server.repeated <= 4


def test_only_the_last_table_of_two_flows_is_told(tmp_path: Path) -> None:
    class Two(PipelineABC):
        """Two storages, one after the other."""

        def __init__(self) -> None:
            super().__init__()
            source = str(lines(tmp_path / "in.jsonl", numbers(5)))
            self.first = FileStorage(source, cache_path=str(tmp_path), file_name_prefix="first")
            self.second = FileStorage(source, cache_path=str(tmp_path), file_name_prefix="second")

        def forward(self) -> None:
            Louder().run(self.first.step())
            Louder(mark="?").run(self.second.step())

    heard = Heard()
    run = Two().run(progress=False, on_rows=heard)
    assert heard.table["loud"].to_list() == column(run, "loud") == [f"text {i}?" for i in range(5)]


def test_a_preview_tells_its_rows(tmp_path: Path) -> None:
    heard = Heard()
    piped(tmp_path, None, *STEPS["rows"]).run(progress=False, limit=3, on_rows=heard)
    assert heard.table["text"].to_list() == numbers(3)


async def read(stream: Any, wait_s: float = 0.0, until: int | None = None) -> list[pl.DataFrame]:
    """The frames of a stream, read at that pace, at least `until` rows and then no more."""
    frames: list[pl.DataFrame] = []
    async with aclosing(stream):
        async for frame in stream:
            frames.append(frame)
            await asyncio.sleep(wait_s)
            if until is not None and sum(f.height for f in frames) >= until:
                break
    return frames


@pytest.mark.parametrize("case", STEPS)
@pytest.mark.parametrize("options", [{}, {"target_rows": 15}, {"limit": 7}])
def test_a_stream_gives_every_row_of_the_final_table(
    tmp_path: Path, llm: Any, case: str, options: Any
) -> None:
    frames = asyncio.run(read(piped(tmp_path, llm, *STEPS[case]).stream(**options)))
    run = runs.load(tmp_path / "p")
    assert run.summary["status"] == "done"
    assert pl.concat(frames).sort(run.table.columns).equals(run.table.sort(run.table.columns))


def test_a_slow_reader_holds_the_rows_back(tmp_path: Path, llm: Any, server: FaultyServer) -> None:
    pipeline = piped(tmp_path, llm, ("ask", {}), count=400)

    async def slow() -> int:
        stream = pipeline.stream()
        async with aclosing(stream):
            await anext(stream)
            await asyncio.sleep(1.0)
            return server.calls

    assert asyncio.run(slow()) < 150
    assert server.in_flight == 0


def test_leaving_the_loop_stops_the_run_so_that_it_can_go_on(
    tmp_path: Path, llm: Any, server: FaultyServer
) -> None:
    pipeline = piped(tmp_path, llm, ("ask", {}), count=300)
    asyncio.run(read(pipeline.stream(), until=10))
    left = runs.load(tmp_path / "p").summary
    assert left["status"] == "stopped"
    calls = server.calls
    assert calls < 200
    assert pipeline.run(progress=False).rows == 300
    assert server.repeated <= 4


def test_leaving_does_not_wait_for_rows(tmp_path: Path) -> None:
    """Calls that hang are let go of."""
    source = lines(tmp_path / "in.jsonl", numbers(20))
    with FaultyServer(latency_s=lambda rng: 0.0 if rng.random() < 0.3 else 120.0) as server:
        pipeline = Steps(source, tmp_path, (Asks(llm_serving=chat(server, max_workers=64)), {}))
        started = time.monotonic()
        frames = asyncio.run(read(pipeline.stream(), until=1))
        assert frames
        assert time.monotonic() - started < 30


def test_a_cancelled_reader_stops_the_run(tmp_path: Path, llm: Any, server: FaultyServer) -> None:
    pipeline = piped(tmp_path, llm, ("ask", {}), count=300)

    async def cancelled() -> None:
        task = asyncio.create_task(read(pipeline.stream(), wait_s=0.05))
        await asyncio.sleep(0.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert runs.load(tmp_path / "p").summary["status"] == "stopped"
    assert server.in_flight == 0
    assert pipeline.run(progress=False).rows == 300


def test_the_reader_is_told_of_mistakes_and_of_stops(tmp_path: Path, llm: Any) -> None:
    wrong = piped(tmp_path, llm, (Louder(), {"input_key": "txt"}))
    with pytest.raises(CompileError, match="Did you mean 'text'"):
        asyncio.run(read(wrong.stream()))
    failing = Steps(lines(tmp_path / "bad.jsonl", ["cannot"] * 60), tmp_path, (Louder(), {}))
    with pytest.raises(RunStopped, match="60 of 60 rows failed"):
        asyncio.run(read(failing.stream(max_error_rate=0.5)))


def test_an_error_in_the_loop_stops_the_run(tmp_path: Path, llm: Any) -> None:
    pipeline = piped(tmp_path, llm, ("ask", {}), count=300)

    async def broken() -> None:
        async with aclosing(pipeline.stream()) as stream:
            async for _ in stream:
                raise KeyError("of the reader's own")

    with pytest.raises(KeyError, match="of the reader's own"):
        asyncio.run(broken())
    assert runs.load(tmp_path / "p").summary["status"] == "stopped"


def test_two_streams_at_once(tmp_path: Path, llm: Any) -> None:
    made = [piped_in(tmp_path / name, llm) for name in ("a", "b")]

    async def both() -> list[list[pl.DataFrame]]:
        return await asyncio.gather(*(read(p.stream()) for p in made))

    assert [sum(f.height for f in frames) for frames in asyncio.run(both())] == [60, 60]


def piped_in(folder: Path, llm: Any) -> Steps:
    folder.mkdir()
    return piped(folder, llm, ("ask", {}))
