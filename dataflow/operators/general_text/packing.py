"""Texts cut and joined to the length of a model's context."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from dataflow.core.frames import as_text, clean, values
from dataflow.core.ports import Binding, In, Out
from dataflow.core.rows import Expand
from dataflow.core.tables import Dataset, Selection
from dataflow.operators._lib.chunks import chunks
from dataflow.operators._lib.draws import joined_arrays, numbers
from dataflow.operators._lib.packing import best_fit_decreasing, next_fit
from dataflow.operators._lib.tokenizer_files import count, counts, missing

WORDS_KNOWN, WORD_CHARS = 1 << 14, 32
"""Words whose tokens are remembered while a text is cut, and how long they may be."""


class _Measured(BaseModel):
    """Measures texts: in tokens of a tokenizer where one is named, else in words or characters."""

    model_config = ConfigDict(frozen=True)

    tokenizer: str | None = None
    """A `tokenizer.json`, a folder with one, or the name of a model in the Hugging Face cache, in whose tokens is counted."""
    unit: Literal["word", "char"] = "word"
    """What is counted where no tokenizer is named: words parted by white space, or characters."""

    def check(self, binding: Binding) -> Iterator[tuple[str, str]]:
        yield from super().check(binding)  # type: ignore[misc]
        if self.tokenizer is not None:
            yield from missing("tokenizer", self.tokenizer)

    def size_of(self) -> Callable[[str], int]:
        if self.tokenizer is not None:
            counted = partial(count, tokenizer=self.tokenizer)
            known = lru_cache(WORDS_KNOWN)(counted)
            return lambda text: known(text) if len(text) <= WORD_CHARS else counted(text)
        return len if self.unit == "char" else lambda text: len(text.split())

    def sizes_of(self, texts: pl.Series) -> NDArray[np.float64]:
        """The size of each text; NaN for null."""
        if self.tokenizer is not None:
            return numbers(counts(texts, self.tokenizer))
        if self.unit == "char":
            return numbers(texts.str.len_chars())
        return numbers(texts.str.count_matches(r"[^\s\x1c-\x1f]+"))


class TokenChunkSplitter(_Measured, Expand):
    """Cut a text into chunks of at most so many tokens, a row each, which join to the text again.

    It is cut between lines; in a line that is too long between sentences, then between words, and only a word that is
    itself too long is cut inside. Each chunk is as long as that allows: tokens are counted for its parts, so that a chunk may
    have a few fewer than were counted. A text that is blank makes no rows.

    Raises:
        ConfigError: the tokenizer is not there, or cannot be read.
        MissingDependency: tokenizers is not installed.
    """

    leading: ClassVar[tuple[str, ...]] = ("max_size",)
    max_size: int = Field(2048, ge=1)
    """Most tokens, words or characters of a chunk."""

    input_key = In("raw_content", "the text to cut")
    output_key = Out(doc="the chunk; the column read, unless named", like="input_key")

    def expand(self, text: str) -> list[str]:
        return [chunk for chunk in chunks(text, self.max_size, self.size_of()) if chunk.strip()]


@dataclass(frozen=True)
class _Batch:
    texts: pl.Series
    sizes: NDArray[np.float64]


class SequencePackRefiner(_Measured, Dataset):
    """Join texts to as few sequences of at most so many tokens as possible, and cut none of them.

    By best-fit decreasing (Ding et al. 2024, "Fewer Truncations Improve Language Modeling", arXiv 2404.10830): the longest
    texts first, each into the fullest sequence that has room for it. With `method="in_order"` neighbours are joined, as in
    plain concatenation, and a sequence ends before the text that would exceed it. In a sequence texts come in the order of the table,
    with `separator` between them, whose own tokens count. A sequence stands in the row of its first text, and the others are dropped as
    `joined: to row 3`.

    Sizes are counted here, or read from `input_size_key`. Null and blank texts are dropped, and texts that are too long by themselves
    as `too long`: cut those before, by `TokenChunkSplitter`. A tokenizer may count a joint otherwise than its parts: let the
    separator be a token of its own. All texts are held in memory.

    Raises:
        ConfigError: the tokenizer is not there, or cannot be read.
        MissingDependency: tokenizers is not installed.
    """

    kernel: ClassVar[str] = "digest"
    leading: ClassVar[tuple[str, ...]] = ("max_size",)
    max_size: int = Field(2048, ge=1)
    """Most tokens, words or characters of a sequence."""
    method: Literal["best_fit", "in_order"] = "best_fit"
    """Which texts are joined: those that fit best, or neighbours."""
    separator: str = "\n\n"
    """What is put between two texts, such as the token at the end of a text."""

    input_key = In("raw_content", "the text")
    input_size_key = In(None, "its tokens, where they are known", type="number", optional=True)
    output_key = Out(doc="the sequence; the column read, unless named", like="input_key")
    output_size_key = Out("sequence_size", "its tokens, words or characters", type="int")
    output_count_key = Out("sequence_texts", "the texts in it", type="int")

    def digest(self, column: pl.Series, sizes: pl.Series | None) -> _Batch:
        texts = column
        if texts.dtype != pl.String:
            cells = [None if v is None else as_text(v) for v in values(column)]
            texts = pl.Series(column.name, [c and clean(c) for c in cells], dtype=pl.String)
        blank = ~texts.str.contains(r"[^\s\x1c-\x1f]").fill_null(value=False)
        found = self.sizes_of(texts) if sizes is None else numbers(sizes)
        return _Batch(texts, np.where(blank.to_numpy(), np.nan, np.ceil(found)))

    def choose(self, digests: list[Any]) -> Selection:
        sizes = joined_arrays([d.sizes for d in digests], np.float64)
        between = int(self.sizes_of(pl.Series([self.separator]))[0])
        able = np.flatnonzero((sizes >= 0) & (sizes <= self.max_size))
        known = sizes[able].astype(np.int64) + between
        pack = best_fit_decreasing if self.method == "best_fit" else next_fit
        bins = pack(known, self.max_size + between)  # type: ignore[arg-type]
        order = np.argsort(bins, kind="stable")
        begins = np.flatnonzero(np.diff(bins[order], prepend=-1))
        packs = [members.tolist() for members in np.split(able[order], begins[1:]) if len(members)]
        leads = {row: pack[0] for pack in packs for row in pack}

        def reason(row: int) -> str:
            if row in leads:
                return f"joined: to row {leads[row]}"
            return "null" if np.isnan(sizes[row]) else f"too long: {sizes[row]:.0f}"

        return Selection(
            sorted(pack[0] for pack in packs), self._columns(digests, sizes, packs, between), reason
        )

    def _columns(
        self, digests: list[_Batch], sizes: NDArray[np.float64], packs: list[list[int]], between: int
    ) -> dict[str, list[Any]]:
        texts = [text for digest in digests for text in digest.texts.to_list()]
        joined, size, count = list(texts), [None] * len(texts), [None] * len(texts)
        made: dict[str, list[Any]] = {
            "output_key": joined,
            "output_size_key": size,
            "output_count_key": count,
        }
        for pack in packs:
            whole = int(sizes[pack].sum()) + between * (len(pack) - 1)
            made["output_key"][pack[0]] = self.separator.join(texts[row] for row in pack)
            made["output_size_key"][pack[0]], made["output_count_key"][pack[0]] = whole, len(pack)
        return made
