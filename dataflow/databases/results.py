"""Rows and faults of a query, the same for all engines."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from dataflow.databases.connector import Fault, Limits, QueryResult

Rows = tuple[tuple[Any, ...], ...]
_NESTED = frozenset([list, tuple, dict, set])
_CELL = 16
"""Bytes that a value is counted as at least."""


class TooLarge(Exception):
    """A result is over the limit of rows or bytes."""


def collect(rows: Iterable[tuple[Any, ...]], limits: Limits) -> Rows:
    """The rows, as long as they stay within the limits.

    Raises:
        TooLarge: there are more.
    """
    kept: list[tuple[Any, ...]] = []
    left, free = limits.bytes, limits.rows
    for row in rows:
        left -= _CELL * len(row)
        for value in row:
            kind = type(value)
            if kind is str or kind is bytes:
                left -= len(value)
            elif kind in _NESTED:
                left -= size_of((value,))
        free -= 1
        if left < 0 or free < 0:
            limit = f"{limits.bytes:,} bytes" if left < 0 else f"{limits.rows:,} rows"
            raise TooLarge(f"the result has more than {limit}")
        kept.append(row)
    return tuple(kept)


def size_of(row: tuple[Any, ...]) -> int:
    """About how many bytes a row takes."""
    size = _CELL * len(row)
    for value in row:
        kind = type(value)
        if kind is str or kind is bytes:
            size += len(value)
        elif kind in _NESTED:
            size += size_of((*value, *value.values()) if kind is dict else tuple(value))
    return size


def timed(
    run: Callable[[], tuple[tuple[str, ...], Rows]],
    fault_of: Callable[[Exception], tuple[Fault, str]],
) -> QueryResult:
    """Run a query and say what came of it; no exception of it gets out."""
    started = time.perf_counter()
    try:
        columns, rows = run()
    except TooLarge as error:
        return failed(Fault.TOO_LARGE, str(error), started)
    except MemoryError:
        return failed(Fault.TOO_LARGE, "the engine ran out of the memory it may use", started)
    except Exception as error:  # noqa: BLE001  # a driver may raise anything for what a query does
        fault, message = fault_of(error)
        return failed(fault, message, started)
    return QueryResult(True, columns, rows, seconds=time.perf_counter() - started)


def failed(fault: Fault, message: str, started: float | None = None) -> QueryResult:
    """The result of a query that gave none."""
    seconds = time.perf_counter() - started if started is not None else 0.0
    return QueryResult(False, error=message or str(fault), fault=fault, seconds=seconds)


def over_time(limits: Limits) -> str:
    """What is said of a query that was stopped."""
    return f"stopped after {limits.seconds:g} s"
