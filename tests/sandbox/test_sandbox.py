"""The sandbox itself: order, threads, its end, and machines without isolation."""

from __future__ import annotations

import os
import shutil
import threading
import time
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path

import pytest

from dataflow.core.errors import ConfigError
from dataflow.sandbox import Limits, Program, Sandbox, seccomp
from dataflow.sandbox import isolation as isolating
from dataflow.sandbox.tree import descendants
from tests.sandbox.conftest import SMALL


def test_executions_come_in_order(sandbox: Sandbox) -> None:
    programs = [
        Program(f"import time; time.sleep({0.1 if i % 3 == 0 else 0}); print({i})") for i in range(12)
    ]
    assert [e.stdout for e in sandbox.run(programs)] == [f"{i}\n" for i in range(12)]
    assert sandbox.run([]) == []


def test_threads_may_share_it(sandbox: Sandbox) -> None:
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda i: sandbox.run([Program(f"print({i})")] * 3), range(6)))
    assert [[e.stdout for e in row] for row in made] == [[f"{i}\n"] * 3 for i in range(6)]


def test_one_nursery_serves_many_and_each_finds_the_place_empty() -> None:
    code = "import os, sys, tempfile\nassert os.listdir() == ['program.py'] and not os.listdir('/tmp'), os.listdir()\n"
    code += (
        "assert not os.listdir('/dev/shm')\nfor f in ('x', '/tmp/x', '/dev/shm/x'): open(f, 'w').write('x')\n"
    )
    code += "sys.modules['json'] = None; import math; math.pi = 3; assert os.getpid() == 2"
    with Sandbox(SMALL, workers=1) as alone:
        assert [e.verdict for e in alone.run([Program(code)] * 5)] == ["passed"] * 5
        assert alone.run([Program("import json, math; print(math.pi)")])[0].stdout.startswith("3.14159")


def test_nothing_runs_after_the_end() -> None:
    before = set(descendants(os.getpid()))
    with Sandbox(SMALL, workers=2) as closing:
        closing.run([Program("1")] * 4)
        assert set(descendants(os.getpid())) - before
    assert not set(descendants(os.getpid())) - before
    with pytest.raises(ConfigError, match="closed"):
        closing.run([Program("1")])
    closing.close()


def test_closing_ends_what_runs() -> None:
    slow = Sandbox(Limits(seconds=60), workers=2)
    slow.run([Program("1")])
    ended: list[BaseException] = []
    running = threading.Event()

    def run() -> None:
        running.set()
        try:
            slow.run([Program("import time; time.sleep(50)")] * 4)
        except (ConfigError, CancelledError) as error:
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    running.wait(5)
    slow.close()
    thread.join(20)
    assert not thread.is_alive()
    assert ended


def test_a_nursery_that_dies_is_replaced(sandbox: Sandbox) -> None:
    with Sandbox(SMALL, workers=1) as alone:
        alone.run([Program("1")])
        os.kill(alone._idle[0].process.pid, 9)
        assert alone.run([Program("print(2)")])[0].stdout == "2\n"


def test_packages_can_be_imported(tmp_path: Path) -> None:
    shared = Path("/tmp", f"sandbox-packages-{os.getpid()}")
    shared.mkdir()
    try:
        (shared / "mine.py").write_text("x = 7")
        with Sandbox(SMALL, workers=1, packages=[shared]) as own:
            (done,) = own.run([Program("import mine; print(mine.x); open(mine.__file__, 'w')")])
        assert (done.stdout, done.verdict) == ("7\n", "forbidden")
        assert (shared / "mine.py").read_text() == "x = 7"
    finally:
        shutil.rmtree(shared)


def test_no_isolation_is_refused_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    isolating.isolation.cache_clear()
    monkeypatch.setattr(isolating, "_bubblewraps", lambda: ["/bin/false"])
    with pytest.raises(ConfigError, match=r"dataflow-llm\[code\].*unsafe_local=True"):
        Sandbox()
    isolating.isolation.cache_clear()


def test_unsafe_local_must_be_typed_and_still_bounds() -> None:
    with Sandbox(Limits(seconds=1, memory_bytes=256 << 20), workers=2, unsafe_local=True) as local:
        codes = ["print(1)", "while True: pass", "x = bytearray(1 << 40)", "import os; print(os.listdir())"]
        done = local.run([Program(code) for code in codes])
        background = "import os, time\nif not os.fork():\n os.setsid()\n if not os.fork(): time.sleep(60)\n os._exit(0)"
        local.run([Program(background)])
        left = [p for n in local._idle for p in n.below()]
    assert [e.verdict for e in done] == ["passed", "timeout", "memory", "passed"]
    assert done[3].stdout == "['program.py']\n"
    until = time.monotonic() + 5
    while [p for p in left if Path(f"/proc/{p}").exists()] and time.monotonic() < until:
        time.sleep(0.01)
    assert not [p for p in left if Path(f"/proc/{p}").exists()]


def test_the_filter_is_made_for_known_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    for machine, instructions in {"x86_64": 55, "aarch64": 55}.items():
        monkeypatch.setattr(seccomp.platform, "machine", lambda machine=machine: machine)
        made = seccomp.program()
        assert made is not None
        assert len(made) == 8 * instructions
    monkeypatch.setattr(seccomp.platform, "machine", lambda: "riscv64")
    assert seccomp.program() is None
