"""`dataflow init extension`: a package that installs, is found by its entry points, and passes its own tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.cli.test_init import PYTEST


@pytest.fixture
def package(cli: Cli, tmp_path: Path) -> Path:
    assert cli("init", "extension", "poems").code == 0
    return tmp_path / "dataflow-poems"


def test_it_passes_its_own_tests_before_it_is_installed(package: Path, shell: Cli) -> None:
    said = shell(*PYTEST, cwd=package)
    assert said.code == 0, said


@pytest.mark.slow
def test_once_installed_it_is_found_and_runs(package: Path, shell: Cli, tmp_path: Path) -> None:
    site = tmp_path / "site"
    options = (
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--disable-pip-version-check",
        "--target",
        site,
    )
    said = shell("-m", "pip", "install", "--quiet", *options, package)
    assert said.code == 0, said

    def dataflow(*args: str) -> str:
        said = shell("-m", "dataflow", *args, path=str(site))
        assert said.code == 0, said
        return said.out

    (entry,) = json.loads(dataflow("ops", "--domain", "dataflow_poems", "--json"))
    assert (entry["name"], entry["package"]) == ("PoemsFilter", "dataflow-poems")
    assert "PoemsPrompt" in dataflow("prompts")
    assert "- min_words: int = 3 [≥ 0]: Fewest words kept." in dataflow("op", "PoemsFilter")
    assert "3 rows in, 2 out, 1 dropped, 0 failed" in dataflow("run", "PoemsPipeline", "--quiet")
    said = shell(*PYTEST, package / "tests", path=str(site))
    assert said.code == 0, said


def test_the_old_name_writes_the_same(cli: Cli, tmp_path: Path) -> None:
    assert cli("init", "repo", "--no-input").code == 0
    assert (tmp_path / "dataflow-extension" / "pyproject.toml").exists()


def test_a_name_may_have_the_prefix_already(cli: Cli, tmp_path: Path) -> None:
    assert cli("init", "extension", "dataflow-old-poems").code == 0
    assert (tmp_path / "dataflow-old-poems/src/dataflow_old_poems/operators.py").exists()
