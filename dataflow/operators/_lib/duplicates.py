"""Filters that drop rows which say what another row says: reading their texts, and naming the row each repeats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dataflow.core.ahead import ahead
from dataflow.core.errors import BindError, ConfigError, MissingDependency, did_you_mean
from dataflow.core.frames import as_text, values
from dataflow.core.ports import Binding, In, Out
from dataflow.core.tables import Dataset, Selection
from dataflow.operators._lib.duplicate_clusters import largest_clusters, tell_texts

Rows = NDArray[np.int64]
BLOCK = 1024
ROWS_AT_ONCE = 20_000
"""So many texts at most are read together, however large the batches are."""
_HAS_TEXT = r"[^\s\x1c-\x1f]"


@dataclass(frozen=True)
class Digest:
    """What is kept of a batch of rows."""

    known: NDArray[np.bool_]
    """Which rows have a text."""
    signatures: NDArray[Any]
    """One for each of these."""
    ranks: NDArray[np.float64] | None = None
    """How much each of these is worth keeping; null where the first row of a set is kept."""


class DuplicateFilter(Dataset):
    """Keeps one row of each set of rows whose texts are the same, or alike; only signatures of the texts are held.

    A subclass makes `signatures` of texts and finds the `originals` among them.
    """

    kernel: ClassVar[str] = "originals"
    called: ClassVar[str] = "duplicate"
    """What a dropped row is to the kept one, as its reason says."""

    input_keys = In(None, "several columns whose texts count together", type="any", optional=True, many=True)
    input_key = In(None, "the text compared; this or `input_keys` must be given", type="any", optional=True)
    output_key = Out(
        "minhash_deduplicated_label",
        "1 on every kept row; written where it is named",
        type="int",
        optional=True,
    )

    @classmethod
    def check_definition(cls) -> None:
        """The kernel takes signatures, not one value a port."""

    def bind(self, **keys: Any) -> Binding:
        binding = super().bind(**keys)
        if bool(binding.reads["input_keys"]) == bool(binding.reads["input_key"]):
            given = "both were" if binding.reads["input_key"] else "neither was"
            raise BindError(
                f"{type(self).__name__}.run needs either input_key, the column of the text, or input_keys, a list of columns; {given} given"
            )
        return binding

    def has_text(self, texts: pl.Series) -> pl.Series:
        """Which texts are neither null nor blank, and so are compared."""
        return texts.str.contains(_HAS_TEXT).fill_null(value=False)

    def signatures(self, texts: pl.Series) -> NDArray[Any]:
        """A signature for each text; none is null or blank."""
        raise NotImplementedError

    def originals(self, signatures: NDArray[Any]) -> Rows:
        """For each signature the position of that which it repeats, or its own where it is kept."""
        raise NotImplementedError

    def similarity(self, one: NDArray[Any], other: NDArray[Any]) -> float | None:
        """How alike two texts are by their signatures, 0 to 1, for the report; null where that is not known."""
        return None

    def ranks(self, texts: pl.Series, scores: pl.Series | None) -> NDArray[np.float64] | None:
        """How much each row of a batch is worth keeping; null where the first of a set is kept."""
        return None

    def references(self, columns: list[str]) -> Iterator[pl.DataFrame]:
        """Rows that are there already, in the file that the setting `reference` names if there is one."""
        path = getattr(self, "reference", None)
        return iter(()) if path is None else rows_of(path, columns)

    def decide(self, frames: Any, binding: Binding) -> Selection:
        names = [c for port, c in binding.columns_read() if port in ("input_keys", "input_key")]
        score = binding.reads.get("input_score_key")
        digests = [self.digest(joined(frame, names)) for frame in self.references(names)]
        digests = [replace(d, ranks=np.full(len(d.signatures), np.inf)) for d in digests]
        there = sum(len(d.known) for d in digests)

        def digested(frame: pl.DataFrame) -> Digest:
            scores = frame[score].cast(pl.Float64) if isinstance(score, str) else None
            made = self.digest(joined(frame, names), scores)
            if there and made.ranks is None:
                made = replace(made, ranks=np.zeros(len(made.signatures)))
            return made

        pieces = (piece for whole in frames for piece in whole.iter_slices(ROWS_AT_ONCE))
        made = self.choose(digests + list(ahead(digested, pieces)), there)
        clusters = made.metrics.get("clusters", [])

        def tell(frame: pl.DataFrame, first: int) -> dict[str, Any]:
            told = tell_texts(clusters, frame, first, lambda some: joined(some, names))
            return {"clusters": clusters} if told else {}

        return replace(made, told=[c["kept"]["row"] for c in clusters], tell=tell)

    def digest(self, texts: pl.Series, scores: pl.Series | None = None) -> Digest:
        known = self.has_text(texts)
        ranks = self.ranks(texts, scores)
        mask = known.to_numpy()
        return Digest(mask, self.signatures(texts.filter(known)), None if ranks is None else ranks[mask])

    def choose(self, digests: list[Digest], there: int = 0) -> Selection:
        """The decision, where the first `there` rows are no rows of the table."""
        known = np.concatenate([np.zeros(0, np.bool_), *(d.known for d in digests)])
        ranked = [d.ranks for d in digests if d.ranks is not None]
        places = np.flatnonzero(known)
        rows = np.arange(len(known))
        signatures: NDArray[Any] | None = None
        if len(places):
            signatures = gathered(digests)
            found = self.originals(signatures)
            if ranked:
                found = best_of(found, np.concatenate(ranked))
            rows[places] = places[found]
        rows = rows[there:] - there
        own = rows == np.arange(len(rows))

        def reason(row: int) -> str:
            original = rows[row]
            return f"{self.called}: of " + (
                f"row {original}" if original >= 0 else f"reference row {original + there}"
            )

        def similarity(row: int, original: int) -> float | None:
            one, other = np.searchsorted(places, (row + there, original + there))
            return None if signatures is None else self.similarity(signatures[one], signatures[other])

        lost = rows[~own]
        counts: dict[str, Any] = {"duplicates": len(lost), "sets": len(np.unique(lost))}
        if len(lost):
            counts["clusters"] = largest_clusters(rows, similarity)
        return Selection(np.flatnonzero(own), reason=reason, metrics=counts)

    def enact(self, frame: pl.DataFrame, first: int, selection: Selection, binding: Binding) -> pl.DataFrame:
        return frame.with_columns(pl.lit(1, pl.Int64).alias(column) for column in binding.writes.values())


def gathered(digests: list[Digest]) -> NDArray[Any]:
    """The signatures of all batches as one array; each batch is let go, the last first, once it is copied."""
    end = sum(len(d.signatures) for d in digests)
    one = next(d.signatures for d in digests if len(d.signatures))
    whole = np.empty((end, *one.shape[1:]), one.dtype)
    while digests:
        part = digests.pop().signatures
        if len(part):
            whole[end - len(part) : end] = part
            end -= len(part)
    return whole


def rows_of(path: str, columns: list[str]) -> Iterator[pl.DataFrame]:
    """Some columns of a Parquet, JSONL, CSV or Arrow file, some rows at a time.

    Raises:
        ConfigError: there is no such file, or it has no such columns.
    """
    readers: dict[str, Any] = {
        ".parquet": pl.scan_parquet,
        ".jsonl": pl.scan_ndjson,
        ".csv": pl.scan_csv,
        ".arrow": pl.scan_ipc,
    }
    kind = Path(path).suffix
    if kind not in readers or not Path(path).is_file():
        raise ConfigError(f"reference={path!r} is no file that ends in {', '.join(readers)}")
    table = readers[kind](path)
    have = table.collect_schema().names()
    if missing := [c for c in columns if c not in have]:
        raise ConfigError(
            f"reference={path!r} has no column {missing[0]!r}; there are {', '.join(have)}.{did_you_mean(missing[0], have)}"
        )
    yield from table.select(*dict.fromkeys(columns)).collect_batches(chunk_size=ROWS_AT_ONCE)


def best_of(originals: Rows, ranks: NDArray[np.float64]) -> Rows:
    """The same sets of rows, each with its row of the highest rank (the first of several, NaN last) as the original."""
    order = np.lexsort((np.arange(len(ranks)), -np.nan_to_num(ranks, nan=-np.inf), originals))
    leads = np.concatenate([[True], np.diff(originals[order]) != 0])
    best = np.empty(len(ranks), np.int64)
    best[originals[order][leads]] = order[leads]
    return best[originals]


def joined(frame: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """The text of each row: the cell of one column, or of several `name:` and the cell, a line each, nulls left out."""
    if len(columns) == 1:
        return texts_of(frame[columns[0]])
    texts = frame.select(texts_of(frame[c]).alias(c) for c in dict.fromkeys(columns))
    parts = [
        pl.lit(f"{c}:\n") + pl.when(pl.col(c).str.contains(_HAS_TEXT)).then(pl.col(c)) for c in texts.columns
    ]
    whole = texts.select(pl.concat_str(parts, separator="\n", ignore_nulls=True).alias("text"))["text"]
    return whole.replace("", None)


def texts_of(column: pl.Series) -> pl.Series:
    """The cells of any column as texts, values as JSON; a lone surrogate is spelt as an escape."""
    if column.dtype == pl.String:
        return column
    cells = [None if v is None else spelt(as_text(v)) for v in values(column)]
    return pl.Series(column.name, cells, dtype=pl.String)


def spelt(text: str) -> str:
    """A text as UTF-8 can hold it: a lone surrogate is spelt as an escape."""
    return text.encode("utf-8", "backslashreplace").decode()


def first_equal(hashes: NDArray[Any]) -> Rows:
    """For each row of an `(n, k)` array, which has rows, the first one that is equal."""
    order = np.argsort(hashes[:, 0])
    alike, same = _neighbours(hashes[order])
    if (alike != same).any():  # the first column is a hash, and nearly never the same where others are not
        order = np.lexsort(hashes.T[::-1])
        _, same = _neighbours(hashes[order])
    begins = np.flatnonzero(np.append(True, ~same))
    firsts = np.empty(len(order), np.int64)
    firsts[order] = np.repeat(np.minimum.reduceat(order, begins), np.diff(np.append(begins, len(order))))
    return firsts


def _neighbours(hashes: NDArray[Any]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether each row and the one above have the first column in common, and whether all."""
    equal = hashes[1:] == hashes[:-1]
    return equal[:, 0], equal.all(axis=1)


