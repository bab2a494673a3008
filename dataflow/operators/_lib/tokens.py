"""Words and punctuation marks, parted as in the Penn Treebank."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from dataflow.core.errors import MissingDependency
from dataflow.operators._lib.sentences import is_abbreviated

Tokens = Callable[[str], list[str]]


def tokenizer() -> Tokens:
    """What gives the words and punctuation marks of a text; a full stop stays with an abbreviation or an initial.

    Raises:
        MissingDependency: nltk is not installed.
    """
    try:
        from nltk.tokenize import NLTKWordTokenizer
    except ModuleNotFoundError as error:
        raise MissingDependency(str(error.name), "text", "Parting words as in the Penn Treebank") from None
    tokenize: Tokens = NLTKWordTokenizer().tokenize
    return lambda text: [part for token in tokenize(text) for part in _parted(token)]


def _parted(token: str) -> tuple[str, ...]:
    """A word without the full stop that ends its sentence, and that; the tokenizer parts only the last of a text."""
    ends = token.endswith(".") and token[:-1].isalnum() and not is_abbreviated(token)
    return (token[:-1], ".") if ends else (token,)


def share(texts: pl.Expr, wanted: Callable[[str], bool]) -> pl.Expr:
    """The share of the tokens of each text that are wanted; null for null, NaN for a text without any."""
    tokens = tokenizer()

    def of(text: str | None) -> float | None:
        if text is None:
            return None
        found = tokens(text)
        return sum(map(wanted, found)) / len(found) if found else float("nan")

    return texts.map_batches(lambda c: pl.Series(map(of, c.to_list()), dtype=pl.Float64), pl.Float64)
