"""Programs that mean harm are contained, get the right verdict, and leave no trace."""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dataflow.sandbox import Execution, Program, Sandbox
from tests.sandbox.hostile import ALL, OUTLIVING, Hostile

SECRET = "the secret of the host"


@pytest.fixture(scope="module")
def secret() -> Iterator[Path]:
    """A file of the host that anybody may read and write, and a key in the environment."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        file = Path(folder, "secret.txt")
        file.write_text(SECRET)
        file.chmod(0o666)
        file.parent.chmod(0o777)
        patch.setenv("HOSTILE_TEST_KEY", SECRET)
        yield file


@pytest.fixture(scope="module")
def executions(sandbox: Sandbox, secret: Path) -> Iterator[dict[str, Execution]]:
    """All of them run in one pool, so that they would meet each other."""
    with socket.socket() as server, socket.socket(socket.AF_UNIX) as abstract:
        server.bind(("127.0.0.1", 0))
        server.listen()
        abstract.bind("\0hostile-test")
        abstract.listen()
        known = f"SECRET_FILE = {str(secret)!r}; SECRET_FOLDER = {str(secret.parent)!r}; PORT = {server.getsockname()[1]}\n"
        programs = [replace(h.program, code=known + h.program.code) for h in ALL]
        yield dict(zip([h.name for h in ALL], sandbox.run(programs), strict=True))


def test_names_are_unique() -> None:
    assert len({h.name for h in ALL}) == len(ALL) >= 40


@pytest.mark.parametrize("hostile", ALL, ids=lambda h: h.name)
def test_verdict(hostile: Hostile, executions: dict[str, Execution]) -> None:
    execution = executions[hostile.name]
    assert execution.verdict in hostile.verdicts.split(), execution
    assert SECRET not in execution.stdout + execution.stderr + execution.detail
    assert len(execution.detail) < 3000
    assert len(execution.stdout) < 11_000


def test_the_host_is_untouched(executions: dict[str, Execution], secret: Path) -> None:
    assert secret.read_text() == SECRET
    assert [p.name for p in secret.parent.iterdir()] == [secret.name]
    assert not Path("/x").exists()
    assert not Path("/usr/bin/x").exists()
    assert not Path(os.__file__).with_name("x.py").exists()


def test_the_next_program_is_unaffected(sandbox: Sandbox, executions: dict[str, Execution]) -> None:
    fine = Program(
        "import os\ndef f(): return sorted(os.listdir())",
        tests="assert f() == ['program.py'] and len('ab') == 2",
    )
    assert [e.verdict for e in sandbox.run([fine] * 4)] == ["passed"] * 4


@pytest.mark.parametrize("hostile", OUTLIVING, ids=lambda h: h.name)
def test_nothing_outlives(hostile: Hostile, sandbox: Sandbox) -> None:
    mark = f"hx{os.getpid() % 100000}"
    named = f"def NAME(): open('/proc/self/comm', 'w').write({mark!r})\nSECONDS = '61.{os.getpid()}'\n"
    program = replace(hostile.program, code=named + hostile.program.code)
    (execution,) = sandbox.run([program])
    assert execution.verdict in hostile.verdicts.split(), execution
    until = time.monotonic() + 5
    while (left := _running(mark, f"61.{os.getpid()}")) and time.monotonic() < until:
        time.sleep(0.01)
    assert not left


def _running(name: str, argument: str) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            comm, line = (process / "comm").read_text(), (process / "cmdline").read_bytes()
        except OSError:
            continue
        if comm.strip() == name or argument.encode() in line:
            found.append(process.name)
    return found
