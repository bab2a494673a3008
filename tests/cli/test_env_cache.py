"""`dataflow env` and `dataflow cache`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dataflow.cli.environment import requirements
from tests.cli.conftest import Cli


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A fetched model, a run directory, and a folder that only looks like one."""
    model = tmp_path / "models-cache" / "models" / "tiny"
    run = tmp_path / "cache" / "solve"
    other = tmp_path / "mine"
    for folder in (model, run / "stages", other):
        folder.mkdir(parents=True)
    (model / "tiny.gguf").write_bytes(b"x" * 2048)
    (run / "journal.sqlite").write_bytes(b"x")
    (run / "run.json").write_text("{}")
    (other / "run.json").write_text("{}")
    (other / "thesis.tex").write_text("…")
    return tmp_path


def test_env_tells_which_keys_are_set_and_never_their_values(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DF_API_KEY", "sk-secret")
    said = cli("env")
    assert "sk-secret" not in said.out
    assert json.loads(cli("env", "--json").out)["keys set"]["DF_API_KEY"] is True
    assert "sk-secret" not in cli("env", "--json").out


def test_env_knows_packages_and_extras(cli: Cli) -> None:
    found = json.loads(cli("env", "--json").out)
    assert found["packages"]["polars"]
    assert set(found["extras"]["excel"]) == {"fastexcel", "xlsxwriter"}
    assert requirements()[0][0] == "aiohttp"


def test_cache_ls(cli: Cli, kept: Path) -> None:
    listed = json.loads(cli("cache", "ls", "--json").out)
    assert listed == [
        {"sort": "model", "name": "tiny", "bytes": 2048},
        {"sort": "run", "name": "cache/solve", "bytes": 3},
    ]
    assert cli("cache", "path").out.strip() == str(kept / "models-cache" / "models")


def test_the_folder_is_the_one_that_models_are_fetched_to(cli: Cli, kept: Path) -> None:
    from dataflow.serving.models import cache_folder

    assert cli("cache", "path").out.strip() == str(cache_folder())


def test_clear_asks_and_deletes_only_what_is_named(cli: Cli, kept: Path) -> None:
    assert cli("cache", "clear", "tiny", given="n\n").code == 1
    assert (kept / "models-cache/models/tiny").exists()
    assert cli("cache", "clear", "tiny", given="y\n").code == 0
    assert not (kept / "models-cache/models/tiny").exists()
    assert (kept / "cache/solve").exists()


def test_clear_runs_leaves_other_peoples_folders(cli: Cli, kept: Path) -> None:
    assert cli("cache", "clear", "--all-runs", "--yes").code == 0
    assert not (kept / "cache/solve").exists()
    assert (kept / "mine/thesis.tex").exists()


@pytest.mark.parametrize("args", [[], ["mine"], ["../x"]])
def test_clear_of_nothing_known_is_wrong_usage(cli: Cli, kept: Path, args: list[str]) -> None:
    assert cli("cache", "clear", *args, "--yes").code == 2
