"""Thresholds suggested from what filters measured on a sample."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dataflow.core import Filter, In
from dataflow.operators.core_text import PromptedFilter
from dataflow.operators.general_text.word_filters import MeanWordLengthFilter, WordNumberFilter
from dataflow.pipeline import PipelineABC
from dataflow.storage import FileStorage
from dataflow.testing import ScriptedServing

TEXTS = [" ".join(["word"] * n) for n in range(1, 101)]


class Unmeasured(Filter):
    """Keep texts of more than one word."""

    min_words: int = 1
    input_key = In("text")

    def keep(self, text: str) -> bool:
        return len(text.split()) > self.min_words


class Filters(PipelineABC):
    """The filters given, one after the other."""

    def __init__(self, folder: Path, *filters: Filter | PromptedFilter) -> None:
        super().__init__()
        source = folder / "in.jsonl"
        source.write_text("".join(json.dumps({"text": t}) + "\n" for t in TEXTS))
        self.storage = FileStorage(str(source), cache_path=str(folder), file_name_prefix="f")
        self.filters = filters

    def forward(self) -> None:
        for each in self.filters:
            each.run(self.storage.step(), input_key="text")


def test_two_bounds_share_the_loss(tmp_path: Path) -> None:
    (found,) = Filters(tmp_path, WordNumberFilter(1, 101)).tune(keep=0.8, rows=100)
    assert (found.step, found.operator, found.measured, found.rows, found.kept) == (
        1, "WordNumberFilter", "words", 100, 1.0,
    )  # fmt: skip
    assert found.now == {"min_words": 1, "max_words": 101}
    assert 9 <= found.suggested["min_words"] <= 12
    assert 90 <= found.suggested["max_words"] <= 92
    assert abs(found.then - 0.8) < 0.03


def test_bounds_that_drop_nearly_all_are_opened(tmp_path: Path) -> None:
    (found,) = Filters(tmp_path, WordNumberFilter(49, 51)).tune(keep=0.5, rows=100)
    assert found.kept == 0.02
    assert abs(found.then - 0.5) < 0.05


def test_scores_of_a_judge(tmp_path: Path) -> None:
    serving = ScriptedServing(by=lambda prompt: str(1 + len(prompt.split("\n")[2].split()) % 5))
    (found,) = Filters(tmp_path, PromptedFilter(serving, min_score=5, max_score=5)).tune(keep=0.8, rows=100)
    assert found.kept == pytest.approx(0.2)
    assert 0.6 <= found.then <= 1.0


def test_filters_that_measure_nothing_or_one_thing_are_left_out(tmp_path: Path) -> None:
    assert Filters(tmp_path, Unmeasured(), MeanWordLengthFilter()).tune(keep=0.5, rows=50) == []
