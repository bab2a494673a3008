"""How long a text is for a model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import polars as pl

from dataflow.core.ports import Binding, In, Out
from dataflow.core.rows import Map
from dataflow.operators._lib.tokenizer_files import count, counts, missing


class TokenCountSampleEvaluator(Map):
    """Count the tokens of each text, as a given model's tokenizer makes them; null gives null.

    Nothing is downloaded: a name of the Hugging Face hub is looked up in this machine's cache. Texts are counted whole, even
    where the tokenizer's file asks for truncation or padding.

    Raises:
        ConfigError: the tokenizer is not there, or cannot be read.
        MissingDependency: tokenizers is not installed.
    """

    extras: ClassVar[tuple[str, ...]] = ("local",)

    tokenizer: str
    """A `tokenizer.json`, a folder with one, or the name of a model in the Hugging Face cache."""
    special_tokens: bool = False
    """Whether the tokens that the model puts around a text are counted."""

    input_key = In("raw_content", "the text")
    output_key = Out("token_count", "how many tokens it has", type="int")

    def check(self, binding: Binding) -> Iterator[tuple[str, str]]:
        yield from super().check(binding)
        yield from missing("tokenizer", self.tokenizer)

    def map(self, text: str) -> int:
        return count(text, self.tokenizer, special_tokens=self.special_tokens)

    def map_batch(self, texts: pl.Series) -> pl.Series:
        return counts(texts, self.tokenizer, special_tokens=self.special_tokens)
