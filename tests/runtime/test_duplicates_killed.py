"""Near duplicates of a run that is killed, on any number of threads and in batches of any size, are the same."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flows import Steps, lines

from dataflow.kernels import texts
from dataflow.operators.general_text.near_duplicates import MinHashDeduplicateFilter
from dataflow.runtime import feeding

SCRIPT = """
import os, signal, sys
sys.path.insert(0, {folder!r})
from dataflow.runtime import feeding
from test_duplicates_killed import Near, pipeline
feeding.PART_ROWS = 100
source, folder, method, calls = sys.argv[1:]
left = int(calls)
if method:
    kernel = getattr(Near, method)
    def killed(self, *given):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return kernel(self, *given)
    setattr(Near, method, killed)
pipeline(source, folder).run(progress=False)
"""


class Near(MinHashDeduplicateFilter):
    """Keep the first of near duplicates."""


def pipeline(source: str | Path, folder: str | Path) -> Steps:
    return Steps(Path(source), Path(folder), (Near(threshold=0.7), {"input_key": "text"}))


def corpus(rows: int = 1000) -> list[str]:
    """Texts of which half are an earlier one with a word or two changed."""
    draw, made = random.Random(5), list[str]()
    for _ in range(rows):
        words = (
            draw.choice(made).split() if made and draw.random() < 0.5 else draw.choices("abcdefghij", k=60)
        )
        for _ in range(draw.randint(0, 2)):
            words[draw.randrange(len(words))] = str(draw.randrange(1000))
        made.append(" ".join(words))
    return made


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lines(tmp_path_factory.mktemp("corpus") / "in.jsonl", corpus())


@pytest.fixture(scope="module")
def calm(source: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("calm")
    run = pipeline(source, folder).run(progress=False)
    assert 300 < run.rows < 900
    return (folder / "p_step1.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("method", "calls"), [("digest", 3), ("originals", 0), ("cut", 4)], ids=lambda value: str(value)
)
def test_kill_9_in_the_middle(method: str, calls: int, source: Path, calm: bytes, tmp_path: Path) -> None:
    """While texts are read, while clusters are found, and while the table is cut, some parts of it being written."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(folder=str(Path(__file__).parent)))

    def ended(*how: object) -> int:
        command = [sys.executable, script, source, tmp_path / "c", *how]
        return subprocess.run([str(c) for c in command], timeout=120, check=False).returncode

    assert ended(method, calls) == -signal.SIGKILL
    assert not (tmp_path / "c/p_step1.jsonl").exists()
    assert ended("", 0) == 0
    assert (tmp_path / "c/p_step1.jsonl").read_bytes() == calm


@pytest.mark.parametrize("part_rows", [13, 400, 50_000])
@pytest.mark.parametrize("threads", [1, 2, 4])
def test_threads_and_batches_do_not_matter(
    threads: int, part_rows: int, source: Path, calm: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeding, "PART_ROWS", part_rows)
    monkeypatch.setattr(texts, "PARALLEL_BYTES", 1)
    monkeypatch.setattr(os, "cpu_count", lambda: threads)
    with ThreadPoolExecutor(threads) as pool:
        monkeypatch.setattr(texts, "_pool", lambda: pool)
        pipeline(source, tmp_path).run(progress=False)
    assert (tmp_path / "p_step1.jsonl").read_bytes() == calm
