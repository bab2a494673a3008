"""What is run and what comes of it: programs, limits, executions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Language = Literal["python", "javascript", "cpp"]
Verdict = Literal["passed", "failed", "error", "timeout", "memory", "forbidden"]

MIB = 1 << 20


class Limits(BaseModel):
    """What a program may use; beyond it the program is killed with all that it started."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: float = Field(default=10.0, gt=0)
    """Wall time of the program with its tests; where tests are given one by one, of the program and of each test."""
    total_seconds: float | None = Field(default=None, gt=0)
    """Wall time of a program with all tests or cases given one by one; five times `seconds` where null."""
    memory_bytes: int = Field(default=1024 * MIB, ge=64 * MIB)
    """Address space of each process (but of node), and memory that all of them and the scratch folder hold together."""
    processes: int = Field(default=32, ge=1)
    """Processes and threads at once."""
    scratch_bytes: int = Field(default=64 * MIB, ge=MIB)
    """What fits into the scratch folder, and as much into `/tmp`; no file is larger."""
    files: int = Field(default=10_000, ge=1)
    """Files and folders in the scratch folder."""
    output_bytes: int = Field(default=16 * MIB, ge=1)
    """Standard output and error together."""
    shown_chars: int = Field(default=10_000, ge=100)
    """Characters of standard output, and of standard error, that are kept: the first and the last half of them."""

    @property
    def all_seconds(self) -> float:
        return self.total_seconds or 5 * self.seconds


@dataclass(frozen=True)
class Case:
    """What a program is given on standard input, and what it must print, blanks at the ends of lines aside."""

    stdin: str
    stdout: str


@dataclass(frozen=True)
class Program:
    """A program, and how it is told whether it is right.

    Without tests it is run as a script. With tests it is a module, `name`, that the tests follow in the same
    namespace: statements that assert, functions `test_…`, classes `Test…` or `unittest.TestCase`, in one text; or a
    sequence of such texts, each of which runs in a process of its own. `cases` run it once each, as a script.
    """

    code: str
    tests: str | Sequence[str] = ()
    stdin: str = ""
    cases: Sequence[Case] = ()
    doctests: bool = False
    """Whether the examples in its docstrings are tests."""
    language: Language = "python"
    name: str = "solution"
    """What tests may import it as."""


@dataclass(frozen=True)
class Execution:
    """What came of one program."""

    verdict: Verdict
    detail: str = ""
    """Why it did not pass, in one line."""
    line: int | None = None
    """The line of the program where that happened, or of the tests where it was there."""
    stdout: str = ""
    stderr: str = ""
    seconds: float = 0.0
    """Wall time, without the start of the sandbox."""
    tests: tuple[Verdict, ...] = ()
    """The verdict of each test or case, in order."""

    @property
    def passed(self) -> bool:
        return self.verdict == "passed"


def shown(text: bytes, chars: int) -> str:
    """Output as text, its middle cut out where it is too long, with a mark that says how much."""
    full = text.decode("utf-8", "replace")
    if len(full) <= chars:
        return full
    half = chars // 2
    return f"{full[:half]}\n… [{len(full) - 2 * half} characters cut] …\n{full[-half:]}"


def same_output(made: bytes, wanted: str) -> bool:
    """Whether an output is as wanted: line by line, without blanks at their ends and empty lines at the end."""
    return _lines(made.decode("utf-8", "replace")) == _lines(wanted)


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.rstrip().splitlines()]
