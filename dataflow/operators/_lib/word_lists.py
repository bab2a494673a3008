"""Lists of words, and how often their entries occur in texts."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from importlib import resources
from typing import Any

import polars as pl

from dataflow.core.errors import ConfigError, MissingDependency
from dataflow.operators._lib.tokens import tokenizer

Kernel = Callable[[pl.Series], pl.Series]


def entries_in(texts: pl.Expr, entries: tuple[str, ...], use_tokenizer: bool) -> pl.Expr:
    """How often entries of a list occur in each text; of several that begin at a word the longest counts.

    Case does not matter, nor does the punctuation around a word. Words are runs of letters and digits with apostrophes
    in them, and single Chinese or Japanese characters. With the tokenizer, the parts that it makes are words.
    """
    listed = _listed(entries)
    tokens = tokenizer() if use_tokenizer else None

    def count(column: pl.Series) -> pl.Series:
        if tokens:
            cells = [None if text is None else " ".join(tokens(text)) for text in column.to_list()]
            column = pl.Series(cells, dtype=pl.String)
        return listed(column).struct.field("entries")

    return texts.map_batches(count, pl.Int64)


def stop_words_in(texts: pl.Expr, language: str, use_tokenizer: bool) -> pl.Expr:
    """How many words each text has, and how many of them are stop words: a struct of `words` and `stop_words`.

    Words are as for `entries_in`, or else tokens, punctuation marks among them.
    """
    stops = stop_words(language)
    count = _by_tokens(frozenset(stops)) if use_tokenizer else _by_parts(stops)
    return texts.map_batches(count, pl.Struct({"words": pl.Int64, "stop_words": pl.Int64}))


def _by_tokens(stops: frozenset[str]) -> Kernel:
    tokens = tokenizer()

    def count(column: pl.Series) -> pl.Series:
        found = [[token.lower() in stops for token in tokens(text or "")] for text in column.to_list()]
        return _struct(words=list(map(len, found)), stop_words=list(map(sum, found)))

    return count


def _by_parts(stops: tuple[str, ...]) -> Kernel:
    listed = _listed(tuple(word for word in stops if not word.startswith("'")))

    def count(column: pl.Series) -> pl.Series:
        found = listed(column).struct
        return _struct(words=found.field("parts"), stop_words=found.field("listed"))

    return count


def _struct(**columns: Any) -> pl.Series:
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.Int64)).to_struct()


@lru_cache(maxsize=64)
def _listed(entries: tuple[str, ...]) -> Kernel:
    """What counts a list in a column of texts."""
    try:
        from dataflow.kernels.listed_words import WordList, listed_words  # compiled: loads numba
    except ModuleNotFoundError as error:
        raise MissingDependency(str(error.name), "text", "Looking up words") from None
    words = WordList.of(entries)
    return lambda column: listed_words(column, words)


@cache
def block_list(language: str) -> tuple[str, ...]:
    """The packaged list of obscene words of a language, `en` or `zh`."""
    text = resources.files(__package__).joinpath(f"blocklist_{language}.txt").read_text("utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("#"))


@cache
def stop_words(language: str) -> tuple[str, ...]:
    """The stop words of a language, by its code or English name, in lower case; those of English are its function words.

    Raises:
        ConfigError: none are known.
    """
    if language in ("en", "english"):
        return tuple(resources.files(__package__).joinpath("stop_words_en.txt").read_text("utf-8").split())
    try:
        from stop_words import StopWordError, get_stop_words
    except ModuleNotFoundError as error:
        raise MissingDependency(str(error.name), "text", "Lists of stop words") from None
    try:
        return tuple(word.lower() for word in get_stop_words(language))
    except StopWordError:
        raise ConfigError(f"no stop words are known of the language {language!r}") from None
