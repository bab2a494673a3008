"""Dropping rows whose text is nearly that of another row, found by MinHash or SimHash."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field, model_validator

from dataflow.core.ports import In, Out
from dataflow.operators._lib.duplicates import DuplicateFilter, Rows, compiled

MISSED_WEIGHT = 9.0
"""How many false positives a missed pair is worth where each pair is verified: they cost but a comparison."""


class MinHashDeduplicateFilter(DuplicateFilter):
    """Keep one of each cluster of texts that share most of their n-grams, by MinHash and banded LSH.

    The similarity of two texts is the Jaccard index of their sets of n-grams (Broder 1997), estimated from `num_perm`
    least hashes with a standard error of `sqrt(s (1 - s) / num_perm)`. Texts that agree in a whole band of hashes are
    candidates; with `verify` they are linked where the estimate reaches the threshold, else all of them are. Clusters are
    the texts linked directly or by others, whatever the order or the batches. A text shorter than `ngram` is one n-gram.
    In scripts without spaces between words, count characters.

    One row of a cluster is kept: that with the highest `input_score_key` where it is given (null is lowest), else by
    `keep`, the first of several that are equal. Rows without text (null or blank) are kept: nothing is known of them.
    Memory a row: 4 bytes a permutation with `verify`, else 8 bytes a band; and about 40 more. Ten million rows of 128
    permutations take 5.5 GB.
    """

    called: ClassVar[str] = "near duplicate"

    num_perm: int = Field(128, ge=1, le=4096)
    """Numbers in a signature."""
    threshold: float = Field(0.9, gt=0, le=1)
    """From this similarity on two texts are taken to be the same."""
    use_n_gram: bool = True
    """Whether runs of `ngram` units are compared; else single ones."""
    ngram: int = Field(5, ge=1)
    """Units in a run."""
    unit: Literal["char", "word"] = "char"
    """What is counted: characters, or words parted by white space."""
    verify: bool = True
    """Whether the estimated similarity of two candidates is looked at before they are linked."""
    keep: Literal["first", "longest"] = "first"
    """Which row of a cluster is kept."""
    bands: int | None = Field(None, ge=1)
    """Bands that a signature is cut into, of `num_perm // bands` numbers each; chosen so that few pairs are missed or wrong around the threshold where left out."""
    normalise: bool = False
    """Whether letter case does not count, and any white space counts as one space."""
    seed: int = Field(1, ge=0)
    """Draws the permutations."""
    reference: str | None = None
    """A Parquet, JSONL, CSV or Arrow file with the columns read: rows that repeat one of its rows are dropped. A run that goes on does not notice where it has changed."""

    input_keys = In(None, "several columns whose texts count together", type="any", optional=True, many=True)
    input_key = In(None, "the text compared; this or `input_keys` must be given", type="any", optional=True)
    input_score_key = In(
        None, "how good a row is; the best of a cluster is kept", type="number", optional=True
    )
    output_key = Out(
        "minhash_deduplicated_label",
        "1 on every kept row; written where it is named",
        type="int",
        optional=True,
    )

    @model_validator(mode="after")
    def _fits(self) -> MinHashDeduplicateFilter:
        if self.bands is not None and self.bands > self.num_perm:
            raise ValueError(f"{self.bands} bands of {self.num_perm} numbers; give at most as many bands")
        return self

    @property
    def shape(self) -> tuple[int, int]:
        """The bands, and the numbers in each."""
        if self.bands is not None:
            return self.bands, self.num_perm // self.bands
        return best_bands(self.num_perm, self.threshold, MISSED_WEIGHT if self.verify else 1.0)

    def signatures(self, texts: pl.Series) -> NDArray[Any]:
        minhash = compiled("minhash")
        signed: NDArray[Any] = minhash.signatures(
            texts,
            self.num_perm,
            self.ngram if self.use_n_gram else 1,
            by_words=self.unit == "word",
            folded=self.normalise,
            seed=self.seed,
        )
        if self.verify:
            return signed
        bands, width = self.shape
        return np.column_stack([minhash.band_keys(signed, i * width, (i + 1) * width) for i in range(bands)])

    def originals(self, signatures: NDArray[Any]) -> Rows:
        clusters = compiled("clusters")
        if self.verify:
            least = int(np.ceil(self.threshold * self.num_perm - 1e-9))
            rows: Rows = clusters.alike_clusters(signatures, *self.shape, least)
        else:
            rows = clusters.band_clusters(signatures)
        return rows

    def similarity(self, one: NDArray[Any], other: NDArray[Any]) -> float | None:
        return float(np.mean(one == other)) if self.verify else None

    def ranks(self, texts: pl.Series, scores: pl.Series | None) -> NDArray[np.float64] | None:
        if scores is not None:
            return scores.fill_null(float("nan")).to_numpy()
        if self.keep == "longest":
            return texts.str.len_chars().fill_null(0).cast(pl.Float64).to_numpy()
        return None


class SimHashDeduplicateFilter(DuplicateFilter):
    """Keep texts whose SimHash fingerprint differs in enough bits from that of every kept text.

    The similarity of two texts is `1 - d / fingerprint_size`, where their fingerprints differ in `d` bits (Charikar 2002). A
    text is dropped where it is at least `1 - bound` for a kept text before it. Every such pair is found: fingerprints are
    looked up by parts of which some must be equal (Manku et al. 2007). That takes time in proportion to the rows up to a
    bound of about 0.1, and comes near to comparing all pairs above 0.2.

    Features are letters, digits and `_` in lower case, all else left out, counted as often as they occur; texts shorter than
    a feature are one. Rows without text (null or blank) are kept: nothing is known of them. Memory: 8 bytes a row for 64
    bits, and up to 84 tables of 8 bytes a row while they are compared; ten million rows take 7 GB at most.
    """

    called: ClassVar[str] = "near duplicate"

    fingerprint_size: int = Field(64, ge=8, le=256)
    """Bits of a fingerprint."""
    bound: float = Field(0.1, ge=0, lt=1)
    """How much of a fingerprint may differ between texts that are taken to be the same."""
    unit: Literal["char", "word"] = "char"
    """The features: runs of four characters, or single words."""

    def signatures(self, texts: pl.Series) -> NDArray[Any]:
        words = self.unit == "word"
        made: NDArray[Any] = compiled("simhash").fingerprints(
            texts, self.fingerprint_size, by_words=words, n=1 if words else 4
        )
        return made

    def originals(self, signatures: NDArray[Any]) -> Rows:
        most = int(self.bound * self.fingerprint_size + 1e-9)
        rows: Rows = compiled("simhash").first_near(signatures, self.fingerprint_size, most)
        return rows

    def similarity(self, one: NDArray[Any], other: NDArray[Any]) -> float | None:
        return 1 - int(np.bitwise_count(np.bitwise_xor(one, other)).sum()) / self.fingerprint_size


@cache
def best_bands(count: int, threshold: float, missed_weight: float = 1.0) -> tuple[int, int]:
    """How many bands of how many numbers make the fewest mistakes around a threshold.

    Two texts of similarity `s` share one of `b` bands of `r` numbers with the probability `1 - (1 - s^r)^b`. What is made
    small is its integral below the threshold, and `missed_weight` times that of the rest above it.
    """
    below, above = np.linspace(0, threshold, 201), np.linspace(threshold, 1, 201)
    best, least = (1, count), np.inf
    for width in range(1, count + 1):
        low, high = 1 - below**width, 1 - above**width
        for bands in range(1, count // width + 1):
            wrong = float(np.mean(1 - low**bands)) * threshold
            missed = float(np.mean(high**bands)) * (1 - threshold)
            if (mistakes := wrong + missed_weight * missed) < least - 1e-12:
                best, least = (bands, width), mistakes
    return best
