"""Tests of operators run in a folder of their own, in which the files lie that cases read."""

from __future__ import annotations

from pathlib import Path

import pytest
from core_text_cases import FILES
from general_text_cases import FILES as TEXT_FILES
from reasoning_cases import FILES as REASONING_FILES


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in (FILES | TEXT_FILES | REASONING_FILES).items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
