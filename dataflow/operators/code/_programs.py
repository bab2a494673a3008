"""What operators that run programs share: how they are isolated and bounded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Literal

import polars as pl
from pydantic import Field

from dataflow.core.errors import ConfigError
from dataflow.core.outcome import Failure, Outcome
from dataflow.core.ports import Binding
from dataflow.core.rows import RowOperator, attempt, outcome
from dataflow.sandbox import Execution, Limits, Program, Sandbox


class RunsPrograms(RowOperator):
    """Runs programs for each row in a sandbox, those of a batch at once; the kernel is `programs` and `judge`."""

    leading: ClassVar[tuple[str, ...]] = ("language", "timeout_length", "use_process_isolation")

    language: Literal["python", "javascript", "cpp"] = "python"
    """What the programs are written in; JavaScript needs node on the path, C++ needs g++."""
    timeout_length: float = Field(default=15, gt=0)
    """Seconds that a program may run."""
    use_process_isolation: bool = True
    """Kept for existing pipelines; programs never run in this process."""
    memory_mb: int = Field(default=1024, ge=64)
    """MiB that a program may hold."""
    packages: tuple[str, ...] = ()
    """Folders of Python packages that programs may import beside the standard library, read-only."""
    workers: int | None = Field(default=None, ge=1)
    """Programs that run at once; one a processor where null."""
    unsafe_local: bool = False
    """Runs programs without isolation where the machine has none: they can then do all that you can."""

    def check(self, binding: Binding) -> Iterator[tuple[str, str]]:
        yield from super().check(binding)
        try:
            self.sandbox().close()
        except ConfigError as error:
            yield "unsafe_local", f": {error}"

    def sandbox(self) -> Sandbox:
        """A sandbox as the settings say."""
        limits = Limits(seconds=self.timeout_length, memory_bytes=self.memory_mb << 20)
        return Sandbox(limits, self.workers, packages=self.packages, unsafe_local=self.unsafe_local)

    def programs(self, *values: Any) -> Sequence[Program]:
        """The programs to run for one row."""
        raise NotImplementedError

    def judge(self, executions: Sequence[Execution], *values: Any) -> Any:
        """What comes of a row, out of what came of its programs."""
        raise NotImplementedError

    def finish(self, frame: pl.DataFrame, binding: Binding, results: list[Any]) -> Outcome:
        """The rows that go on, with what they are given."""
        raise NotImplementedError

    def transform(self, frame: pl.DataFrame, binding: Binding) -> Outcome:
        rows = self.cells(frame, binding)
        asked = [() if self.skips(row) else attempt(self.programs, row) for row in rows]
        programs = [p for made in asked if not isinstance(made, Failure) for p in made]
        with self.sandbox() as sandbox:
            done = iter(sandbox.run(programs))
        results = [self._result(row, made, done) for row, made in zip(rows, asked, strict=True)]
        return outcome(frame, results, lambda kept, found: self.finish(kept, binding, found))

    def _result(self, row: tuple[Any, ...], made: Any, done: Iterator[Execution]) -> Any:
        if isinstance(made, Failure):
            return made
        executions = [next(done) for _ in made]
        return None if self.skips(row) else attempt(lambda *values: self.judge(executions, *values), row)


def tests_of(cell: Any) -> str | list[str]:
    """The tests in a cell: one text, or a list of texts that are tests each; nothing for null and blank."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell if cell.strip() else ""
    if isinstance(cell, (list, tuple)) and all(isinstance(test, str) for test in cell):
        return [test for test in cell if test.strip()]
    raise TypeError(f"tests are a text or a list of texts, not {type(cell).__name__}")
