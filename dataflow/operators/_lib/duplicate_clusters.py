"""The largest clusters of duplicates, with a few of their texts, for the report of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dataflow.core.outcome import shown

CLUSTERS = 20
"""Clusters told, at most."""
DROPPED = 5
"""Dropped rows of a cluster told, at most."""

Cluster = dict[str, Any]
Similarity = Callable[[int, int], float | None]


def largest_clusters(originals: NDArray[np.int64], similarity: Similarity) -> list[Cluster]:
    """The clusters of most rows, the earlier first of several, each with its first dropped rows; texts are not known yet.

    Args:
        originals: for each row that which it repeats, or itself where it is kept; negative where that is no row of the table.
        similarity: how alike a row and another are, 0 to 1; null where that is not known.
    """
    lost = np.flatnonzero(originals != np.arange(len(originals)))
    kept, counts = np.unique(originals[lost], return_counts=True)
    order = np.lexsort((kept, -counts))[:CLUSTERS]
    return [
        {
            "rows": int(counts[at]) + 1,
            "kept": {"row": int(kept[at]), "text": None},
            "dropped": [
                {"row": row, "text": None, "similarity": _rounded(similarity(row, int(kept[at])))}
                for row in lost[originals[lost] == kept[at]][:DROPPED].tolist()
            ],
        }
        for at in order.tolist()
    ]


def _rounded(similarity: float | None) -> float | None:
    return None if similarity is None else round(float(similarity), 3)


def tell_texts(
    clusters: list[Cluster], frame: pl.DataFrame, first: int, texts: Callable[[pl.DataFrame], pl.Series]
) -> bool:
    """Put the texts of a slice of the table that starts at row `first` into the clusters; whether there were any."""
    wanted = [m for m in _members(clusters) if first <= m["row"] < first + frame.height]
    if wanted:
        found = texts(frame[[m["row"] - first for m in wanted]])
        for member, text in zip(wanted, found.to_list(), strict=True):
            member["text"] = shown(text)
    return bool(wanted)


def _members(clusters: list[Cluster]) -> Iterator[dict[str, Any]]:
    for cluster in clusters:
        yield cluster["kept"]
        yield from cluster["dropped"]
