"""Words and punctuation marks, parted as in the Penn Treebank."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import polars as pl

from dataflow.core.errors import MissingDependency
from dataflow.operators._lib.sentences import is_abbreviated


def tokens(text: str) -> list[str]:
    """The words and punctuation marks of a text; a full stop stays with an abbreviation or an initial.

    Raises:
        MissingDependency: nltk is not installed.
    """
    found: list[str] = []
    for token in _tokenizer().tokenize(text):
        ends = len(token) > 1 and token.endswith(".") and token[:-1].isalnum() and not is_abbreviated(token)
        found += [token[:-1], "."] if ends else [token]
    return found


def share(texts: pl.Expr, wanted: Callable[[str], bool]) -> pl.Expr:
    """The share of the tokens of each text that are wanted; null for null, NaN for a text without any."""

    def of(text: str | None) -> float | None:
        if text is None:
            return None
        found = tokens(text)
        return sum(map(wanted, found)) / len(found) if found else float("nan")

    return texts.map_batches(lambda c: pl.Series(map(of, c.to_list()), dtype=pl.Float64), pl.Float64)


@cache
def _tokenizer() -> Any:
    try:
        from nltk.tokenize import NLTKWordTokenizer
    except ModuleNotFoundError as error:
        raise MissingDependency(str(error.name), "text", "Parting words as in the Penn Treebank") from None
    return NLTKWordTokenizer()
