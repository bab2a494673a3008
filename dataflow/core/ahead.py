"""Work done a little ahead of whoever takes it, on threads, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
WORKERS = 2


def ahead(work: Callable[[T], R], items: Iterable[T], workers: int = WORKERS) -> Iterator[R]:
    """`work` of each item, in their order; items are taken on the caller's thread, a few more than were given back.

    It helps where `work` spends its time in polars, which lets other threads run.
    """
    with ThreadPoolExecutor(workers, "dataflow-ahead") as pool:
        waiting: deque[Future[R]] = deque()
        try:
            for item in items:
                waiting.append(_begun(pool, work, item))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _begun(pool: ThreadPoolExecutor, work: Callable[[T], R], item: T) -> Future[R]:
    try:
        return pool.submit(work, item)
    except RuntimeError:
        # no thread is to be had once the interpreter shuts down, when a lazy storage writes its last tables
        done: Future[R] = Future()
        done.set_result(work(item))
        return done
