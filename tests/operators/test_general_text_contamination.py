"""What cases cannot say of contamination found by embeddings: reasons, and what stops the run."""

from __future__ import annotations

import pytest
from general_text_contamination_cases import Letters

from dataflow.core.errors import ConfigError, ServingError
from dataflow.operators.general_text import EmbeddingDecontaminationFilter
from dataflow.testing import check_operator
from dataflow.testing.cases import run_rows


def test_promises() -> None:
    check_operator(EmbeddingDecontaminationFilter(Letters(), "embedded.txt"))


def test_a_dropped_row_is_told_the_file_the_similarity_and_the_item() -> None:
    op = EmbeddingDecontaminationFilter(Letters(), ("embedded.txt", "embedded.jsonl"), 0.9)
    rows = [{"raw_content": text} for text in ("ab", "no vector", None, "y")]
    done = run_rows(op, rows)
    assert done.dropped["reason"].to_list() == ["in embedded.jsonl: 0.95 like aab", "no vector", "null"]
    assert done.metrics == {"benchmark_items": 4}


def test_more_rows_than_are_compared_at_once() -> None:
    texts = ["ab" if i == 1500 else "y" for i in range(2000)]
    op = EmbeddingDecontaminationFilter(Letters(), "embedded.jsonl", 0.9)
    assert run_rows(op, [{"raw_content": t} for t in texts]).dropped["row"].to_list() == ["1500"]


def test_what_cannot_be_known_stops_the_run() -> None:
    op = EmbeddingDecontaminationFilter(Letters(), "absent.jsonl")
    assert [p for p, _ in op.check(op.bind())] == ["eval_files"]
    with pytest.raises(ConfigError, match="cannot be read"):
        run_rows(op, [{"raw_content": "a"}])


def test_an_item_without_a_vector_stops_the_run() -> None:
    class Mute(Letters):
        def _vector(self, text: str) -> None:
            return None

    with pytest.raises(ServingError, match="no vector for the item 'dd'"):
        run_rows(EmbeddingDecontaminationFilter(Mute(), "embedded.txt"), [{"raw_content": "a"}])
