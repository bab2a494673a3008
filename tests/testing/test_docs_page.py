"""The page about testing: its code runs as it stands there, and its promises are those that are checked."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from dataflow.testing.conformance import promises

PAGE = Path(__file__).parents[2].joinpath("docs", "testing.md").read_text(encoding="utf-8")


def test_the_code_on_the_page_runs(tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.M | re.S)
    file = tmp_path / "test_page.py"
    file.write_text("\n\n".join(blocks), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        str(file),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_lists_every_promise() -> None:
    listed = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|$", PAGE, flags=re.M))
    assert {name: listed.get(name) for name in promises()} == promises()
