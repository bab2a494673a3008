"""`dataflow card` and `dataflow record`: what is handed on of a run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataflow.runtime import recording
from dataflow.testing.server import FaultyServer
from tests.cli.conftest import Cli

PIPELINE = """
from dataflow.operators.core_text import PromptedGenerator
from dataflow.pipeline import PipelineABC
from dataflow.serving import APILLMServing
from dataflow.storage import FileStorage


class Solve(PipelineABC):
    def __init__(self, url="URL"):
        super().__init__()
        self.storage = FileStorage("rows.jsonl", cache_path="./cache", file_name_prefix="solve", cache_type="jsonl")
        self.solve = PromptedGenerator(APILLMServing(url, model_name="m", max_retries=0), system_prompt="Solve.")

    def forward(self):
        self.solve.run(self.storage.step(), input_key="text", output_key="solution")
"""


def picky(body: dict[str, object]) -> str:
    """No answer to what says hard."""
    if "hard" in str(body):
        raise ValueError("no answer to that")
    return "done"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Path]:
    """A folder with a pipeline and rows, and a model that answers."""
    with FaultyServer(reply=picky) as server:
        (tmp_path / "solve.py").write_text(PIPELINE.replace("URL", server.url))
        (tmp_path / "rows.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in ("a", "b", "c")))
        yield tmp_path


def test_a_card_is_printed_or_written(cli: Cli, here: Path) -> None:
    assert cli("run", "solve.py", "--quiet").code == 0
    printed = cli(
        "card", "last", "--title", "Solutions", "--licence", "mit", "--language", "en", "--tag", "maths"
    )
    assert printed.code == 0, printed
    assert printed.out.startswith("---\npretty_name: Solutions\nlicense: mit\nlanguage:\n- en\n")
    assert "- maths\n" in printed.out
    assert "\n# Solutions\n\n3 rows, made from 3 by 1 step of the pipeline `Solve`.\n" in printed.out
    written = cli("card", "cache/solve", "-o", "out/README.md", "--pipeline", "solve.py")
    assert (written.code, written.out) == (0, "out/README.md\n")
    assert "dataflow run solve.py --source rows.jsonl" in (here / "out/README.md").read_text()


def test_a_recording_is_written(cli: Cli, here: Path) -> None:
    (here / "rows.jsonl").write_text('{"text": "easy"}\n{"text": "hard"}\n')
    assert cli("run", "solve.py", "--quiet").code == 0
    said = cli("record", "last", "kept/solve.recording")
    assert said.code == 0, said
    assert said.out == "replies of Solve: 1, for 2 source rows: kept/solve.recording\n"
    assert said.err == "rows without a reply, which will fail again: 1\n"
    assert recording.read(here / "kept/solve.recording").replies == 1


def test_what_is_not_there_is_told(cli: Cli, here: Path) -> None:
    for command in (("card", "nowhere"), ("record", "nowhere", "x")):
        said = cli(*command)
        assert said.code == 2, said
        assert "there is no run 'nowhere' here" in said.err
    assert cli("card", ".").code == 1
