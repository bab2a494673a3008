"""The command, called in this process (`cli`) and as a process of its own (`shell`)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dataflow.cli.app import app

ROOT = Path(__file__).parents[2]
Cli = Callable[..., "Said"]


class Said:
    """What a command said, and the status it ended with."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def __repr__(self) -> str:
        return f"exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Calls the command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATAFLOW_CACHE", str(tmp_path / "models-cache"))
    monkeypatch.delenv("DF_API_KEY", raising=False)
    monkeypatch.setattr(sys, "path", [*sys.path])

    def call(*args: object, given: str | None = None) -> Said:
        done = CliRunner().invoke(app, list(map(str, args)), input=given, prog_name="dataflow")
        return Said(done.exit_code, done.stdout, done.stderr)

    return call


@pytest.fixture
def shell(tmp_path: Path) -> Cli:
    """Calls `python …` as a process of its own, in a folder, with this package on its path."""

    def call(*args: object, cwd: Path = tmp_path, path: str = "") -> Said:
        env = {k: v for k, v in os.environ.items() if k != "DF_API_KEY"}
        env |= {
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), path])),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        done = subprocess.run(
            [sys.executable, *map(str, args)], cwd=cwd, env=env, capture_output=True, text=True, check=False
        )
        return Said(done.returncode, done.stdout, done.stderr)

    return call
