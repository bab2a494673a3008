"""Benchmarks kept out of training data by embeddings."""

from __future__ import annotations

from typing import Any

from dataflow.operators.general_text.embedded_contamination import EmbeddingDecontaminationFilter
from dataflow.testing import Case, ScriptedServing, keeps

FILES = {
    "embedded.jsonl": '{"question": "aab", "note": "zz"}\n{"question": " ", "note": "c"}\n',
    "embedded.txt": "dd\n",
}


class Letters(ScriptedServing):
    """Texts are as alike as their letters; of `no vector` there is none."""

    def _vector(self, text: str) -> Any:
        return None if text == "no vector" else [float(text.count(c)) for c in "abcdxyz"]


CASES: list[Case] = [
    keeps(
        EmbeddingDecontaminationFilter(Letters(), ("embedded.jsonl", "embedded.txt"), 0.99),
        ["aba aab", "abb", "ddd", "c", "zzz", "ab", "", " ", "no vector", None],
        ["abb", "ab", "", " "],
    ),
    keeps(
        EmbeddingDecontaminationFilter(Letters(), "embedded.jsonl", 0.9, ("question",)),
        ["ab", "abb", "c", "z"],
        ["abb", "c", "z"],
    ),
]
