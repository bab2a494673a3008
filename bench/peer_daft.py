"""Daft at the work of the corpus trial: runs inside its environment, and prints seconds and rows as JSON; the ids of
the documents it kept go to a file.

It computes MinHash signatures itself; what makes clusters of them (bands, union-find) is not part of it, and written here in numpy.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path

import daft
import numpy as np
from daft import col
from daft import functions as f

BANDS, ROWS = 16, 8


def exact(source: Path) -> daft.DataFrame:
    """Exact duplicates."""
    return daft.read_json(str(source)).distinct("text")


def minhash(source: Path) -> daft.DataFrame:
    """Near duplicates: 128 permutations of word 5-grams, 16 bands of 8."""
    table = daft.read_json(str(source))
    plain = f.normalize(col("text"), lowercase=True, white_space=True)
    signed = table.select(
        "id", f.minhash(plain, num_hashes=BANDS * ROWS, ngram_size=5, seed=1).alias("sign")
    ).to_arrow()
    signatures = np.stack(
        signed["sign"].combine_chunks().flatten().to_numpy().reshape(len(signed), -1, BANDS, ROWS)[:, 0]
    )
    first = _first_of_cluster(signatures)
    kept = signed["id"].filter((first == np.arange(len(first))).tolist())
    return table.join(daft.from_pydict({"id": kept}), on="id", how="inner")


def _first_of_cluster(signatures: np.ndarray) -> np.ndarray:
    """For each document the first one of its cluster, from `(n, bands, rows)` signatures."""
    parent = np.arange(len(signatures))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = int(parent[i])
        return i

    for band in range(signatures.shape[1]):
        rows = np.ascontiguousarray(signatures[:, band]).view(f"V{signatures.itemsize * ROWS}").ravel()
        _, first, inverse = np.unique(rows, return_index=True, return_inverse=True)
        for i, j in enumerate(first[inverse].tolist()):
            if i != j and (a := root(i)) != (b := root(j)):
                parent[max(a, b)] = min(a, b)
    return np.array([root(i) for i in range(len(parent))])


def chain(source: Path) -> daft.DataFrame:
    """Eight refiners and filters, in the order of `corpus_pipelines.Chain`."""
    text = col("text")
    table = daft.read_json(str(source)).with_column(
        "text", f.regexp_replace(text, r"\p{Extended_Pictographic}", "")
    )
    table = table.with_column("text", f.regexp_replace(text, r"https?://\S+", ""))
    table = table.with_column("text", f.regexp_replace(text, r"</?[A-Za-z][^<>]*>", ""))
    table = table.with_column("text", f.regexp_replace(text, r"[ \t]+", " "))
    words = f.list_count(f.regexp_split(text, r"\s+"))
    table = table.where((words >= 20) & (words < 100_000))
    mean = f.length(f.regexp_replace(text, r"\s", "")) / words
    table = table.where((mean >= 3) & (mean < 10))
    table = table.where(~f.regexp(text, "(?i)lorem ipsum"))
    return table.where(~f.endswith(text, ":"))


WORK = {"exact": exact, "minhash": minhash, "chain": chain}


if __name__ == "__main__":
    begun = float(os.environ["BENCH_BEGUN"])
    made = WORK[sys.argv[1]](Path(sys.argv[2]))
    made.write_json("out")
    seconds = time.time() - begun
    spent = resource.getrusage(resource.RUSAGE_SELF)
    kept = [row["id"] for file in Path("out").rglob("*.json*") for row in map(json.loads, file.open())]
    Path(sys.argv[3]).write_text(json.dumps(kept))
    print(json.dumps({
        "seconds": seconds, "rows": len(kept), "peak_mb": spent.ru_maxrss / 1024,
        "cpu_seconds": spent.ru_utime + spent.ru_stime,
    }))  # fmt: skip
