"""The executor of open-dataflow 1.x, over the sandbox."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dataflow.sandbox.programs import Execution, Limits, Program
from dataflow.sandbox.sandbox import shared

MOST_CHARS = 400


class PythonExecutor:
    """Runs Python programs as scripts, each isolated; `timeout_length` is in seconds.

    Of the other settings `get_answer_from_stdout` has its meaning; the rest are accepted, and change nothing: there are
    no runtimes that prepare names, and no program runs in this process.
    """

    def __init__(
        self,
        runtime_class: Any = None,
        get_answer_symbol: str | None = None,
        get_answer_expr: str | None = None,
        get_answer_from_stdout: bool = True,
        timeout_length: float = 20,
        use_process_isolation: bool = True,
    ) -> None:
        self.get_answer_from_stdout, self.timeout_length = get_answer_from_stdout, timeout_length

    def batch_apply(
        self, list_of_code: Sequence[str | None], messages: Any = None
    ) -> list[tuple[dict[str, str], str]]:
        """Result and report of each program, in order; the report of one that ends as a script does is `Done`."""
        codes = [code for code in list_of_code if code is not None]
        done = iter(shared(Limits(seconds=self.timeout_length)).run(map(Program, codes)))
        return [
            ({"error": "no code"}, "Error: no code") if code is None else self._told(next(done))
            for code in list_of_code
        ]

    def apply(self, code: str, messages: Any = None) -> tuple[dict[str, str], str]:
        """Result and report of one program."""
        return self.batch_apply([code], messages)[0]

    def _told(self, done: Execution) -> tuple[dict[str, str], str]:
        if done.passed:
            printed = done.stdout.strip() if self.get_answer_from_stdout else ""
            return ({"text": _cut(printed)} if printed else {}), "Done"
        said = done.detail or done.verdict
        named = said if done.verdict in ("failed", "error") else f"{done.verdict}: {said}"
        return {"error": _cut(named), "traceback": _cut(done.stderr)}, _cut(f"Error: {named}")


def _cut(text: str) -> str:
    half = MOST_CHARS // 2
    return text if len(text) <= MOST_CHARS else f"{text[:half]}...{text[-half:]}"
