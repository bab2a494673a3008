"""Texts, and models loaded apart from those of the operators, to work out scores row by row."""

from __future__ import annotations

from typing import Any

import pytest
from tiny_models import tiny

from dataflow.core.frames import records
from dataflow.core.operator import Operator
from dataflow.operators._lib.scoring.held import Key, Loaded, held
from dataflow.testing.cases import run_rows

torch = pytest.importorskip("torch", reason="scoring by models needs the extra hf")
transformers = pytest.importorskip("transformers", reason="scoring by models needs the extra hf")

TEXTS = [
    "a", "The cat sat on the mat.", "one two three", "x" * 200, "Was it? It was!", "short", "a longer text of several words",
    "0123456789", "zz top", "the end", "ab", "what is more, " * 9,
]  # fmt: skip
WORDS = ["the", "of", "cat", "red", "sat", "two", "runs", "on", "a", "mat"]


def network(kind: str, name: str) -> Loaded:
    """A model loaded apart from that of the operators."""
    with held(Key(kind, tiny(name), None, "cpu", "float32")).in_use() as loaded:
        return loaded


def tensor(*rows: list[int]) -> Any:
    return torch.tensor(rows)


def scores(op: Operator, texts: list[Any], column: str, **keys: Any) -> list[Any]:
    return [r[column] for r in records(run_rows(op, [{"raw_content": t} for t in texts], **keys).frame)]


def close(values: list[Any]) -> Any:
    return pytest.approx(values, rel=1e-4, abs=1e-5)


@torch.no_grad()
def losses(loaded: Loaded, ids: list[int]) -> list[float]:
    """The loss of each token but the first, one at a time."""
    logits = torch.log_softmax(loaded.network(tensor(ids)).logits[0].double(), -1)
    return [-float(logits[i - 1, token]) for i, token in enumerate(ids) if i]


def ids_of(loaded: Loaded, text: str, **settings: Any) -> list[int]:
    return list(loaded.tokenizer(text, **settings)["input_ids"])
