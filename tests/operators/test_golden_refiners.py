"""The refiners make of difficult texts what plain Python makes of them."""

from __future__ import annotations

import importlib
import json
from typing import Any

import golden_refiners
import pytest
from golden_refiners import REFINERS, label

from dataflow.testing.cases import run_rows

TABLE: list[dict[str, Any]] = json.loads(golden_refiners.FILE.read_text("utf-8"))


def test_the_table_is_what_plain_python_says() -> None:
    assert len(TABLE) >= 500
    assert golden_refiners.table() == TABLE


@pytest.mark.parametrize(("name", "given"), [r[:2] for r in REFINERS], ids=[label(*r[:2]) for r in REFINERS])
def test_texts_made(name: str, given: dict[str, Any]) -> None:
    op = getattr(importlib.import_module("dataflow.operators.general_text"), name)(**given)
    done = run_rows(op, [{"raw_content": row["text"]} for row in TABLE])
    made = done.frame["raw_content"].to_list()
    expected = [row["made"].get(label(name, given), row["text"]) for row in TABLE]
    wrong = {row["text"]: m for row, m, e in zip(TABLE, made, expected, strict=True) if m != e}
    assert wrong == {}
    assert sum(label(name, given) in row["made"] for row in TABLE) > 10
