"""Refiners make of each text what is known to be right: by slow plain steps, or as the text was made from it."""

from __future__ import annotations

import importlib
import json
from typing import Any

import pytest

from dataflow.testing.cases import run_rows

TABLES = {
    "C4LineRefiner": "golden_lines",
    "MojibakeRefiner": "golden_encodings",
    "PIIRefiner": "golden_personal",
    "HtmlExtractRefiner": "golden_pages",
    "PIIAnonymizeRefiner": "golden_anonymized",
    "NERRefiner": "golden_entities",
}


def rows(name: str) -> tuple[Any, list[dict[str, str]]]:
    module = importlib.import_module(TABLES[name])
    return module, json.loads(module.FILE.read_text("utf-8"))


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_what_plain_python_says(name: str) -> None:
    module, table = rows(name)
    assert module.table() == table
    texts = [row["text"] for row in table]
    assert len(set(texts)) == len(texts) >= 200
    assert len(texts) / 5 < sum(row["made"] != row["text"] for row in table)


@pytest.mark.parametrize("name", TABLES)
def test_texts_made(name: str) -> None:
    module, table = rows(name)
    normal = getattr(module, "normal", str)
    op = getattr(importlib.import_module("dataflow.operators.general_text"), name)()
    done = run_rows(op, [{"raw_content": row["text"]} for row in table])
    made = done.frame["raw_content"].to_list()
    pairs = zip(table, made, strict=True)
    wrong = [(row["text"], m, row["made"]) for row, m in pairs if normal(m) != normal(row["made"])]
    assert wrong == []
