"""A million rows: five row operators beside the same work as one polars query, and a million model calls.

The rows (text of about 1 KB, a score, a list, a nested object; 1 GB of JSONL) go through a compiled pipeline and through
scan_ndjson → expressions → sink_ndjson by hand, each in a process of its own, one after the other, and the two files
are compared. The model calls go to a server in a process of its own; the run is killed with -9 when nine tenths of them are
made, and run again to its end.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from bench import peers
from bench.storage import step_seconds
from dataflow.core.errors import StorageError
from dataflow.testing.server import ServerProcess

ROWS, MODEL_ROWS, EAGER_ROWS, PAIRS = 1_000_000, 1_000_000, 100_000, 3
LIMIT_S = 1800
REPLIES = [f"{i:02d} " + "The whale is a spouting fish with a horizontal tail. " * 9 for i in range(64)]
"""Some 500 bytes each."""
WORDS = (
    "the whale sea harpoon Nantucket captain ship's oil mast of and to in a that it is was for on with as his he at "
    "by but not from this which upon all one so like old man now there ahab boat"
)


def measure(rows: int = ROWS, model_rows: int = MODEL_ROWS) -> Iterator[str]:
    """The lines of the row operators, of an eager step, and of the model calls."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "in.jsonl")
        write_rows(source, rows)
        yield from _row_operators(source, Path(folder), rows)
        yield _eager(source, Path(folder), min(rows, EAGER_ROWS))
        source.unlink()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "in.jsonl")
        with source.open("wb") as file:
            file.writelines(
                orjson.dumps({"text": f"question {i} of {model_rows}"}) + b"\n" for i in range(model_rows)
            )
        yield from _model_calls(source, Path(folder, "cache"), model_rows)


def write_rows(path: Path, rows: int) -> None:
    """Documents as they are collected: web addresses, runs of white space, some that are too short."""
    draw = random.Random(1)
    texts = [_text(draw, i) for i in range(5000)]
    with path.open("wb") as file:
        for i in range(rows):
            row = {
                "id": f"{i:07d}",
                "text": f"{texts[i * 7919 % 5000]} {i}",
                "score": i / 7,
                "tags": ["whaling", "novel", "sea"][: i % 4],
                "meta": {"source": "web", "year": 1851 + i % 25, "quality": i % 100 / 100},
                "lang": ("en", "de", "fr", "zh")[i % 4],
            }
            file.write(orjson.dumps(row) + b"\n")


def _text(draw: random.Random, i: int) -> str:
    words = " ".join(draw.choices(WORDS.split(), k=20 if i % 17 == 0 else 200))
    more = f" see https://example.org/p/{i}?x=1 \n\n  again" if i % 5 == 0 else ""
    return words + more + (' é😀 naïve “quoted” "q" \\' if i % 50 == 0 else "")


