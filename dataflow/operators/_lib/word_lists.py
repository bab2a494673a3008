"""Lists of words, and how often their entries occur in texts."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib import resources
from typing import Any

import polars as pl

from dataflow.core.errors import MissingDependency
from dataflow.operators._lib.tokens import tokens


def entries_in(texts: pl.Expr, entries: tuple[str, ...], use_tokenizer: bool) -> pl.Expr:
    """How often entries of a list occur in each text; of several that begin at a word the longest counts.

    Case does not matter, nor does the punctuation around a word. Words are runs of letters and digits with apostrophes
    in them, and single Chinese or Japanese characters. With the tokenizer, the parts that it makes are words.
    """

    def count(column: pl.Series) -> pl.Series:
        if use_tokenizer:
            cells = [None if text is None else " ".join(tokens(text)) for text in column.to_list()]
            column = pl.Series(cells, dtype=pl.String)
        return _listed(column, entries).struct.field("entries")

    return texts.map_batches(count, pl.Int64)


def stop_words_in(texts: pl.Expr, language: str, use_tokenizer: bool) -> pl.Expr:
    """How many words each text has, and how many of them are stop words: a struct of `words` and `stop_words`.

    Words are as for `entries_in`, or else tokens, punctuation marks among them.
    """
    stops = stop_words(language)

    def count(column: pl.Series) -> pl.Series:
        if not use_tokenizer:
            found = _listed(column, tuple(word for word in stops if not word.startswith("'")))
            return pl.DataFrame(
                {"words": found.struct.field("parts"), "stop_words": found.struct.field("listed")}
            ).to_struct()
        known = frozenset(word.lower() for word in stops)
        cells = [[token.lower() in known for token in tokens(text or "")] for text in column.to_list()]
        return pl.DataFrame(
            {"words": [len(c) for c in cells], "stop_words": [sum(c) for c in cells]}, schema=fields
        ).to_struct()

    fields = dict.fromkeys(("words", "stop_words"), pl.Int64)
    return texts.map_batches(count, pl.Struct(fields))


def _listed(column: pl.Series, entries: tuple[str, ...]) -> pl.Series:
    try:
        from dataflow.kernels.listed_words import listed_words  # compiled: loads numba
    except ModuleNotFoundError as error:
        raise MissingDependency(str(error.name), "text", "Looking up words") from None
    return listed_words(column, _compiled(entries))


@lru_cache(maxsize=64)
def _compiled(entries: tuple[str, ...]) -> Any:
    """A list as the kernel takes it."""
    from dataflow.kernels.listed_words import WordList  # compiled: loads numba

    return WordList.of(entries)


@cache
def block_list(language: str) -> tuple[str, ...]:
    """The packaged list of obscene words of a language, `en` or `zh`."""
    text = resources.files(__package__).joinpath(f"blocklist_{language}.txt").read_text("utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("#"))


@cache
def stop_words(language: str) -> tuple[str, ...]:
    """The stop words of a language, by its two-letter code; those of English are its function words alone."""
    if language == "en":
        return tuple(resources.files(__package__).joinpath("stop_words_en.txt").read_text("utf-8").split())
    try:
        from stop_words import get_stop_words
    except ModuleNotFoundError as error:
        raise MissingDependency(str(error.name), "text", "Lists of stop words") from None
    return tuple(get_stop_words(language))
