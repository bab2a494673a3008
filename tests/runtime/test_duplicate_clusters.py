"""The report of a run shows the largest clusters of duplicates."""

from __future__ import annotations

import json
import random
from math import cos, radians, sin
from pathlib import Path

import pytest
from flows import Steps

from dataflow.core.operator import Operator
from dataflow.operators.general_text.exact_duplicates import HashDeduplicateFilter
from dataflow.operators.general_text.near_duplicates import MinHashDeduplicateFilter, SimHashDeduplicateFilter
from dataflow.operators.general_text.semantic_duplicates import SemDeduplicateFilter
from dataflow.runtime import feeding
from dataflow.testing import run_rows

FOX = "The quick brown fox jumps over the lazy dog, and then it goes home through the dark wood by the river."
NEAR_FOX = FOX.replace("dark", "deep")
OTHER = "Nothing of what is written here has much to do with animals, be they quick, brown, or anything else."


class Angles:
    """Embeds a number as a unit vector at that angle in degrees."""

    def generate_embedding_from_input(self, texts: list[str]) -> list[list[float]]:
        return [[cos(radians(float(t))), sin(radians(float(t)))] for t in texts]


SIMILAR: list[Operator] = [
    MinHashDeduplicateFilter(threshold=0.7),
    SimHashDeduplicateFilter(bound=0.15),
    SemDeduplicateFilter(embedding_serving=Angles()),
]


def test_the_largest_clusters_are_told_with_a_few_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeding, "PART_ROWS", 7)
    texts = [f"text {n} " + "x" * n * 9 for n in range(30) for _ in range(n)]
    random.Random(1).shuffle(texts)
    source = tmp_path / "corpus.jsonl"
    source.write_text("".join(json.dumps({"t": t, "n": 1}) + "\n" for t in texts), encoding="utf-8")
    for _ in range(2):  # the second run takes all from the first
        done = Steps(source, tmp_path, (HashDeduplicateFilter(), {"input_key": "t"})).run(progress=False)
        clusters = done.summary["steps"][0]["metrics"]["clusters"]
        assert [c["rows"] for c in clusters] == list(range(29, 9, -1))
        for cluster in clusters:
            members = [cluster["kept"], *cluster["dropped"]]
            same = [i for i, t in enumerate(texts) if t == texts[cluster["kept"]["row"]]]
            assert [m["row"] for m in members] == same[:6]
            assert all(texts[m["row"]].startswith(m["text"].rstrip("…")) for m in members)
            assert max(len(m["text"]) for m in members) <= 200
        page = done.report.read_text("utf-8")
        assert page.count('<details class="cluster">') == 20
        assert "29 rows: text 29" in page
        assert "and 23 more" in page


@pytest.mark.parametrize("op", SIMILAR, ids=lambda op: type(op).__name__)
def test_similarities_told_are_those_that_count(op: Operator) -> None:
    texts = ("0", "10", "90", "0") if isinstance(op, SemDeduplicateFilter) else (FOX, NEAR_FOX, OTHER, FOX)
    done = run_rows(op, [{"t": t} for t in texts], input_key="t")
    least = {"MinHashDeduplicateFilter": 0.7, "SimHashDeduplicateFilter": 0.85, "SemDeduplicateFilter": 0.95}
    found = [d["similarity"] for c in done.metrics["clusters"] for d in c["dropped"]]
    assert max(found) == pytest.approx(1, abs=1e-3)
    assert min(found) >= least[type(op).__name__] - 1e-3
