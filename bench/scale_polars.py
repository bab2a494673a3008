"""The work of the scale trial by hand: one query of polars from scan to sink, without this package."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl

URL, SPACE, WORD = r"https?://\S+", r"\s+", r"[A-Za-z]+"
MIN_CHARS, MAX_CHARS, MIN_WORDS_A_CHAR = 200, 100_000, 0.1


def without_urls(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(URL, "")


def one_spaced(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(SPACE, " ").str.strip_chars()


def of_length(text: pl.Expr) -> pl.Expr:
    return text.str.len_chars().is_between(MIN_CHARS, MAX_CHARS)


def words(text: pl.Expr) -> pl.Expr:
    return text.str.count_matches(WORD).cast(pl.Int64)


def wordy(text: pl.Expr, count: pl.Expr) -> pl.Expr:
    return count / text.str.len_chars() >= MIN_WORDS_A_CHAR


def by_polars(source: str, target: str) -> None:
    """The five operators as one query, from scan to sink."""
    text = pl.col("text")
    rows = pl.scan_ndjson(source).with_columns(without_urls(text)).with_columns(one_spaced(text))
    counted = rows.filter(of_length(text)).with_columns(words(text).alias("words"))
    counted.filter(wordy(text, pl.col("words"))).sink_ndjson(target)


def peak_mb() -> float:
    """The most memory that this process has held; `ru_maxrss` would count the parent's too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024


def timed(work: Callable[[], object]) -> None:
    """Do the work, and print what it took as JSON."""
    started, cpu_before = time.perf_counter(), time.process_time()
    work()
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu_before
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu, "peak_mb": peak_mb()}))


if __name__ == "__main__":
    timed(lambda: by_polars(*sys.argv[1:]))
