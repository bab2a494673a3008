"""A run as a stream: its rows go to an `async for` loop as they come through, no faster than it takes them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import polars as pl

from dataflow.core import background

AHEAD = 4
"""Frames that wait for a slow reader, at most; then the rows behind them wait where they are."""


class Handover:
    """Frames on their way from the threads of a run to the event loop that reads them."""

    def __init__(self, ahead: int) -> None:
        self.frames: asyncio.Queue[pl.DataFrame | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._room, self._closed = threading.Semaphore(ahead), threading.Event()

    def give(self, frame: pl.DataFrame) -> None:
        """Hand over a frame from another thread, once there is room."""
        self._room.acquire()
        if not self._closed.is_set():
            self._loop.call_soon_threadsafe(self.frames.put_nowait, frame)

    async def take(self) -> pl.DataFrame | None:
        """The next frame; null after the last."""
        frame = await self.frames.get()
        self._room.release()
        return frame

    def close(self) -> None:
        """Let go of a thread that waits for room: nobody reads any more."""
        self._closed.set()
        self._room.release()


async def stream(run: Callable[..., Any], **options: Any) -> AsyncIterator[pl.DataFrame]:
    """The rows of `run(on_rows=…, **options)`, which runs on a thread of its own and is stopped with the reader."""
    handover, stopper = Handover(AHEAD), background.Stopper()

    def work() -> None:
        background.stopper.set(stopper)
        run(on_rows=handover.give, **options)

    task = asyncio.create_task(asyncio.to_thread(work))
    task.add_done_callback(lambda _: handover.frames.put_nowait(None))
    try:
        while (frame := await handover.take()) is not None:
            yield frame
        await task
    finally:
        handover.close()
        stopper.stop()
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()
