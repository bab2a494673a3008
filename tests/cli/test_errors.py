"""Every error is one line on stderr, and has its exit status."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dataflow import __version__
from dataflow.cli.app import EXIT_CODES
from tests.cli.conftest import Cli

RAISING = "from dataflow.core.errors import *\n\nclass P:\n    def forward(self):\n        raise {}\n"


@pytest.fixture
def raising(cli: Cli, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Runs a pipeline that raises, and gives the exit status and what was said."""

    def call(error: str, *options: str) -> tuple[int, str]:
        (tmp_path / "raising_pipeline.py").write_text(RAISING.format(error))
        said = cli("run", "raising_pipeline.py", *options)
        return said.code, said.err

    return call


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (
            ["nope"],
            "dataflow: No such command 'nope'. Did you mean 'op'? `dataflow --help` lists what there is.\n",
        ),
        (["run"], "dataflow run: Missing argument 'PIPELINE'. `dataflow run --help` lists what there is.\n"),
        (["run", "x.py", "--limit", "0"], None),
        (["plan", "absent.py"], "dataflow: there is no file absent.py\n"),
        (
            ["plan", "Absent"],
            "dataflow: 'Absent' is neither a file nor a pipeline of an installed package.\n",
        ),
        (["plan", "absent_module:P"], "dataflow: there is no file and no module 'absent_module'\n"),
        (
            ["trace", "last", "0"],
            "dataflow: there is no run 'last' here; `dataflow runs` lists those that are\n",
        ),
    ],
)
def test_wrong_usage(cli: Cli, args: list[str], message: str | None) -> None:
    said = cli(*args)
    assert (said.code, said.out) == (2, "")
    assert said.err.count("\n") == 1
    assert message in (None, said.err)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("ConfigError('no key')", 1),
        ("ServingError('dead')", 1),
        ("RunStopped('saved')", 5),
        ("KeyError('x')", 1),
    ],
)
def test_errors_of_a_run(raising: Callable[..., tuple[int, str]], error: str, code: int) -> None:
    ended, said = raising(error)
    assert ended == code
    assert said.startswith("dataflow: ")
    assert said.count("\n") == 1


def test_all_the_mistakes_of_a_pipeline_are_told(raising: Callable[..., tuple[int, str]]) -> None:
    ended, said = raising(
        "CompileError('P', [Mistake(1, 'A', 'x', ' is wrong'), Mistake(2, 'B', 'y', ' too')])"
    )
    assert ended == 3
    assert said.splitlines()[0] == "dataflow: P does not compile: 2 mistakes. Nothing has run."


def test_interrupted(raising: Callable[..., tuple[int, str]]) -> None:
    assert raising("KeyboardInterrupt") == (130, "")


def test_debug_shows_where(raising: Callable[..., tuple[int, str]]) -> None:
    assert raising("ValueError('odd')") == (1, "dataflow: ValueError: odd (--debug shows where)\n")
    _, said = raising("ValueError('odd')", "--debug")
    assert "Traceback" in said
    assert said.endswith("dataflow: ValueError: odd\n")


def test_help_lists_the_exit_statuses(cli: Cli) -> None:
    shown = cli("--help").out
    assert [text for text in EXIT_CODES.values() if text not in shown] == []


def test_version(cli: Cli) -> None:
    assert cli("--version").out == f"{__version__}\n"


def test_a_real_process_exits_with_the_status(shell: Cli) -> None:
    said = shell("-m", "dataflow", "run", "absent.py")
    assert (said.code, said.out, said.err) == (2, "", "dataflow: there is no file absent.py\n")
