"""Counts of a text are made once for all the filters that stand behind each other."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from flows import Louder, Steps, lines

from dataflow.operators._lib import text_filter
from dataflow.operators.general_text.word_filters import MeanWordLengthFilter, WordNumberFilter

TEXT = {"input_key": "text"}
TEXTS = ["one", "one two three", "a b c d", "three short words", "", "incomprehensibilities notwithstanding"]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The passes that are made: group, and number of texts."""
    passes: list[tuple[str, int]] = []
    real = text_filter._statistics

    def statistics(column: pl.Series, group: str) -> pl.Series:
        passes.append((group, len(column)))
        return real(column, group)

    monkeypatch.setattr(text_filter, "_statistics", statistics)
    return passes


def pipeline(folder: Path, *steps: object) -> Steps:
    return Steps(lines(folder / "in.jsonl", TEXTS), folder, *((op, TEXT) for op in steps))


def test_neighbours_share_a_pass(tmp_path: Path, counted: list[tuple[str, int]]) -> None:
    run = pipeline(tmp_path, WordNumberFilter(2), MeanWordLengthFilter(3, 10)).run(progress=False)
    assert counted == [("words", 6)]
    assert run.table.columns == ["text"]
    assert run.table["text"].to_list() == ["one two three", "three short words"]
    reasons = dict(run.dropped.select("value", "reason").iter_rows())
    assert reasons["one"] == "min_words=2, max_words=100000: words 1"
    assert reasons["a b c d"] == "min_length=3.0, max_length=10.0: mean word length 1"


def test_a_text_that_changes_is_counted_anew(tmp_path: Path, counted: list[tuple[str, int]]) -> None:
    louder = (Louder(), {"output_key": "text"})
    flow = Steps(
        lines(tmp_path / "in.jsonl", TEXTS), tmp_path,
        (WordNumberFilter(2), TEXT), louder, (MeanWordLengthFilter(1, 100), TEXT),
    )  # fmt: skip
    table = flow.run(progress=False).table
    assert counted == [("words", 6), ("words", 4)]
    assert table["text"].to_list()[0] == "one two three!"


def test_every_step_is_kept_without_notes(tmp_path: Path) -> None:
    flow = pipeline(tmp_path, WordNumberFilter(2), MeanWordLengthFilter(3, 10))
    flow.run(progress=False, keep_steps=True)
    assert pl.read_ndjson(next(tmp_path.rglob("*_step1.jsonl"))).columns == ["text"]


def test_eager_and_compiled_agree(tmp_path: Path) -> None:
    steps = (WordNumberFilter(2), MeanWordLengthFilter(3, 10))
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    eager = pipeline(tmp_path / "a", *steps)
    eager.forward()
    made = pl.read_ndjson(next((tmp_path / "a").rglob("*_step2.jsonl")))
    assert made.equals(pipeline(tmp_path / "b", *steps).run(progress=False).table)
