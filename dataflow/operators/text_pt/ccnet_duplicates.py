"""Dropping documents, or paragraphs, that were there before but for case, digits and punctuation (CCNet)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from dataflow.core.frames import values
from dataflow.core.ports import Binding, In, Out
from dataflow.core.rows import output_series
from dataflow.core.tables import Dataset, Selection
from dataflow.operators._lib.duplicates import Digest, DuplicateFilter, Rows, compiled, first_equal, spelt


class CCNetDeduplicateFilter(DuplicateFilter):
    """Keep the first of each set of documents that are the same but for case, digits and punctuation.

    Documents are compared as CCNet compares paragraphs (Wenzek et al. 2020): lower case, each digit as 0, without
    punctuation, white space as one space or line break; then the first bits of the SHA-1. To drop single paragraphs that were there before
    use `ParagraphDeduplicateRefiner`. Rows without text, or with nothing but punctuation, are kept: nothing is known of
    them. Memory: 16 bytes a row, and about 40 more while they are compared.
    """

    bit_length: int = Field(64, ge=32, le=128, multiple_of=8)
    """Bits of the SHA-1 that are compared, from the first on; with 32, some ten of 300,000 different documents are dropped."""

    def digest(self, texts: pl.Series, scores: pl.Series | None = None) -> Digest:
        size = self.bit_length // 8
        plain = compiled("folding").folded_bytes(texts)
        hashes = b"".join(_sha1(text)[:size].ljust(16, b"\0") for text in plain if text)
        return Digest(
            np.array([bool(text) for text in plain], bool), np.frombuffer(hashes, "<u8").reshape(-1, 2)
        )

    def originals(self, signatures: NDArray[Any]) -> Rows:
        return first_equal(signatures)

    def similarity(self, one: NDArray[Any], other: NDArray[Any]) -> float | None:
        return 1.0


class ParagraphDeduplicateRefiner(Dataset):
    """Take out the paragraphs that were there before but for case, digits and punctuation.

    As in CCNet (Wenzek et al. 2020): a paragraph is a line, compared in lower case, each digit as 0, without punctuation; one
    that an earlier row has, or its own row above, is taken out.
    Lines without letters or digits are left as they are, but a text from which something is taken out begins and ends with no
    line break. A text of which nothing is left becomes empty; null stays null. Memory: 8 bytes a paragraph, and 25 more
    while they are compared; ten million rows of 20 paragraphs take 7 GB.
    """

    min_chars: int = Field(0, ge=0)
    """Paragraphs of fewer characters, once compared, are never taken out."""

    input_key = In("raw_content", "the text")
    output_key = Out(like="input_key", doc="the text without them")

    def digest(self, texts: pl.Series) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """The hash of each paragraph, 0 for one that is never taken out, and how many there are in each row."""
        lines = _texts(texts).str.split("\n")
        every = lines.explode(empty_as_null=False, keep_nulls=False)
        hashes, chars = compiled("folding").folded_hashes(every).T
        counts = lines.list.len().fill_null(0).cast(pl.Int64).to_numpy()
        return np.where(chars >= max(1, self.min_chars), np.maximum(hashes, 1), np.uint64(0)), counts

    def choose(self, digests: list[Any]) -> Selection:
        hashes = np.concatenate([np.zeros(0, np.uint64), *(h for h, _ in digests)])
        counts = np.concatenate([np.zeros(0, np.int64), *(c for _, c in digests)])
        digests.clear()
        gone = hashes != 0
        gone[np.unique(hashes, return_index=True)[1]] = False
        removed = int(gone.sum())
        return _Removal(
            gone=gone, starts=np.append(0, counts.cumsum()), metrics={"paragraphs_removed": removed}
        )

    def enact(self, frame: pl.DataFrame, first: int, selection: Selection, binding: Binding) -> pl.DataFrame:
        assert isinstance(selection, _Removal)
        cells = values(frame[str(binding.first_read)])
        starts = selection.starts[first : first + len(cells) + 1]
        inside = np.append(0, selection.gone[starts[0] : starts[-1]].cumsum())[starts - starts[0]]
        for i in np.flatnonzero(np.diff(inside)):
            gone = selection.gone[starts[i] : starts[i + 1]]
            left = [line for line, lost in zip(cells[i].split("\n"), gone, strict=True) if not lost]
            cells[i] = "\n".join(left).strip("\r\n")
        made = [output_series(c, cells, self.outputs[p], frame) for p, c in binding.writes.items()]
        return frame.with_columns(made)


@dataclass
class _Removal(Selection):
    """Which paragraphs are taken out, of all rows one after the other, and where each row's begin."""

    gone: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    starts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))


def _texts(column: pl.Series) -> pl.Series:
    """The texts of a column as they can be hashed; what is no text is left alone."""
    if column.dtype == pl.String:
        return column
    cells = [spelt(cell) if isinstance(cell, str) else None for cell in values(column)]
    return pl.Series(cells, dtype=pl.String)


def _sha1(text: memoryview) -> bytes:
    return hashlib.sha1(text, usedforsecurity=False).digest()
