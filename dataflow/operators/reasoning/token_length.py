"""Answers of a length that a model can be trained on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import Field

from dataflow.core.frames import as_text
from dataflow.core.ports import Binding, In
from dataflow.core.rows import Filter, Verdict
from dataflow.operators._lib.tokenizer_files import count, missing


class ReasoningAnswerTokenLengthFilter(Filter):
    """Keep answers of at most so many tokens, as a given model's tokenizer makes them.

    Special tokens do not count. Nothing is downloaded: a name of the Hugging Face hub is looked up in this machine's cache. The tokenizer is loaded
    once. A null or blank answer is dropped.

    Raises:
        ConfigError: the tokenizer is not there, or cannot be read.
        MissingDependency: tokenizers is not installed.
    """

    measured: ClassVar[str] = "tokens"
    extras: ClassVar[tuple[str, ...]] = ("local",)

    max_answer_token_length: int = Field(8192, ge=0)
    """Most tokens kept."""
    tokenizer_dir: str = "Qwen/Qwen2.5-0.5B-Instruct"
    """A `tokenizer.json`, a folder with one, or the name of a model in the Hugging Face cache."""

    input_key = In("generated_cot", "the answer", type="any")

    def check(self, binding: Binding) -> Iterator[tuple[str, str]]:
        yield from super().check(binding)
        yield from missing("tokenizer_dir", self.tokenizer_dir)

    def keep(self, answer: Any) -> Verdict:
        text = as_text(answer)
        if not text.strip():
            return False, "blank"
        tokens = count(text, self.tokenizer_dir)
        return self.keeps(tokens), f"too long: {tokens} tokens", tokens

    def keeps(self, measure: Any) -> Any:
        return measure <= self.max_answer_token_length
