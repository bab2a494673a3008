"""This package's side of the scale trial: pipelines, each run in a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import dataflow  # noqa: F401  # before polars: it tells polars' allocator how to keep memory
from bench.scale_polars import MIN_WORDS_A_CHAR, of_length, one_spaced, timed, without_urls, words, wordy
from dataflow.core import Filter, In, Map, Out
from dataflow.operators.core_text import PromptedGenerator
from dataflow.pipeline import PipelineABC
from dataflow.serving import APILLMServing
from dataflow.storage import FileStorage

if TYPE_CHECKING:
    import polars as pl

WORKERS = 128


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


WORK: dict[str, Callable[..., Any]] = {
    "pipeline": lambda source, cache: Cleaning(source, cache).run(progress=False),
    "rows": lambda source, cache: CleaningByRows(source, cache).run(progress=False),
    "models": lambda source, cache, url: Asking(source, cache, url).run(progress=False),
}


if __name__ == "__main__":
    timed(lambda: WORK[sys.argv[1]](*sys.argv[2:]))
