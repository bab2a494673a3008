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
from dataflow.operators._lib.duplicates import DuplicateFilter, Rows, first_equal, spelt

_DIGIT, _MARK, _GAP = r"\p{Nd}", r"[\p{P}\p{Cc}&&[^\s]]", r"[^\S\n]+"


class CCNetDeduplicateFilter(DuplicateFilter):
    """Keep the first of each set of documents that are the same but for case, digits and punctuation.

    Documents are compared as CCNet compares paragraphs (Wenzek et al. 2020): lower case, each digit as 0, punctuation
    and white space around words left out, then the first bits of the SHA-1. To drop single paragraphs that were there before
    use `ParagraphDeduplicateRefiner`. Rows without text, or with nothing but punctuation, are kept: nothing is known of
    them. Memory: 16 bytes a row, and about 40 more while they are compared.
    """

    bit_length: int = Field(64, ge=32, le=128, multiple_of=8)
    """Bits of the SHA-1 that are compared, from the first on; with 32, some ten of 300,000 different documents are dropped."""

    def has_text(self, texts: pl.Series) -> pl.Series:
        return (normalised(texts).str.len_bytes() > 0).fill_null(value=False)

    def signatures(self, texts: pl.Series) -> NDArray[np.uint64]:
        size = self.bit_length // 8
        plain = normalised(texts).to_list()
        digests = b"".join(
            hashlib.sha1(t.encode(), usedforsecurity=False).digest()[:size].ljust(16, b"\0") for t in plain
        )
        return np.frombuffer(digests, "<u8").reshape(-1, 2)

    def originals(self, signatures: NDArray[Any]) -> Rows:
        return first_equal(signatures)


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
        lines = pl.Series(_texts(texts), dtype=pl.String).str.split("\n")
        plain = normalised(lines.explode(empty_as_null=False, keep_nulls=False))
        chars = plain.str.len_chars().to_numpy()
        hashes = np.maximum(plain.hash(11).to_numpy(), 1)
        counts = lines.list.len().fill_null(0).cast(pl.Int64).to_numpy()
        return np.where(chars >= max(1, self.min_chars), hashes, np.uint64(0)), counts

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


def _texts(column: pl.Series) -> list[str | None]:
    """The texts of a column as they can be hashed; what is no text is left alone."""
    return [spelt(cell) if isinstance(cell, str) else None for cell in values(column)]


def normalised(texts: pl.Series) -> pl.Series:
    """Texts as they are compared: lower case, digits as 0, without punctuation, single spaces between words."""
    plain = texts.str.to_lowercase().str.replace_all(_DIGIT, "0").str.replace_all(_MARK, "")
    return plain.str.replace_all(_GAP, " ").str.replace_all(r" ?\n ?", "\n").str.strip_chars()
