"""Cleaning a corpus: filters, de-duplication and refiners beside what other projects take for the same work.

The corpus is made of text that lies on the machine, with exact and near duplicates, spam, short and HTML documents planted in it. Each work is a
process of its own, timed whole, from JSONL to JSONL; the slow ones are given the first part of the corpus alone, and compared by documents a second. What
was kept is compared too, with what was planted and with what others kept.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from bench import peers
from bench.corpus_text import write_corpus

DOCUMENTS = 200_000
LIMIT_S = 1200


@dataclass(frozen=True)
class Rival:
    """Another project at a work, and how many documents it is given."""

    name: str
    documents: int
    program: str = ""
    """Of this folder; `peer_NAME.py` where it is not said."""


RIVALS = {
    "gopher": (Rival("datatrove", 5_000),),
    "minhash": (Rival("daft", DOCUMENTS), Rival("py-data-juicer", 5_000), Rival("datatrove", 5_000)),
    "exact": (Rival("daft", DOCUMENTS), Rival("py-data-juicer", 20_000), Rival("datatrove", 20_000)),
    "chain": (Rival("daft", DOCUMENTS), Rival("open-dataflow", 20_000, "peer_open_dataflow_text.py")),
    "pretraining": (Rival("open-dataflow", 2_000, "peer_open_dataflow_text.py"),),
}
"""The works, and who does them beside."""


def measure(documents: int = DOCUMENTS) -> Iterator[str]:
    """A line for each work and project."""
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder, "corpus.jsonl")
        write_corpus(corpus, documents)
        yield f"{documents:,} documents, {corpus.stat().st_size / 1e6:,.0f} MB"
        least, _ = measured("limit", corpus, Path(folder, "limit"))
        yield f"polars reads and writes it, and does nothing else, in {least['seconds']:.1f} s ({least['cpu_seconds']:.1f} s CPU)"
        for work in RIVALS:  # so that the kernels are compiled, which is done once on a machine
            measured(work, _first_of(corpus, 500), Path(folder, f"first-{work}"))
        for work, rivals in RIVALS.items():
            mine, table = measured(work, corpus, Path(folder, work))
            kept = ids_of(table)
            mine["rows"] = len(kept)
            slower = mine["seconds"] / least["seconds"]
            yield f"{work}: {_told(mine, documents)}; {slower:.1f} times polars' reading and writing{_quality(work, corpus, kept)}"
            for rival in rivals:
                yield f"{work}: {_beside(rival, work, corpus, mine, documents, kept, Path(folder))}"


def measured(work: str, corpus: Path, cache: Path) -> tuple[dict[str, Any], Path]:
    """What a work of this package took, and the table that it left."""
    command = [sys.executable, "-m", "bench.corpus_pipelines", work, str(corpus), str(cache)]
    env = {k: v for k, v in os.environ.items() if k != "_RJEM_MALLOC_CONF"} | {peers.BEGUN: str(time.time())}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=LIMIT_S, env=env)
    made: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return made, cache if work == "limit" else max(cache.glob("*.jsonl"), key=lambda p: p.stat().st_mtime)


def ids_of(table: Path) -> set[str]:
    """The ids of the documents in a table."""
    with table.open("rb") as file:
        return {json.loads(line)["id"] for line in file}


def _beside(
    rival: Rival, work: str, corpus: Path, mine: dict[str, Any], documents: int, kept: set[str], folder: Path
) -> str:
    given = min(rival.documents, documents)
    part, ids = _first_of(corpus, given), folder / "kept.json"
    program = rival.program or f"peer_{rival.name.replace('-', '_')}.py"
    theirs = peers.run(rival.name, program, work, part, ids)
    if theirs is None:
        return f"{peers.title(rival.name)} is not to be had here"
    ratio = documents / mine["seconds"] / (given / theirs["seconds"])
    return f"{peers.title(rival.name)}: {_told(theirs, given)}; {ratio:.1f} times as long a document{_agreement(part, kept, ids)}"


def _first_of(corpus: Path, documents: int) -> Path:
    """The first part of the corpus, beside it."""
    part = corpus.with_name(f"first{documents}.jsonl")
    with corpus.open("rb") as whole, part.open("wb") as file:
        file.writelines(islice(whole, documents))
    return part


def _agreement(part: Path, kept: set[str], theirs: Path) -> str:
    """On how many of the documents both decided alike."""
    other = set(json.loads(theirs.read_text()))
    with part.open("rb") as file:
        alike = [(row["id"] in kept) == (row["id"] in other) for row in map(json.loads, file)]
    return f"; decided alike on {sum(alike) / len(alike):.1%}"


def _told(done: dict[str, Any], documents: int) -> str:
    return (
        f"{documents / done['seconds']:,.0f} documents a second ({documents:,} in {done['seconds']:.1f} s, {done['cpu_seconds']:.1f} s CPU, "
        f"{done['peak_mb']:,.0f} MB), {done['rows']:,} kept"
    )


def _quality(work: str, corpus: Path, kept: set[str]) -> str:
    """For a de-duplication how much of what was planted it found, and what it took besides."""
    if work not in ("minhash", "exact"):
        return ""
    with corpus.open("rb") as file:
        rows = [(row["id"], row["kind"]) for row in map(json.loads, file)]
    gone = {
        kind: [i not in kept for i, k in rows if k == kind] for kind in ("exact_dup", "near_dup", "normal")
    }
    return "; removed " + ", ".join(f"{sum(g) / max(1, len(g)):.2%} of {k}" for k, g in gone.items())


if __name__ == "__main__":
    for told in measure(*map(int, sys.argv[1:])):
        print(told, flush=True)
