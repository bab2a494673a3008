"""`dataflow tune`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

PIPELINE = """
from dataflow.operators.general_text import WordNumberFilter
from dataflow.pipeline import PipelineABC
from dataflow.storage import FileStorage


class Mine(PipelineABC):
    def __init__(self, least: int = 50):
        super().__init__()
        self.storage = FileStorage("in.jsonl", cache_path="cache", file_name_prefix="m")
        self.few = WordNumberFilter(least)

    def forward(self):
        self.few.run(self.storage.step(), input_key="text")
"""


def test_tune(cli: Cli) -> None:
    texts = [" ".join(["word"] * n) for n in range(1, 101)]
    Path("in.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in texts))
    Path("mine.py").write_text(PIPELINE)
    said = cli("tune", "mine.py", "--keep", 0.9, "--rows", 100, "--json")
    assert said.code == 0, said
    (found,) = json.loads(said.out)
    assert found["kept"] == 0.51
    assert found["then"] == pytest.approx(0.9, abs=0.02)
    shown = cli("tune", "mine.py", "--keep", 0.9).out
    assert "WordNumberFilter" in shown
    assert "min_words=50" in shown
