"""Ten gigabytes, compressed, through the pre-training filter: whether memory and speed stay what they are for half a gigabyte.

The corpus of the trial is written again and again, each time with other words changed, so that no copy is the duplicate of another.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import orjson
import zstandard

from bench.corpus import DOCUMENTS, measured
from bench.corpus_text import write_corpus

BYTES = 10_000_000_000
EVERY = 12
"""Of so many words one is changed: copies are then less alike than any threshold asks."""


def measure(size: int = BYTES, documents: int = DOCUMENTS) -> Iterator[str]:
    """A line for each size."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corpus, large = folder / "corpus.jsonl", folder / "large.jsonl.zst"
        write_corpus(corpus, documents)
        small = _run(corpus, folder / "small")
        yield _told(corpus.stat().st_size, documents, small)
        written = write_noisy(corpus, large, size)
        done = _run(large, folder / "large")
        yield _told(size, written, done)
        clock, cpu = (written / done[k] / (documents / small[k]) for k in ("seconds", "cpu_seconds"))
        yield f"{clock:.2f} times as many documents a second as of the smaller one; {cpu:.2f} times as many a second of CPU"


def _run(corpus: Path, cache: Path) -> dict[str, float]:
    done, table = measured("pretraining", corpus, cache)
    with table.open("rb") as file:
        return done | {"rows": sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 22), b""))}


def _told(size: int, documents: int, done: dict[str, float]) -> str:
    rate = documents / done["seconds"]
    return f"{size / 1e9:.1f} GB, {documents:,} documents: {rate:,.0f} a second, {documents / done['cpu_seconds']:,.0f} a second of CPU, {done['peak_mb']:,.0f} MB, {done['rows']:,} kept"


def write_noisy(corpus: Path, large: Path, size: int) -> int:
    """Write the corpus over and over with other words, until there are so many bytes; returns the number of documents."""
    written = documents = turn = 0
    with zstandard.open(large, "wb", cctx=zstandard.ZstdCompressor(level=1)) as out:
        while written < size:
            turn += 1
            draw = random.Random(turn)
            with corpus.open("rb") as file:
                for line in file:
                    row = orjson.loads(line)
                    words = row["text"].split(" ")
                    every = slice(draw.randrange(EVERY), None, EVERY)
                    first = draw.randrange(len(words))
                    words[every] = (words[first:] + words)[: len(words[every])]
                    row |= {"id": f"{turn}-{row['id']}", "text": " ".join(words)}
                    made = orjson.dumps(row) + b"\n"
                    out.write(made)
                    written, documents = written + len(made), documents + 1
                    if written >= size:
                        break
    return documents
