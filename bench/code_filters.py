"""Filters of source files beside those of open-dataflow 1.x, on files of the Python installation and its packages.

Both are given the same JSONL file, with the text of each file as a string. open-dataflow is given the first part alone, and compared
by files a second. Its two filters of lines are given lists of lines by its own pipeline: splitting the text is part of their work
here, and is counted.

* The chain of all five is a process of its own, timed whole, from its start to the JSONL file of what was kept.
* Each filter is timed alone too, by CPU time, from a table in memory with the texts to another: reading and writing, which are the
  same for all, are left out, and so is what must be imported and compiled.

Compiled kernels are kept in a cache; a first run over a few files fills it. What was kept is compared, file by file.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from bench import peers
from bench.code_filter_pipelines import keys, made
from dataflow.core.eager import run_step
from dataflow.core.operator import Operator
from dataflow.testing import Table

FILES, BESIDE, CHAIN_BESIDE = 20_000, 2_000, 10_000
LIMIT_S = 600
MOST_BYTES = 1 << 20
SUFFIXES = {
    ".py", ".pyi", ".pyx", ".c", ".h", ".hpp", ".cpp", ".cu", ".js", ".css", ".html", ".json", ".xml", ".toml", ".yaml", ".yml", ".md", ".rst", ".txt",
    ".sh", ".f90",
}  # fmt: skip
LIMITS = {
    "min_num_chars": 100, "max_num_chars": 100_000, "min_num_words": 10, "max_num_words": 50_000, "max_frac_duplicate_lines": 0.3,
    **{f"max_frac_duplicate_{n}gram": 0.3 for n in range(2, 6)}, "max_frac_curly_bracket": 0.1, "max_frac_all_caps_words": 0.3,
    "min_entropy_unigram": 2.0,
}  # fmt: skip
WORKS: dict[str, dict[str, Any]] = {
    "generated": {},
    "length": {},
    "composition": {},
    "encoded": {},
    "quality": {"thresholds": LIMITS},
}
"""The filters, and their settings."""
CORRECTED = {
    "generated": "none",
    "length": "long lines of HTML, JSON, XML, Markdown, TeX and prose are told by the name of the file",
    "composition": "letters as Unicode has them",
    "encoded": "bytes in hexadecimal may be parted by a comma and a space; \\x may follow anything",
    "quality": "none",
}
"""Where the two decide differently on purpose."""


def write_files(path: Path, number: int, seed: int = 1) -> int:
    """A JSONL file of `id`, `filename`, `text`; how many there were."""
    folders = [Path(sysconfig.get_path(p)) for p in ("stdlib", "purelib")]
    found = sorted(
        {
            f
            for folder in folders
            for f in folder.rglob("*")
            if f.suffix in SUFFIXES and f.is_file() and 0 < f.stat().st_size < MOST_BYTES
        }
    )
    random.Random(seed).shuffle(found)
    written = 0
    with path.open("wb") as file:
        for source in found:
            try:
                text = source.read_text("utf-8")
            except UnicodeDecodeError:
                continue
            row = {"id": written, "filename": source.name, "text": text}
            file.write(orjson.dumps(row) + b"\n")
            written += 1
            if written == number:
                break
    return written


def measure(files: int = FILES, beside: int = BESIDE, chained: int = CHAIN_BESIDE) -> Iterator[str]:
    """A line for each filter and project."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corpus = folder / "files.jsonl"
        files = write_files(corpus, files)
        table = pl.read_ndjson(corpus)
        yield f"{files:,} files, {table['text'].str.len_bytes().sum() / 1e6:,.0f} MB"
        for work, settings in WORKS.items():
            (operator,) = made({work: settings})
            filtered(operator, table[:1])
            seconds, kept = filtered(operator, table)
            mine = {"filter_seconds": seconds, "rows": len(kept)}
            yield f"{work}: {_told(mine, files, 'filter_seconds')}"
            theirs, other = _theirs({work: settings}, corpus, min(beside, files), folder)
            yield f"{work}: {_beside(mine, theirs, kept, other, files, min(beside, files), ('filter_seconds',), CORRECTED[work])}"
        del table
        _mine(WORKS, _first(corpus, 100, folder), folder)
        mine, kept = _mine(WORKS, corpus, folder)
        yield f"all five, JSONL to JSONL: {_told(mine, files, 'seconds')}, {mine['cpu_seconds']:.1f} s CPU, {mine['peak_mb']:,.0f} MB"
        theirs, other = _theirs(WORKS, corpus, min(chained, files), folder)
        told = _beside(
            mine, theirs, kept, other, files, min(chained, files), ("seconds", "cpu_seconds"), "as above"
        )
        yield f"all five, JSONL to JSONL: {told}"


