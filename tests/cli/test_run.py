"""`dataflow run`, `plan`, `preview`, `retry`, and what they leave: `runs`, `report`, `trace`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

PIPELINE = '''
from dataflow.core import Filter, In
from dataflow.operators.core_text import PromptedGenerator
from dataflow.pipeline import PipelineABC
from dataflow.storage import FileStorage
from dataflow.testing import ScriptedServing


class LongFilter(Filter):
    """Keep long texts."""

    min_chars: int = 3
    """Fewest characters kept."""

    def keep(self, raw_content):
        return len(raw_content) >= self.min_chars or (False, "short")


def reply(prompt):
    import os
    return None if prompt in os.environ.get("FAILING", "").split() else prompt.upper()


class Shout(PipelineABC):
    def __init__(self, source="rows.jsonl", system="s"):
        super().__init__()
        self.storage = FileStorage(source, cache_path="./cache", file_name_prefix="shout", cache_type="jsonl")
        self.keep = LongFilter()
        self.shout = PromptedGenerator(ScriptedServing(by=reply), system_prompt=system)
        self.note = ""

    def forward(self):
        self.keep.run(self.storage.step())
        self.shout.run(self.storage.step(), output_key="loud")
'''
BAD = PIPELINE.replace(
    "self.keep.run(self.storage.step())", 'self.keep.run(self.storage.step(), input_key="raw_contents")'
)
PLAIN = """
class Plain:
    def forward(self):
        print("ran")
"""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with pipelines and rows."""
    (tmp_path / "shout.py").write_text(PIPELINE)
    (tmp_path / "bad.py").write_text(BAD)
    (tmp_path / "plain.py").write_text(PLAIN)
    (tmp_path / "two.py").write_text(PIPELINE + "\n\nclass Whisper(Shout): ...\n")
    rows = [{"raw_content": t} for t in ("one", "no", "three", "four")]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    (tmp_path / "other.jsonl").write_text('{"raw_content": "other"}\n')
    return tmp_path


def loud(folder: Path) -> list[str]:
    lines = (folder / "cache/shout_step2.jsonl").read_text().splitlines()
    return [json.loads(line)["loud"] for line in lines]


def test_run_says_what_became_of_the_rows_and_where_things_lie(cli: Cli, here: Path) -> None:
    said = cli("run", "shout.py", "--quiet")
    assert said.code == 0, said
    first, calls, table, report, run = said.out.splitlines()
    assert first == "4 rows in, 3 out, 1 dropped, 0 failed"
    assert calls.startswith("3 model calls, 0 answered from the journal")
    assert loud(here) == ["ONE", "THREE", "FOUR"]
    for line, label in ((table, "table"), (report, "report"), (run, "run")):
        name, _, path = line.partition(" ")
        assert name == label
        assert Path(path.strip()).exists()


def test_a_class_can_be_named_and_must_be_where_there_are_several(cli: Cli, here: Path) -> None:
    assert cli("run", "two.py:Whisper", "-q").code == 0
    said = cli("run", "two.py", "-q")
    assert (said.code, said.err) == (
        2,
        "dataflow: two.py defines 2 pipelines; name one: two.py:Shout, two.py:Whisper\n",
    )
    assert "Did you mean 'Shout'" in cli("run", "two.py:Shot").err


def test_source_and_settings(cli: Cli, here: Path) -> None:
    assert cli("run", "shout.py", "-q", "--source", "other.jsonl").code == 0
    assert loud(here) == ["OTHER"]
    said = cli(
        "run", "shout.py", "-q", "--set", "source=rows.jsonl", "--set", "keep.min_chars=5", "--set", "note=x"
    )
    assert said.code == 0, said
    assert loud(here) == ["THREE"]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("kep.min_chars=5", "Did you mean 'keep'?"),
        (
            "keep.min_char=5",
            "LongFilter has no setting 'min_char'; it has min_chars. Did you mean 'min_chars'?",
        ),
        ("keep.min_chars=many", "LongFilter: min_chars='many'"),
        ("note", "is not attr=value"),
    ],
)
def test_a_setting_that_cannot_be_is_told(cli: Cli, here: Path, setting: str, message: str) -> None:
    said = cli("run", "shout.py", "--set", setting)
    assert said.code in (1, 2)
    assert message in said.err
    assert not (here / "cache").exists()


MODELS = """
from dataflow.pipeline import PipelineABC
from dataflow.storage import FileStorage


class Models(PipelineABC):
    def __init__(self, llm_serving=None, embedding_serving=None, serving="vllm"):
        super().__init__()
        for given in (llm_serving, embedding_serving):
            print(type(given).__name__, getattr(given, "model_name", ""), getattr(given, "sampling", {}).get("max_tokens"))
        print(serving)
        self.storage, self.llm_serving = FileStorage("rows.jsonl", cache_path="./cache"), llm_serving

    def forward(self):
        pass
"""


