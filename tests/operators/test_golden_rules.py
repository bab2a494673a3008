"""The rule filters decide as plain Python does about difficult texts."""

from __future__ import annotations

import importlib
import json
from typing import Any

import golden_rules
import pytest

from dataflow.operators._lib import word_lists
from dataflow.testing.cases import run_rows

TABLE: list[dict[str, Any]] = json.loads(golden_rules.FILE.read_text("utf-8"))


def test_the_table_is_what_plain_python_says() -> None:
    assert len(TABLE) >= 200
    assert golden_rules.table() == TABLE


@pytest.mark.parametrize("name", golden_rules.RULES)
def test_decisions(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_lists, "stop_words", lambda language: tuple(golden_rules.STOPS))
    package = importlib.import_module("dataflow.operators.general_text")
    op = getattr(package, name)(**golden_rules.RULES[name][0])
    kept = {int(row) for row in run_rows(op, [{"raw_content": r["text"]} for r in TABLE]).frame["__row__"]}
    expected = {i for i, row in enumerate(TABLE) if name not in row["dropped"]}
    wrong = {TABLE[i]["text"]: "kept" if i in kept else "dropped" for i in kept ^ expected}
    assert wrong == {}
    assert len(kept) > 5
    assert len(TABLE) - len(kept) > 5