def _row_operators(source: Path, folder: Path, rows: int) -> Iterator[str]:
    size = source.stat().st_size / 1e6
    pairs = [_pair(source, folder / f"cache{i}", folder / "by_hand.jsonl") for i in range(PAIRS)]
    mine, bare, same = sorted(pairs, key=lambda p: p[0]["seconds"] / p[1]["seconds"])[PAIRS // 2]
    ratios = sorted(p[0]["seconds"] / p[1]["seconds"] for p in pairs)
    by_rows = _child("rows", source, folder / "by_rows")
    yield (
        f"{rows:,} rows ({size:,.0f} MB) through five row operators: {_told(mine)}; as one polars query: {_told(bare)}; "
        f"ratio of {PAIRS} pairs {ratios[0]:.2f} to {ratios[-1]:.2f}, output {'the same to the byte' if same else 'DIFFERENT'}"
    )
    yield f"the same with the last operator in Python, row by row: {_told(by_rows)}"


def _told(done: dict[str, Any]) -> str:
    return f"{done['seconds']:.1f} s ({done['cpu_seconds']:.1f} s CPU), {done['peak_mb']:,.0f} MB at most"


def _pair(source: Path, cache: Path, target: Path) -> tuple[dict[str, Any], dict[str, Any], bool]:
    mine, bare = _child("pipeline", source, cache), _child("", source, target)
    return mine, bare, _same(cache / "scale_step5.jsonl", target)


def _same(one: Path, other: Path) -> bool:
    with one.open("rb") as a, other.open("rb") as b:
        while (piece := a.read(1 << 22)) == b.read(1 << 22):
            if not piece:
                return True
    return False


def _child(*arguments: object) -> dict[str, Any]:
    # each as its own script would run: what this package tells polars' allocator is no setting of a query by hand
    env = {k: v for k, v in os.environ.items() if k != "_RJEM_MALLOC_CONF"}
    done = subprocess.run(_command(*arguments), check=True, capture_output=True, timeout=LIMIT_S, env=env)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _command(*arguments: object) -> list[str]:
    module = "bench.scale_pipelines" if arguments[0] else "bench.scale_polars"
    return [sys.executable, "-m", module, *(str(a) for a in arguments if a)]


def _eager(source: Path, folder: Path, rows: int) -> str:
    """A step of eager mode: read the table of the step before, write one, read it as the next step does."""
    head = folder / "head.jsonl"
    pl.scan_ndjson(source).head(rows).sink_ndjson(head)
    mine = step_seconds(head, folder / "eager")
    theirs = peers.eager_seconds("open-dataflow", head)
    told = (
        f"{theirs:.2f} s by {peers.title('open-dataflow')}, {theirs / mine:.1f} times as long"
        if theirs
        else ""
    )
    return f"eager step, {rows:,} rows, read, write and read: {mine:.2f} s; {told or 'open-dataflow is not to be had here'}"


def _model_calls(source: Path, cache: Path, rows: int) -> Iterator[str]:
    """Killed when nine tenths of the calls are made, and run again to the end: memory, journal, time to go on."""
    with ServerProcess(reply=REPLIES) as server:
        command, started = _command("models", source, cache, server.url), time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        early, late = _watched(process, server, rows // 10, rows * 9 // 10)
        process.kill()
        process.wait()
        seconds = time.perf_counter() - started
        time.sleep(0.5)
        calls = int(server.stats()["calls"])
        yield (
            f"{calls:,} model calls in {seconds:,.0f} s: {early:,.0f} MB of memory at a tenth of them, "
            f"{late:,.0f} MB at most from there on; then killed with -9"
        )
        resumed = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while server.stats()["calls"] <= calls and process.poll() is None:
            time.sleep(0.02)
        ready = time.perf_counter() - resumed
        _, late = _watched(process, server, 0, 2 * rows)
        repeated = server.stats()["repeated"]
    replies = _reply_bytes(cache / "scale_step1.jsonl")
    journal = sum(f.stat().st_size for f in (cache / "scale").rglob("journal*") if f.is_file())
    yield (
        f"run again: {ready:.1f} s to the first new call, {late:,.0f} MB at most, {repeated} calls repeated; journal "
        f"{journal / 1e6:,.0f} MB for {replies / 1e6:,.0f} MB of replies, {journal / replies:.2f} times their size"
    )


def _watched(
    process: subprocess.Popen[bytes], server: ServerProcess, first: int, last: int
) -> tuple[float, float]:
    """The memory after so many calls, and the most seen from then until others are made or the process ends."""
    early = late = 0.0
    until = time.monotonic() + LIMIT_S
    while process.poll() is None and time.monotonic() < until:
        calls, held = server.stats()["calls"], _held_mb(process.pid)
        if calls >= first:
            early, late = early or held, max(late, held)
        if calls >= last:
            break
        time.sleep(0.1)
    if process.returncode:
        raise StorageError(f"the pipeline of the scale trial ended with {process.returncode}")
    return early, late


def _held_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)


def _reply_bytes(table: Path) -> int:
    return int(pl.scan_ndjson(table).select(pl.col("reply").str.len_bytes().sum()).collect().item())


if __name__ == "__main__":
    for told in measure(*map(int, sys.argv[1:])):
        print(told, flush=True)
