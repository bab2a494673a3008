"""The textbook score, by a fastText model that is written here byte by byte."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from tiny_models import LABELS, WORDS, fast_text_file

from dataflow.core.errors import ConfigError, ServingError
from dataflow.core.frames import records
from dataflow.operators.text_pt.textbook import TextbookFilter, TextbookSampleEvaluator
from dataflow.testing import check_operator
from dataflow.testing.cases import run_rows

pytest.importorskip("fasttext", reason="the textbook score needs the extra text")


def expected(text: str) -> float:
    """The score worked out by hand; the model reads an end of line after each text, and no unknown words."""
    known = [WORDS[w] for w in [*text.split(), "</s>"] if w in WORDS]
    x, y = (sum(v[i] for v in known) / len(known) for i in (0, 1))
    odds = [math.exp(a * x + b * y) for a, b in LABELS.values()]
    return (1 * odds[0] + 3 * odds[1] + 5 * odds[2]) / sum(odds)


def test_scores(tmp_path: Path) -> None:
    texts = ["theorem theorem", "spam", "theorem\nspam spam", "what else", "theorem \ud800"]
    op = TextbookSampleEvaluator(model_name=fast_text_file(tmp_path / "a.bin"))
    made = [
        r["TextbookScore"]
        for r in records(run_rows(op, [{"raw_content": t} for t in [*texts, " ", None]]).frame)
    ]
    assert made == [*(pytest.approx(expected(t), abs=1e-3) for t in texts), None, None]
    assert made[0] > 3.5 > 2.5 > made[1]
    check_operator(op)


def test_filter_keeps_the_best(tmp_path: Path) -> None:
    fast_text_file(tmp_path / "model.bin")
    op = TextbookFilter(model_name=str(tmp_path))
    done = run_rows(op, [{"raw_content": t} for t in ("theorem theorem", "spam", "", None)])
    assert [r["raw_content"] for r in records(done.frame)] == ["theorem theorem"]
    assert [r[:20] for r in done.dropped["reason"]] == ["TextbookScore below ", "no score", "null"]
    check_operator(op)


def test_other_models_are_refused(tmp_path: Path) -> None:
    other = fast_text_file(tmp_path / "b.bin", {"yes": (1.0, 0.0), "no": (0.0, 1.0)})
    with pytest.raises(ConfigError, match="has the labels no, yes, where Low, Mid, High are read"):
        run_rows(TextbookSampleEvaluator(model_name=other), [{"raw_content": "theorem"}])
    (tmp_path / "c.bin").write_bytes(b"no model")
    for name in (str(tmp_path / "c.bin"), str(tmp_path)):
        with pytest.raises(ServingError, match="cannot be loaded"):
            run_rows(TextbookSampleEvaluator(model_name=name), [{"raw_content": "theorem"}])
