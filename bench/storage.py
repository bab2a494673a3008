"""What reading and writing a table costs, beside polars alone doing the same: the physical limit here."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

from dataflow.storage import FileStorage

ROWS, REPEATS = 100_000, 3


def measure() -> Iterator[str]:
    """A line a format: a step's read and write through FileStorage, and by polars alone."""
    frame = _frame()
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("jsonl", "parquet"):
            mine, bare, size = _both(frame, kind, Path(folder))
            yield f"{kind}, {ROWS:,} rows, {size:.0f} MB: write and read {mine:.2f} s, polars alone {bare:.2f} s, ratio {mine / bare:.2f}"


def _frame() -> pl.DataFrame:
    draw = random.Random(1)
    words = ["whale", "sea", "harpoon", "Nantucket", "007", "1e5", "mast", "ship's", "oil", "ambergris"]
    texts = [" ".join(draw.choices(words, k=100)) for _ in range(1000)]
    columns = {"id": [f"{i:07d}" for i in range(ROWS)], "text": [texts[i % 1000] for i in range(ROWS)]}
    return pl.DataFrame(columns | {"score": [i / 7 for i in range(ROWS)], "tags": [["a", "b"]] * ROWS})


def _both(frame: pl.DataFrame, kind: str, folder: Path) -> tuple[float, float, float]:
    source = folder / f"in.{kind}"
    _bare_write(frame, kind, source)
    mine = step_seconds(source, folder / "cache", kind)
    bare = min(_timed(lambda: _bare(kind, source, folder / f"out.{kind}")) for _ in range(REPEATS))
    return mine, bare, source.stat().st_size / 1e6


def step_seconds(source: Path, cache: Path, kind: str = "jsonl") -> float:
    """The fastest of some times for a step's read, its write, and the next step's read."""
    return min(_timed(lambda n=n: _step(source, kind, cache / f"{n}")) for n in range(REPEATS))  # type: ignore[misc]


def _step(source: Path, kind: str, cache: Path) -> None:
    """Read the source as a first step does, write its table, and read that as the next step does."""
    storage = FileStorage(str(source), cache_path=str(cache), cache_type=kind)
    first = storage.step()
    first.put(first.frame())
    storage.step().frame()


def _bare(kind: str, source: Path, target: Path) -> None:
    _bare_write(_bare_read(kind, source), kind, target)
    _bare_read(kind, target)


def _bare_read(kind: str, path: Path) -> pl.DataFrame:
    return pl.read_ndjson(path) if kind == "jsonl" else pl.read_parquet(path)


def _bare_write(frame: pl.DataFrame, kind: str, path: Path) -> None:
    frame.write_ndjson(path) if kind == "jsonl" else frame.write_parquet(path)


def _timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