def test_a_model_on_this_machine_is_set_by_its_name(cli: Cli, here: Path) -> None:
    (here / "models.py").write_text(MODELS)
    given = [
        "llm_serving=local",
        "embedding_serving=local",
        "llm_serving.max_tokens=7",
        "llm_serving.slots=3",
    ]
    said = cli("plan", "models.py", *(part for setting in given for part in ("--set", setting)))
    assert said.out.splitlines()[:3] == [
        "LocalLLMServing qwen2.5-coder-0.5b-instruct 7",
        "LocalEmbeddingServing use-multilingual-v3 None",
        "vllm",
    ]
    said = cli("plan", "models.py", "--set", "llm_serving=smollm2-135m-instruct", "--set", "serving=sglang")
    assert said.out.splitlines()[:3] == [
        "LocalLLMServing smollm2-135m-instruct 512",
        "NoneType  None",
        "sglang",
    ]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("llm_serving=smollm2-135m", "Did you mean 'smollm2-135m-instruct'?"),
        ("llm_serving=ms-marco-minilm-l12-v2", "ranks documents"),
    ],
)
def test_a_model_that_cannot_answer_is_told(cli: Cli, here: Path, setting: str, message: str) -> None:
    (here / "models.py").write_text(MODELS)
    said = cli("plan", "models.py", "--set", setting)
    assert said.code == 2
    assert said.err.startswith(f"dataflow: --set {setting}: ")
    assert message in said.err


def test_a_plain_class_runs_eagerly(cli: Cli, here: Path) -> None:
    said = cli("run", "plain.py")
    assert (said.code, said.out) == (0, "ran\nPlain.forward() is done\n")
    assert cli("plan", "plain.py").code == 2
    assert "--limit: Plain is a plain class" in cli("run", "plain.py", "-n", "1").err


def test_a_pipeline_with_mistakes_does_not_run(cli: Cli, here: Path) -> None:
    for command in ("run", "plan", "preview"):
        said = cli(command, "bad.py")
        assert said.code == 3, said
        assert "Did you mean 'raw_content'?" in said.err


def test_plan(cli: Cli, here: Path) -> None:
    shown = cli("plan", "shout.py", "--draw", "graph.svg")
    assert shown.code == 0, shown
    assert "PromptedGenerator" in shown.out
    assert (here / "graph.svg").read_text().startswith("<svg")
    assert json.loads(cli("plan", "shout.py", "--json").out)["pipeline"] == "Shout"
    assert not list(here.glob("cache/*.jsonl"))


def test_preview_shows_rows(cli: Cli, here: Path) -> None:
    said = cli("preview", "shout.py", "-n", "2")
    assert said.code == 0, said
    assert "row 1\n  raw_content: one\n  loud: ONE\n" in said.out
    assert "1    dropped  short" in said.out
    assert [
        r["loud"] for r in json.loads(cli("preview", "shout.py", "-n", "2", "--json").out)["records"]
    ] == ["ONE"]


def test_failed_rows_strict_and_retry(cli: Cli, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAILING", "three")
    said = cli("run", "shout.py", "-q")
    assert said.code == 0, said
    assert "first failure: the script has no reply" in said.err
    assert cli("run", "shout.py", "-q", "--strict").code == 4
    monkeypatch.delenv("FAILING")
    assert cli("retry", "shout.py", "-q", "--strict").code == 0
    assert loud(here) == ["ONE", "THREE", "FOUR"]


def test_json_is_all_that_is_printed(cli: Cli, here: Path) -> None:
    summary = json.loads(cli("run", "shout.py", "--json").out)
    assert (summary["status"], summary["output"]["rows"], summary["totals"]["dropped"]) == ("done", 3, 1)
    assert Path(summary["path"]).exists()


def test_runs_report_and_trace(cli: Cli, here: Path) -> None:
    cli("run", "shout.py", "-q")
    (account,) = json.loads(cli("runs", "--json").out)
    assert {k: account[k] for k in ("pipeline", "status", "rows_in", "rows_out", "dropped")} == {
        "pipeline": "Shout", "status": "done", "rows_in": 4, "rows_out": 3, "dropped": 1,
    }  # fmt: skip
    assert account["run"] in cli("runs").out
    for name in ("last", account["run"], Path(account["run"]).name):
        assert Path(cli("report", name).out.strip()).read_text().lstrip().lower().startswith("<!doctype html")
    assert "row 1: dropped: short" in cli("trace", "last", "1").out
    assert json.loads(cli("trace", "last", "0", "--json").out)[-1]["values"]["loud"] == "ONE"
    assert cli("trace", "last", "99").code == 2


def test_a_file_is_run_with_its_folder_on_the_path(shell: Cli, here: Path, tmp_path: Path) -> None:
    inner = here / "inner"
    inner.mkdir()
    (inner / "words.py").write_text("WORD = 'from beside'\n")
    (inner / "json.py").write_text(
        "from words import WORD\n\nclass P:\n    def forward(self):\n        print(WORD)\n"
    )
    said = shell("-m", "dataflow", "run", Path("inner", "json.py"))
    assert said.out.startswith("from beside\n"), said
