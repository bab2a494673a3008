"""What filters measure: counted as rows pass, added up over parts, drawn with the thresholds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from flows import Steps, lines

from dataflow.core import Filter, In
from dataflow.core.outcome import Outcome
from dataflow.core.rows import Verdict
from dataflow.operators.core_text import PromptedFilter
from dataflow.operators.general_text.word_filters import WordNumberFilter
from dataflow.runtime import feeding
from dataflow.runtime.report_charts import measures_svg
from dataflow.runtime.stats import StepStats
from dataflow.testing import ScriptedServing

TEXTS = ["a", "a b", "a b c", "a b c d", "a b c d e"] * 4


def ran(folder: Path, operator: object) -> dict[str, object]:
    flow = Steps(lines(folder / "in.jsonl", TEXTS), folder, (operator, {"input_key": "text"}))
    step: dict[str, object] = flow.run(progress=False).summary["steps"][0]
    return step


@pytest.mark.parametrize("rows_a_part", [3, 1000])
def test_rows_are_counted_by_measure(
    tmp_path: Path, rows_a_part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeding, "PART_ROWS", rows_a_part)
    step = ran(tmp_path, WordNumberFilter(2, 5))
    assert step["measured"] == "words"
    assert step["measures"] == {"1": [0, 4], "2": [4, 0], "3": [4, 0], "4": [4, 0], "5": [0, 4]}
    assert step["dropped"] == {"min_words=2, max_words=5": 8}
    assert step["bounds"] == {"min_words": 2, "max_words": 5}


def test_scores_of_judges_are_measures(tmp_path: Path) -> None:
    judge = PromptedFilter(
        ScriptedServing(by=lambda prompt: str(len(prompt.split("\n")[2].split()))), min_score=4
    )
    assert ran(tmp_path, judge)["measures"] == {
        "1": [0, 4], "2": [0, 4], "3": [0, 4], "4": [4, 0], "5": [4, 0],
    }  # fmt: skip


class Lengths(Filter):
    """Keep texts of enough letters."""

    measured = "letters"
    min_letters: int = 3
    max_length: int = 4
    """Bounds nothing."""
    input_key = In("text")

    def keep(self, text: str) -> Verdict:
        letters = len(text.replace(" ", ""))
        return letters >= self.min_letters, f"letters: {letters}", letters


class KeepsExpressions(Lengths):
    """The same, and tells which measures are kept."""

    def keeps(self, measure: Any) -> Any:
        return measure >= self.min_letters


class KeepsNumbers(Lengths):
    """It cannot do so for expressions."""

    def keeps(self, measure: Any) -> Any:
        return 0 <= self.min_letters <= measure <= 9


@pytest.mark.parametrize(
    ("op", "bounds"), [(KeepsExpressions(), {"min_letters": 3}), (Lengths(), {}), (KeepsNumbers(), {})]
)
def test_bounds_are_what_decides(tmp_path: Path, op: Lengths, bounds: dict[str, float]) -> None:
    step = ran(tmp_path, op)
    assert step["measures"] == {"1": [0, 4], "2": [0, 4], "3": [4, 0], "4": [4, 0], "5": [4, 0]}
    assert step["bounds"] == bounds


def test_what_is_no_number_is_not_counted() -> None:
    stats, frame = StepStats(), pl.DataFrame({"__row__": ["0", "1", "2"]})
    measured = pl.DataFrame({"measure": [float("nan"), None, 0.12345], "kept": [False, False, True]})
    stats.saw(frame, Outcome(frame, measured=measured), 0.0)
    assert stats.measures == {"0.12": [1, 0]}
    assert StepStats.from_part(stats.to_part()).measures == stats.measures


def test_the_chart_has_the_thresholds_and_both_fates() -> None:
    step = {
        "measures": {"1": [0, 4], "2": [4, 0], "3": [4, 1]},
        "bounds": {"min_words": 2, "max_words": 100_000, "odd": "x", "strict": True},
    }
    drawn = measures_svg(step)
    assert "min_words 2" in drawn
    assert "max_words" not in drawn  # far from everything that was measured
    assert drawn.count('class="f-kept"') == 2
    assert drawn.count('class="f-drop"') == 2
    assert measures_svg({"measures": {"1": [3, 0]}}) == ""