def filtered(operator: Operator, table: pl.DataFrame) -> tuple[float, set[int]]:
    """CPU seconds that a filter takes, and the ids of what it keeps."""
    storage = Table(table)
    started = time.process_time()
    run_step(operator, operator.bind(**keys(operator)), storage)
    return time.process_time() - started, set(storage.table["id"].to_list())


def _first(corpus: Path, number: int, folder: Path) -> Path:
    part = folder / f"first{number}.jsonl"
    with corpus.open("rb") as whole, part.open("wb") as file:
        file.writelines(islice(whole, number))
    return part


def _mine(works: dict[str, Any], corpus: Path, folder: Path) -> tuple[dict[str, Any], set[int]]:
    cache = folder / f"{corpus.stem}_made"
    command = [
        sys.executable,
        "-m",
        "bench.code_filter_pipelines",
        json.dumps(works),
        str(corpus),
        str(cache),
    ]
    env = {k: v for k, v in os.environ.items() if k != "_RJEM_MALLOC_CONF"} | {peers.BEGUN: str(time.time())}
    done = subprocess.run(command, check=True, capture_output=True, timeout=LIMIT_S, env=env)
    table = max(cache.glob("*.jsonl"), key=lambda p: p.stat().st_mtime)
    kept = set(pl.read_ndjson(table)["id"].to_list())
    return json.loads(done.stdout.splitlines()[-1]) | {"rows": len(kept)}, kept


def _theirs(
    works: dict[str, Any], corpus: Path, given: int, folder: Path
) -> tuple[dict[str, Any] | None, set[int]]:
    ids = folder / "kept.json"
    program = "peer_open_dataflow_code.py"
    theirs = peers.run("open-dataflow", program, json.dumps(works), _first(corpus, given, folder), ids)
    return theirs, set(json.loads(ids.read_text())) if theirs else set()


def _told(done: dict[str, Any], files: int, clock: str) -> str:
    second = "second" if clock == "seconds" else "CPU second"
    return f"{files / done[clock]:,.0f} files a {second} ({files:,} in {done[clock]:.2f} s), {done['rows']:,} kept"


def _beside(
    mine: dict[str, Any],
    theirs: dict[str, Any] | None,
    kept: set[int],
    other: set[int],
    files: int,
    given: int,
    clocks: tuple[str, ...],
    corrected: str,
) -> str:
    if theirs is None:
        return f"{peers.title('open-dataflow')} is not to be had here"
    alike = sum((i in kept) == (i in other) for i in range(given))
    more, fewer = len([i for i in kept - other if i < given]), len(other - kept)
    ratios = [theirs[c] / given / (mine[c] / files) for c in clocks]
    longer = " (by CPU time ".join(f"{ratio:.1f}" for ratio in ratios) + ")" * (len(clocks) - 1)
    cpu = f", {theirs['cpu_seconds']:.1f} s CPU of which {theirs['start_seconds']:.1f} s to start" * (
        len(clocks) - 1
    )
    return (
        f"{peers.title('open-dataflow')}: {_told(theirs, given, clocks[0])}{cpu}; {longer} times as long a file; decided alike "
        f"on {alike / given:.2%} ({more} kept here alone, {fewer} there alone); differs on purpose: {corrected}"
    )


if __name__ == "__main__":
    for told in measure(*map(int, sys.argv[1:])):
        print(told, flush=True)
