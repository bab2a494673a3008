"""Dropping rows whose text, or a slice of it, was there before."""

from __future__ import annotations

import hashlib
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from dataflow.operators._lib.duplicates import DuplicateFilter, Rows, compiled, first_equal, hash128

HashFunc = Literal["md5", "sha256", "xxh3"]


class HashDeduplicateFilter(DuplicateFilter):
    """Keep the first of each set of rows with the same text.

    Texts are compared by 128 bits of a hash, which ten million different texts share with a probability of 1e-25.
    Rows without text (null or blank) are kept: nothing is known of them. Memory: 16 bytes a row, and about 40 more
    while they are compared; ten million rows take half a gigabyte.
    """

    hash_func: HashFunc = "md5"
    """`sha256` is SHA-256, for which nobody can make up two texts; `md5` and `xxh3` both mean the fast hash of polars, for equal texts are equal by any hash."""
    normalise: bool = False
    """Whether letter case does not count, and any white space counts as one space."""
    reference: str | None = None
    """A Parquet, JSONL, CSV or Arrow file with the columns read: rows that repeat one of its rows are dropped. A run that goes on does not notice where it has changed."""

    def signatures(self, texts: pl.Series) -> NDArray[np.uint64]:
        plain = folded(texts) if self.normalise else texts
        return sha256(plain) if self.hash_func == "sha256" else hash128(plain)

    def originals(self, signatures: NDArray[Any]) -> Rows:
        return first_equal(signatures)

    def similarity(self, one: NDArray[Any], other: NDArray[Any]) -> float | None:
        return 1.0


class NgramHashDeduplicateFilter(DuplicateFilter):
    """Keep rows whose text shares fewer than a number of slices with every kept row.

    A text is cut into `n_gram` consecutive slices of equal length, in characters; what remains at the end does not count.
    A text shorter than that is compared whole, and texts of the same slices always share enough. This finds texts that differ in one place and are of the same length
    there: an insertion shifts all slices after it, so that only those before it are still the same. With `paragraphs`
    the slices are the text's paragraphs, which an insertion does not shift.

    Rows without text (null or blank) are kept. Memory: 8 bytes a slice, and about 40 more while they are compared; ten
    million rows of three slices take 1.5 GB.
    """

    n_gram: int = Field(3, ge=1)
    """How many slices a text is cut into."""
    hash_func: HashFunc = "md5"
    """Accepted and of no effect: which slices are the same does not depend on it; 64 bits of polars' hash are compared."""
    diff_size: int = Field(1, ge=1)
    """From this number of shared slices on a row is dropped."""
    paragraphs: bool = False
    """Whether the slices are the first `n_gram` paragraphs (lines that are not blank) instead."""

    def signatures(self, texts: pl.Series) -> NDArray[np.uint64]:
        frame = texts.alias("text").to_frame()
        slices = self._paragraphs() if self.paragraphs else self._slices()
        hashes = frame.select(s.hash(11).alias(str(i)) for i, s in enumerate(slices))
        absent = frame.select(s.is_null().alias(str(i)) for i, s in enumerate(slices)).to_numpy()
        made = hashes.to_numpy().astype(np.uint64)
        return np.where(absent, made[:, :1], made)

    def _slices(self) -> list[pl.Expr]:
        text = pl.col("text")
        chars = text.str.len_chars()
        size = chars // self.n_gram
        whole = pl.lit("\0whole\0") + text
        return [
            pl.when(size > 0).then(text.str.slice(i * size, size)).otherwise(whole if i == 0 else None)
            for i in range(self.n_gram)
        ]

    def _paragraphs(self) -> list[pl.Expr]:
        lines = pl.col("text").str.extract_all(r"[^\n]*\S[^\n]*").list
        return [lines.get(i, null_on_oob=True).str.strip_chars() for i in range(self.n_gram)]

    def originals(self, signatures: NDArray[Any]) -> Rows:
        rows: Rows = compiled("clusters").first_sharing(signatures, self.diff_size)
        return rows


def folded(texts: pl.Series) -> pl.Series:
    """Texts in lower case, any white space as one space, none at the ends."""
    return texts.str.to_lowercase().str.replace_all(r"[\s\x1c-\x1f]+", " ").str.strip_chars()


def sha256(texts: pl.Series) -> NDArray[np.uint64]:
    """The first 128 bits of the SHA-256 of each text."""
    digests = b"".join(hashlib.sha256(t.encode()).digest()[:16] for t in texts.to_list())
    return np.frombuffer(digests, np.uint64).reshape(-1, 2)
