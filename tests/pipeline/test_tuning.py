"""Thresholds suggested from what filters measured on a sample."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dataflow.core import Filter, In
from dataflow.core.rows import RowOperator, Verdict
from dataflow.operators.core_text import PromptedFilter, ScoreFilter
from dataflow.operators.general_text.ngram import NgramFilter
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

    def __init__(self, folder: Path, *filters: RowOperator) -> None:
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


def test_a_range_of_scores(tmp_path: Path) -> None:
    (found,) = Filters(tmp_path, NgramFilter(0.8, 1)).tune(keep=0.3, rows=100)
    assert found.now == {"min_score": 0.8, "max_score": 1}
    assert found.kept < 0.1
    assert abs(found.then - 0.3) < 0.1


def test_a_filter_of_rows_tells_its_measure(tmp_path: Path) -> None:
    class Long(Filter):
        """Keep texts of enough words."""

        measured = "words"
        min_words: int = 90
        max_length: int = 7
        """Bounds nothing that is measured."""
        input_key = In("text")

        def keep(self, text: str) -> Verdict:
            words = len(text.split())
            return self.keeps(words), f"words: {words}", words

        def keeps(self, measure: Any) -> Any:
            return measure >= self.min_words

    (found,) = Filters(tmp_path, Long()).tune(keep=0.6, rows=100)
    assert (found.measured, found.kept, found.now) == ("words", 0.11, {"min_words": 90})
    assert abs(found.then - 0.6) < 0.03


@pytest.mark.parametrize("column", ["score", "odd"])
def test_a_column_of_scores(tmp_path: Path, column: str) -> None:
    """By the expression, and by rows where a score is none."""
    source = tmp_path / "in.jsonl"
    odd = ["none" if n == 50 else n for n in range(100)]
    source.write_text("".join(json.dumps({"score": n, "odd": o}) + "\n" for n, o in enumerate(odd)))

    class Scored(PipelineABC):
        """One filter."""

        def __init__(self) -> None:
            super().__init__()
            self.storage = FileStorage(str(source), cache_path=str(tmp_path), file_name_prefix="f")
            self.keep = ScoreFilter(min_score=90)

        def forward(self) -> None:
            self.keep.run(self.storage.step(), input_key=column)

    (found,) = Scored().tune(keep=0.5, rows=100)
    assert found.rows == (100 if column == "score" else 99)
    assert abs(found.then - 0.5) < 0.02


def test_filters_that_measure_nothing_or_one_thing_are_left_out(tmp_path: Path) -> None:
    assert Filters(tmp_path, Unmeasured(), MeanWordLengthFilter()).tune(keep=0.5, rows=50) == []
