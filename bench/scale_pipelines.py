"""The two sides of the scale trial, each run in a process of its own: this package's pipelines, and polars by hand."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from dataflow.core import Filter, In, Map, Out
from dataflow.operators.core_text import PromptedGenerator
from dataflow.pipeline import PipelineABC
from dataflow.serving import APILLMServing
from dataflow.storage import FileStorage

URL, SPACE, WORD = r"https?://\S+", r"\s+", r"[A-Za-z]+"
MIN_CHARS, MAX_CHARS, MIN_WORDS_A_CHAR = 200, 100_000, 0.1
WORKERS = 128


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


class NoUrls(Map):
    """Take web addresses out."""

    input_key = In("text", type="text")
    output_key = Out("text", type="text")

    def expr(self, text: pl.Expr) -> pl.Expr:
        return without_urls(text)


class OneSpaced(Map):
    """Make one space of every run of white space."""

    input_key = In("text", type="text")
    output_key = Out("text", type="text")

    def expr(self, text: pl.Expr) -> pl.Expr:
        return one_spaced(text)


class OfLength(Filter):
    """Keep texts of a length."""

    input_key = In("text", type="text")

    def expr(self, text: pl.Expr) -> pl.Expr:
        return of_length(text)


class WordCount(Map):
    """Count runs of Latin letters."""

    input_key = In("text", type="text")
    output_key = Out("words", type="int")

    def expr(self, text: pl.Expr) -> pl.Expr:
        return words(text)


class Wordy(Filter):
    """Keep texts that have enough words for their length."""

    input_key = In("text", type="text")
    input_words_key = In("words", type="int")

    def expr(self, text: pl.Expr, count: pl.Expr) -> pl.Expr:
        return wordy(text, count)


class WordyByRows(Filter):
    """The same, one row at a time in Python."""

    input_key = In("text", type="text")
    input_words_key = In("words", type="int")

    def keep(self, text: str, count: int) -> bool:
        return count / len(text) >= MIN_WORDS_A_CHAR if text else False


class Cleaning(PipelineABC):
    """Five row operators."""

    last: type[Filter] = Wordy

    def __init__(self, source: str, cache: str) -> None:
        super().__init__()
        self.storage = FileStorage(source, cache_path=cache, file_name_prefix="scale", cache_type="jsonl")
        self.no_urls, self.one_spaced, self.of_length = NoUrls(), OneSpaced(), OfLength()
        self.word_count, self.wordy = WordCount(), self.last()

    def forward(self) -> None:
        self.no_urls.run(self.storage.step(), input_key="text", output_key="text")
        self.one_spaced.run(self.storage.step(), input_key="text", output_key="text")
        self.of_length.run(self.storage.step(), input_key="text")
        self.word_count.run(self.storage.step(), input_key="text", output_key="words")
        self.wordy.run(self.storage.step(), input_key="text", input_words_key="words")


class CleaningByRows(Cleaning):
    """The last one in Python, row by row."""

    last = WordyByRows


class Asking(PipelineABC):
    """One model call a row."""

    def __init__(self, source: str, cache: str, url: str) -> None:
        super().__init__()
        self.storage = FileStorage(source, cache_path=cache, file_name_prefix="scale", cache_type="jsonl")
        self.ask = PromptedGenerator(APILLMServing(api_url=url, model_name="m", max_workers=WORKERS))

    def forward(self) -> None:
        self.ask.run(self.storage.step(), input_key="text", output_key="reply")


def by_polars(source: str, target: str) -> None:
    """The work of `Cleaning` as one query of polars, from scan to sink."""
    text = pl.col("text")
    rows = pl.scan_ndjson(source).with_columns(without_urls(text)).with_columns(one_spaced(text))
    counted = rows.filter(of_length(text)).with_columns(words(text).alias("words"))
    counted.filter(wordy(text, pl.col("words"))).sink_ndjson(target)


def peak_mb() -> float:
    """The most memory that this process has held; `ru_maxrss` would count the parent's too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024


WORK: dict[str, Callable[..., Any]] = {
    "pipeline": lambda source, cache: Cleaning(source, cache).run(progress=False),
    "rows": lambda source, cache: CleaningByRows(source, cache).run(progress=False),
    "polars": by_polars,
    "models": lambda source, cache, url: Asking(source, cache, url).run(progress=False),
}


def main() -> None:
    work, *arguments = sys.argv[1:]
    started, cpu_before = time.perf_counter(), time.process_time()
    WORK[work](*arguments)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu_before
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu, "peak_mb": peak_mb()}))


if __name__ == "__main__":
    main()