def hash128(texts: pl.Series) -> NDArray[np.uint64]:
    """128 bits of each text, `(n, 2) uint64`: two 64-bit hashes of polars of other seeds; for this process only."""
    return np.column_stack([texts.hash(11).to_numpy(), texts.hash(12).to_numpy()])


def first_near_vector(vectors: NDArray[np.float32], least: float) -> Rows:
    """For each vector the first kept one with at least that cosine similarity, or itself, which is then kept.

    In blocks: no more than `BLOCK` times the kept vectors are compared at once.
    """
    least -= 1e-6  # equal vectors have a product of 1 but for rounding
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    originals = np.arange(len(unit))
    kept = np.zeros(0, np.int64)
    for first in range(0, len(unit), BLOCK):
        block = unit[first : first + BLOCK]
        for begin in range(0, len(kept), BLOCK):
            some = kept[begin : begin + BLOCK]
            alike = block @ unit[some].T >= least
            fresh = originals[first : first + len(block)] == np.arange(first, first + len(block))
            hit = np.flatnonzero(fresh & alike.any(axis=1))
            originals[first + hit] = some[alike[hit].argmax(axis=1)]
        inside = block @ block.T >= least
        new = np.zeros(len(block), bool)
        for i in range(len(block)):
            if originals[first + i] != first + i:
                continue
            near = inside[i, :i] & new[:i]
            if near.any():
                originals[first + i] = first + int(near.argmax())
            else:
                new[i] = True
        kept = np.concatenate([kept, first + np.flatnonzero(new)])
    return originals


def compiled(module: str) -> Any:
    """A module of `dataflow.kernels`, which needs numba.

    Raises:
        MissingDependency: it is not installed.
    """
    try:
        return import_module(f"dataflow.kernels.{module}")
    except ModuleNotFoundError as error:
        raise MissingDependency(str(error.name), "text", "Finding near duplicates") from None
