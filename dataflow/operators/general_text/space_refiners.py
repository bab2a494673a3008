"""Refiners of white space, case and repeated marks."""

from __future__ import annotations

import polars as pl

from dataflow.core.errors import MissingDependency
from dataflow.operators._lib.text_refiner import TextRefiner


class LowercaseRefiner(TextRefiner):
    """Put a text into lower case, by the rules of Unicode."""

    def expr(self, text: pl.Expr) -> pl.Expr:
        return text.str.to_lowercase()


class RemoveExtraSpacesRefiner(TextRefiner):
    """Put one space for each run of white space, and none at the ends.

    White space is what Unicode calls so, no-break and ideographic spaces among it, and the separators U+001C to
    U+001F, as for `str.split`. Line breaks are white space too: with the default a text becomes one line, and operators that judge lines must come before, or
    `keep_newlines` be set.
    """

    keep_newlines: bool = False
    """Whether lines stay: each is trimmed, and several line breaks in a row become one empty line."""

    def map_batch(self, texts: pl.Series) -> pl.Series:
        try:
            from dataflow.kernels.rewriting import collapsed_spaces  # compiled: loads numba
        except ModuleNotFoundError as error:
            raise MissingDependency(str(error.name), "text", "Collapsing white space") from None
        return collapsed_spaces(texts, keep_newlines=self.keep_newlines)


class RemoveRepetitionsPunctuationRefiner(TextRefiner):
    """Put one of a punctuation mark or symbol that is repeated: `...` becomes `.`, and `!!!` becomes `!`.

    Marks are collapsed only where they are the same: `?!?!` stays. The two halves of a flag, such as that of
    Barbados, are no repetition.
    """

    def map_batch(self, texts: pl.Series) -> pl.Series:
        try:
            from dataflow.kernels.rewriting import collapsed_repeats  # compiled: loads numba
        except ModuleNotFoundError as error:
            raise MissingDependency(str(error.name), "text", "Collapsing repeated marks") from None
        return collapsed_repeats(texts)
