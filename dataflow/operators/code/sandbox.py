"""Programs judged by running them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import polars as pl

from dataflow.core.outcome import Outcome
from dataflow.core.ports import Binding, In, Out
from dataflow.operators.code._programs import RunsPrograms, tests_of
from dataflow.sandbox import Execution, Program


class CodeSandboxSampleEvaluator(RunsPrograms):
    """Run each program in a sandbox and put whether it passes: `PASS` or `FAIL`, with a log.

    Without tests a program passes when it ends as a script does, its `__main__` part included; `sys.exit()` is such an
    end. With tests it passes when all of them do, whatever ends before them. Tests follow the program in one
    namespace: statements that assert, functions `test_…`, test classes; a list of texts is tests that run apart. With an
    entry point, `check(entry_point)` follows the tests. The log of a pass is what was printed, of a failure its reason.

    The verdict says more: `passed`, `failed` (an assertion), `error` (an exception), `timeout`, `memory`,
    `forbidden`. A program has no network, and no file but those it makes. Null gives null.

    Raises:
        ConfigError: the machine has no isolation for programs, and `unsafe_local` is not set.
    """

    kind: ClassVar[str] = "Map"
    kernel: ClassVar[str] = "programs"
    input_key = In(doc="the program")
    output_status_key = Out("sandbox_status", "`PASS` or `FAIL`")
    output_log_key = Out("sandbox_log", "what was printed, or why it failed")
    output_verdict_key = Out(doc="the verdict", optional=True)
    input_tests_key = In(doc="its tests: a text, or a list of texts", type="any", optional=True)
    input_entry_point_key = In(doc="the function that a `check` of the tests is given", optional=True)

    def programs(self, code: str, tests: Any, entry_point: str | None) -> Sequence[Program]:
        given = tests_of(tests)
        if given and entry_point is not None:
            called = f"\ncheck({entry_point})\n"
            given = given + called if isinstance(given, str) else [test + called for test in given]
        return [Program(code, tests=given, language=self.language)]

    def judge(
        self, executions: Sequence[Execution], code: str, tests: Any, entry_point: str | None
    ) -> tuple[str, str, str]:
        (done,) = executions
        return ("PASS" if done.passed else "FAIL"), log_of(done), done.verdict

    def finish(self, frame: pl.DataFrame, binding: Binding, results: list[Any]) -> Outcome:
        return Outcome(self.written(frame, binding, results))


def log_of(done: Execution) -> str:
    """What a program printed, or why it did not pass, and where."""
    if done.passed:
        return done.stdout
    said = done.detail or done.verdict
    named = said if done.verdict in ("failed", "error") else f"{done.verdict}: {said}"
    return f"{named} (line {done.line})" if done.line else named
