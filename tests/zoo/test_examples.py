"""The example data, and the page that tells of the pipelines which read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dataflow.core.registry import PIPELINE_REGISTRY
from dataflow.operators._lib.answers import agrees
from dataflow.zoo import _examples

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "pipelines.md").read_text("utf-8")
README = (_examples.DATA / "README.md").read_text("utf-8")
FILES = sorted(_examples.DATA.glob("*.jsonl"))
SMALL = [f for f in FILES if f.name != "whales.jsonl"]
MAY_BE_NULL = {"context"}


def rows_of(path: str | Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]


def test_every_file_is_named_and_explained() -> None:
    named = {Path(v) for v in vars(_examples).values() if isinstance(v, str) and v.endswith(".jsonl")}
    assert named == set(SMALL)
    assert [f.name for f in FILES if f"`{f.name}`" not in README] == []


@pytest.mark.parametrize("file", SMALL, ids=lambda f: f.stem)
def test_small_tables_are_small_and_whole(file: Path) -> None:
    rows = rows_of(file)
    assert 5 <= len(rows) <= 20
    assert len({tuple(r) for r in rows}) == 1, "every row has the same columns"
    assert len({json.dumps(r) for r in rows}) == len(rows), "no row is there twice"
    assert not [(n, k) for n, r in enumerate(rows) for k in r if r[k] is None and k not in MAY_BE_NULL]


def test_conversations_take_turns() -> None:
    for row in rows_of(_examples.CONVERSATIONS):
        who = [turn["from"] for turn in row["conversations"]]
        assert who == ["human", "gpt"] * (len(who) // 2)


def test_solutions_end_in_their_answers() -> None:
    for row in rows_of(_examples.BENCH):
        assert row["answer"] in row["solution"]
        assert agrees(row["answer"], f"The answer is {row['answer']}.")
        assert not agrees(row["answer"], "The answer is 77777.")


def test_labels_name_choices() -> None:
    for row in rows_of(_examples.BENCH_CHOICE):
        assert 0 <= row["label"] < len(row["choices"])
    for row in rows_of(_examples.BENCH_CHOICES):
        assert row["labels"] == sorted(set(row["labels"]))
        assert 0 < len(row["labels"]) < len(row["choices"]) > row["labels"][-1]


@pytest.mark.parametrize("name", PIPELINE_REGISTRY.keys())
def test_the_page_tells_of_every_pipeline(name: str) -> None:
    assert f"## {name}\n\n{PIPELINE_REGISTRY.entry(name).headline}\n" in PAGE
    assert f"[`{name}`](#{name.lower()})" in PAGE
    assert f"dataflow run {name}" in PAGE
