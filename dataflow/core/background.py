"""The one background thread on which everything asynchronous runs: model calls, streams, timers."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterable
from concurrent.futures import CancelledError, Future
from contextvars import ContextVar
from typing import Any, TypeVar

from dataflow.core.errors import DataFlowError, RunStopped
from dataflow.core.protocols import Scope

T = TypeVar("T")
THREAD = "dataflow"
UNWIND_S = 10.0
"""How long Ctrl-C waits for the calls in flight to let go."""

current_scope: ContextVar[Scope | None] = ContextVar("dataflow_scope", default=None)
"""On whose behalf code on this thread calls models; set around operators that call a serving themselves."""

tracing: ContextVar[bool] = ContextVar("dataflow_tracing", default=False)
"""Whether a pipeline is being compiled, when nothing may run."""

replaying: ContextVar[bool] = ContextVar("dataflow_replaying", default=False)
"""Whether a recording answers all calls, so that no serving need be able to."""


class Stopper:
    """Stops what was run under it, from any thread, as Ctrl-C would."""

    def __init__(self) -> None:
        self._stopped, self._running = False, set[Future[Any]]()
        self._changing = threading.Lock()

    def stop(self) -> None:
        """Cancel what runs, and whatever is run from now on."""
        with self._changing:
            self._stopped, running = True, list(self._running)
        for future in running:
            future.cancel()

    def watch(self, future: Future[Any]) -> None:
        with self._changing:
            self._running.add(future)
            stopped = self._stopped
        future.add_done_callback(self._running.discard)
        if stopped:
            future.cancel()


stopper: ContextVar[Stopper | None] = ContextVar("dataflow_stopper", default=None)
"""What stops the work that this thread waits for."""

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def loop() -> asyncio.AbstractEventLoop:
    """The event loop of the background thread, started at first use."""
    global _loop
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_turn, args=(_loop,), name=THREAD, daemon=True).start()
    return _loop


def _turn(turning: asyncio.AbstractEventLoop) -> None:
    """Run the loop for ever. A Ctrl-C that polars raises on a worker thread ends a loop; whoever waits has it too."""
    while not turning.is_closed():
        with contextlib.suppress(KeyboardInterrupt, SystemExit):
            turning.run_forever()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the background thread and wait for it; Ctrl-C cancels it and is raised here.

    Raises:
        DataFlowError: called from the background thread itself, which would wait for ever.
        RunStopped: a `Stopper` was told to stop.
    """
    target = loop()
    if _is_running_on(target):
        work.close()
        raise DataFlowError("a blocking model call was made on the event loop; await its async twin instead")
    ended = threading.Event()
    future = asyncio.run_coroutine_threadsafe(_in_scope(work, current_scope.get(), ended), target)
    if (stops := stopper.get()) is not None:
        stops.watch(future)
    try:
        return future.result()
    except KeyboardInterrupt:
        future.cancel()
        ended.wait(UNWIND_S)
        raise
    except CancelledError:
        ended.wait(UNWIND_S)
        raise RunStopped("stopped from outside") from None


async def gathered(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The results of coroutines run at once. When one raises, the others are cancelled, and none outlives this."""
    tasks = [asyncio.ensure_future(w) for w in work]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


def finish(work: Coroutine[Any, Any, None], wait_s: float = 2.0) -> None:
    """Run a closing coroutine from anywhere, a finaliser on any thread included, and wait a little for it."""
    target = loop()
    future = asyncio.run_coroutine_threadsafe(work, target)
    if threading.current_thread().name != THREAD:
        with contextlib.suppress(
            Exception
        ):  # what cannot be closed any more is closed by the end of the process
            future.result(wait_s)


async def arun(work: Coroutine[Any, Any, T]) -> T:
    """Await a coroutine that runs on the background thread, from any event loop."""
    target = loop()
    if _is_running_on(target):
        return await work
    return await asyncio.wrap_future(
        asyncio.run_coroutine_threadsafe(_in_scope(work, current_scope.get()), target)
    )


async def _in_scope(
    work: Coroutine[Any, Any, T], scope: Scope | None, ended: threading.Event | None = None
) -> T:
    current_scope.set(scope)
    try:
        return await work
    finally:
        if ended is not None:
            ended.set()


def _is_running_on(target: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is target
    except RuntimeError:
        return False
