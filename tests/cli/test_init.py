"""`dataflow init`: what it writes runs, and passes its own tests, at once, without network or keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataflow.cli.init import Kind
from dataflow.cli.scaffold import camel, snake
from tests.cli.conftest import Cli

PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider")


@pytest.mark.parametrize("kind", list(Kind))
def test_an_operator_passes_its_own_tests(cli: Cli, shell: Cli, tmp_path: Path, kind: Kind) -> None:
    assert cli("init", "operator", "MyOwn", "--kind", kind.value).code == 0
    said = shell(*PYTEST)
    assert said.code == 0, said
    assert {"my_own.py", "my_own_cases.py", "test_my_own.py"} <= {p.name for p in tmp_path.iterdir()}


def test_a_prompt_passes_its_own_tests(cli: Cli, shell: Cli, tmp_path: Path) -> None:
    assert cli("init", "prompt", "RhymePrompt", "--into", "prompts").code == 0
    said = shell(*PYTEST, cwd=tmp_path / "prompts")
    assert said.code == 0, said


def test_a_pipeline_runs_and_passes_its_own_tests(cli: Cli, shell: Cli) -> None:
    assert cli("init", "pipeline", "AnswerQuestions").code == 0
    said = shell(*PYTEST)
    assert said.code == 0, said
    said = shell("-m", "dataflow", "run", "answer_questions.py", "--quiet")
    assert said.code == 0, said
    assert "3 rows in, 3 out, 0 dropped, 0 failed" in said.out


@pytest.mark.parametrize(
    ("args", "folder"), [(("project", "my-data"), "my-data"), ((), ".")], ids=["named", "here"]
)
def test_a_project_runs_and_passes_its_own_tests(
    cli: Cli, shell: Cli, tmp_path: Path, args: tuple[str, ...], folder: str
) -> None:
    assert cli("init", *args).code == 0
    said = shell(*PYTEST, cwd=tmp_path / folder)
    assert said.code == 0, said
    for command in ("plan", "run"):
        said = shell("-m", "dataflow", command, "pipeline.py", cwd=tmp_path / folder)
        assert said.code == 0, said
    assert "4 rows in, 2 out, 2 dropped, 0 failed" in said.out


def test_nothing_is_overwritten_unless_forced(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "test_my_own.py").write_text("mine")
    said = cli("init", "operator", "MyOwn")
    assert (said.code, said.err) == (
        2,
        "dataflow: already there: test_my_own.py; nothing was written. --force overwrites\n",
    )
    assert [p.name for p in tmp_path.iterdir()] == ["test_my_own.py"]
    assert cli("init", "operator", "MyOwn", "--force").code == 0
    assert (tmp_path / "test_my_own.py").read_text() != "mine"


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (["operator", "my_own"], "such as MyOwn"),
        (["operator", "class"], "such as Class"),
        (["prompt", "1Prompt"], "such as Project1Prompt"),
        (["pipeline", "../Evil"], "such as Evil"),
        (["extension", "Big_Name"], "such as big-name"),
        (
            ["operator", "PromptedFilter"],
            "is there already (dataflow.operators.core_text.prompted.PromptedFilter",
        ),
    ],
)
def test_names_that_cannot_be_are_wrong_usage(cli: Cli, tmp_path: Path, args: list[str], hint: str) -> None:
    said = cli("init", *args)
    assert said.code == 2
    assert hint in said.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("WordNumberFilter", "word_number_filter"),
        ("SQLFilter", "sql_filter"),
        ("Text2SQL", "text2_sql"),
        ("A", "a"),
    ],
)
def test_modules_are_named_after_classes(name: str, module: str) -> None:
    assert snake(name) == module


def test_classes_are_named_after_folders() -> None:
    assert [camel(n) for n in ("my-data", "data flow_2", "2024", "数据")] == [
        "MyData",
        "DataFlow2",
        "Project2024",
        "Project",
    ]
