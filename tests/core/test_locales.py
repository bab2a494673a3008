"""The Chinese descriptions: of columns and settings that there are; English stands in where there is none."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pytest

from dataflow.core.catalogue import LOCALES, describe
from dataflow.core.registry import OPERATOR_REGISTRY

FILES = sorted((LOCALES / "zh").glob("*.json"))
WORDS: dict[str, Any] = {k: v for f in FILES for k, v in json.loads(f.read_text("utf-8")).items()}
CHINESE = re.compile(r"[\u4e00-\u9fff]")
QUOTED = re.compile(r"`([^`]+)`")


@cache
def english(name: str) -> Any:
    return describe(OPERATOR_REGISTRY.get(name))


def told(name: str) -> dict[str, set[str]]:
    """The names that an operator's English description has something to say of."""
    d = english(name)
    columns = {c.port for c in (*d.reads, *d.writes) if c.doc}
    return {"columns": columns, "settings": {s.name for s in d.settings if s.description}}


def test_only_operators_that_there_are() -> None:
    assert sorted(set(WORDS) - set(OPERATOR_REGISTRY.keys())) == []


@pytest.mark.parametrize("name", sorted(WORDS))
def test_what_is_described_is_described_whole(name: str) -> None:
    words = WORDS[name]
    assert set(words) <= {"headline", "notes", "columns", "settings"}
    assert bool(words.get("notes")) == bool(english(name).notes), (
        "notes where the English has notes, else none"
    )
    for part, names in told(name).items():
        assert set(words.get(part, {})) == names, f"{name}: {part} differ from those of the class"


@pytest.mark.parametrize("name", sorted(WORDS))
def test_the_words_are_chinese(name: str) -> None:
    words = WORDS[name]
    texts = [words["headline"], *words.get("columns", {}).values(), *words.get("settings", {}).values()]
    assert [t for t in [*texts, words.get("notes", "是")] if not CHINESE.search(t)] == []
    assert words["headline"].endswith("。")
    assert len(words["headline"]) < 60
    assert [t for t in texts if t != t.strip()] == []


@pytest.mark.parametrize("name", sorted(set(WORDS) & set(OPERATOR_REGISTRY.keys())))
def test_names_in_the_notes_are_those_of_the_english(name: str) -> None:
    """A setting or class that is renamed is renamed here too."""
    known = set(QUOTED.findall(english(name).text()))
    known |= {word for quote in known for word in quote.split()} | told(name)["settings"]
    known |= {p.name for p in english(name).settings} | {"match", "semantic"}
    loose = [q for q in QUOTED.findall(WORDS[name].get("notes", "")) if q not in known]
    assert loose == []


def test_the_chinese_is_what_a_user_gets() -> None:
    text = OPERATOR_REGISTRY.get("PromptedFilter").get_desc("zh")  # type: ignore[attr-defined]
    assert text.startswith(WORDS["PromptedFilter"]["headline"])
    assert "min_score: int = 1" in text
    assert WORDS["PromptedFilter"]["settings"]["min_score"] in text
