"""Samples and sequences of a run, part by part, are those of the operators alone; and go on after it ended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flows import Steps

from dataflow.core.frames import records
from dataflow.operators.core_text.k_center import KCenterGreedyFilter
from dataflow.operators.general_text.mixing import MixtureSampleFilter
from dataflow.operators.general_text.packing import SequencePackRefiner, TokenChunkSplitter
from dataflow.operators.general_text.sampling import StratifiedSampleFilter, WeightedSampleFilter
from dataflow.runtime import feeding
from dataflow.testing import run_rows

ROWS: list[dict[str, Any]] = [
    {
        "text": " ".join(f"w{i}.{n}" for n in range(1 + i * 7 % 40)),
        "score": float(i % 13),
        "source": "abc"[i % 7 % 3],
        "v": [float(i % 10), float(i % 7)],
    }
    for i in range(120)
]
OPERATORS: list[tuple[Any, dict[str, Any]]] = [
    (TokenChunkSplitter(20), {"input_key": "text"}),
    (WeightedSampleFilter(share=0.8), {"input_key": "score"}),
    (StratifiedSampleFilter(90, allocation="equal"), {"input_key": "source"}),
    (MixtureSampleFilter({"a": 2, "b": 1, "c": 1}), {"input_key": "source", "input_text_key": "text"}),
    (KCenterGreedyFilter(40), {"input_key": "text", "input_embedding_key": "v"}),
    (SequencePackRefiner(50), {"input_key": "text"}),
]


@pytest.mark.parametrize("part_rows", [11, 50_000])
def test_one_after_the_other(part_rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeding, "PART_ROWS", part_rows)
    rows = ROWS
    for op, keys in OPERATORS:
        rows = records(run_rows(op, rows, **keys).frame.drop("__row__"))
    source = tmp_path / "in.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    done = Steps(source, tmp_path, *OPERATORS).run(progress=False)
    assert records(done.table) == rows
    assert 10 < len(rows) < 40
    assert max(row["sequence_size"] for row in rows) <= 50
    again = Steps(source, tmp_path, *OPERATORS).run(progress=False)
    assert all(step["reused"] for step in again.summary["steps"])
    assert again.summary["steps"][3]["metrics"]["shares"] == done.summary["steps"][3]["metrics"]["shares"]
    assert done.report.stat().st_size > 1000
