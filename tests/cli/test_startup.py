"""The command starts fast: it imports only what it uses."""

from __future__ import annotations

import time

import pytest

from tests.cli.conftest import Cli

HEAVY = {"polars", "pandas", "numpy", "torch", "aiohttp", "orjson"}
SECONDS = 0.5


@pytest.mark.parametrize(
    "args",
    [
        "--help",
        "ops",
        "op --help",
        "prompts",
        "env",
        "cache ls",
        "cache --help",
        "init --help",
        "init prompt APrompt",
        "run --help",
    ],
)
def test_light_commands_import_nothing_heavy(shell: Cli, args: str) -> None:
    code = (
        "import sys\nfrom dataflow.cli.app import app\n"
        f"try:\n    app({args.split()!r}, prog_name='dataflow')\nexcept SystemExit as end:\n    assert not end.code\n"
        "print('loaded:', sorted(m for m in sys.modules if '.' not in m))"
    )
    said = shell("-c", code)
    assert said.code == 0, said
    loaded = set(said.out.rpartition("loaded: ")[2].replace("'", "").strip("[]\n").split(", "))
    assert loaded & HEAVY == set()


def test_ops_starts_in_half_a_second(shell: Cli) -> None:
    def once() -> float:
        started = time.perf_counter()
        assert shell("-m", "dataflow", "ops").code == 0
        return time.perf_counter() - started

    best = min(once() for _ in range(5))
    assert best < SECONDS, (
        f"`dataflow ops` took {best:.2f} s; look for a new import at the top of dataflow/cli or core/registry"
    )
