"""`scripts/gen.py`: the same text every time, and nothing stale goes unseen."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.cli.conftest import ROOT, Cli

DIGEST = "import gen, hashlib, json\nprint(hashlib.sha256(json.dumps({str(p): t for p, t in gen.generated().items()}).encode()).hexdigest())"


@pytest.fixture(scope="module")
def gen() -> ModuleType:
    sys.path.insert(0, str(ROOT / "scripts"))
    return importlib.import_module("gen")


@pytest.fixture(scope="module")
def files(gen: ModuleType) -> dict[str, str]:
    found: dict[Path, str] = gen.generated()
    return {p.relative_to(ROOT).as_posix(): text for p, text in found.items()}


def test_every_process_writes_the_same(shell: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    said = []
    for seed in ("1", "2"):
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        said.append(shell("-c", DIGEST, path=str(ROOT / "scripts")))
    assert said[0].code == 0, said[0]
    assert said[0].out == said[1].out


def test_an_operators_page(files: dict[str, str]) -> None:
    page = files["docs/operators/core_text/PromptedFilter.md"]
    assert page.startswith(
        "# PromptedFilter\n\nKeep the texts that a model scores within a range: one call a row.\n"
    )
    assert "| `min_score` | `int` | `1` | Lowest score kept. (≥ 1, ≤ 5) |" in page
    assert "| writes | `output_key` | `eval` | int | the score, 1 to 5 |" in page


def test_every_operator_has_a_page_and_a_line_in_the_index(files: dict[str, str]) -> None:
    index = files["docs/operators/index.md"]
    for name, known in json.loads(files["dataflow/operators/_table.json"]).items():
        assert f"docs/operators/{known['domain']}/{name}.md" in files
        assert f"[{name}]({known['domain']}/{name}.md)" in index


def test_the_page_of_the_command_line(files: dict[str, str]) -> None:
    page = files["docs/cli.md"]
    for command in ("run", "plan", "init operator", "cache clear"):
        assert f"## `dataflow {command}`" in page
    assert "## `dataflow init repo`" not in page
    assert "| 5 | stopped early with everything saved" in page


def test_examples_are_what_really_becomes_of_the_rows(gen: ModuleType) -> None:
    from dataflow.operators.core_text import PromptedFilter
    from dataflow.testing import Case, ScriptedServing

    op = PromptedFilter(ScriptedServing("4", "2", "none"), min_score=3)
    rows = [{"raw_content": t} for t in ("a|b", "c", "d", None)]
    lines = list(gen.gen_pages.examples([Case(op, rows, [])]))
    assert lines[0] == "`PromptedFilter(min_score=3)`:"
    assert lines[2:] == [
        "| `raw_content` | → `eval` |",
        "|---|---|",
        "| `'a\\|b'` | `4` |",
        "| `'c'` | dropped: score 2 |",
        "| `'d'` | failed: no score in the reply 'none' |",
        "| null | dropped: null |",
        "",
    ]


def test_stale_and_leftover_files_are_found(
    gen: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gen, "ROOT", tmp_path)
    pages = tmp_path / "docs/operators/core_text"
    pages.mkdir(parents=True)
    for name in ("Same", "Changed", "Left"):
        (pages / f"{name}.md").write_text("old")
    wanted = {pages / "Same.md": "old", pages / "Changed.md": "new", pages / "Absent.md": "new"}
    assert {p.name for p in gen.stale(wanted)} == {"Changed.md", "Absent.md", "Left.md"}


def test_counts_are_put_between_their_marks(
    gen: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gen, "ROOT", tmp_path)
    (tmp_path / "README.md").write_text("has <!-- count:operators -->19<!-- /count --> operators")
    assert gen.counted({"operators": 20}) == {
        tmp_path / "README.md": "has <!-- count:operators -->20<!-- /count --> operators"
    }
