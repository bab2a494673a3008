"""Programs and tests that a model samples, and the program that they agree on."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from itertools import chain
from typing import Any, ClassVar

import polars as pl
from pydantic import Field

from dataflow.core.asking import Ask, readable
from dataflow.core.errors import ReplyError
from dataflow.core.frames import as_text
from dataflow.core.generate import Generate, build
from dataflow.core.outcome import Outcome, dropped
from dataflow.core.ports import Binding, In, Out
from dataflow.core.prompt import DIYPromptABC, prompt_restrict
from dataflow.core.replies import clip, without_thinking
from dataflow.core.rows import keep_rows
from dataflow.operators._lib.code_blocks import code_blocks, code_of
from dataflow.operators.code._programs import RunsPrograms, tests_of
from dataflow.prompts.code_tests import CodeSolutionGeneratorPrompt, CodeTestGeneratorPrompt
from dataflow.sandbox import Execution, Program

MOST_CHARS = 100_000


@prompt_restrict(CodeTestGeneratorPrompt)
class CodeTestGenerator(Generate):
    """Write assert statements that test each code instruction by a model: `num_samples` calls a row.

    The model sees the instruction alone, so that tests are independent of any solution. Each test is an assert
    statement or a function `test_…` of a reply, after the imports and assignments of that reply; the same test is kept
    once. A reply without tests is left out, and fails the row where none has any. Null gives null.
    """

    prompt_template: CodeTestGeneratorPrompt | DIYPromptABC | None = None
    """How the model is asked."""
    num_tests: int = Field(default=5, ge=1)
    """Tests asked for in a call."""
    num_samples: int = Field(default=1, ge=1)
    """Calls a row."""

    input_key = In("instruction", "the task")
    output_key = Out("generated_tests", "its tests", type="list[text]")

    def slot_names(self, binding: Binding) -> set[str]:
        return {"instruction", "num_tests"}

    async def answer(self, ask: Ask, instruction: Any) -> list[str]:
        prompt = self.prompt or CodeTestGeneratorPrompt()
        asked = build(prompt, {"instruction": as_text(instruction), "num_tests": str(self.num_tests)})
        made = await readable(ask.read(asked, parse_tests) for _ in range(self.num_samples))
        return list(dict.fromkeys(chain.from_iterable(filter(None, made))))


@prompt_restrict(CodeSolutionGeneratorPrompt)
class CodeSolutionGenerator(Generate):
    """Write several programs for each code instruction by a model: `num_samples` calls a row.

    The programs are those in the first code block of each reply, or all of it where it has none. Use a model with a
    temperature, or all are the same. Null gives null.
    """

    prompt_template: CodeSolutionGeneratorPrompt | DIYPromptABC | None = None
    """How the model is asked."""
    num_samples: int = Field(default=5, ge=1)
    """Programs a row."""

    input_key = In("instruction", "the task")
    output_key = Out("generated_codes", "programs for it", type="list[text]")

    def slot_names(self, binding: Binding) -> set[str]:
        return {"instruction"}

    async def answer(self, ask: Ask, instruction: Any) -> list[str]:
        asked = build(self.prompt or CodeSolutionGeneratorPrompt(), {"instruction": as_text(instruction)})
        made = await readable(ask.read(asked, code_of) for _ in range(self.num_samples))
        return [program for program in made if program]


class CodeDualExecutionFilter(RunsPrograms):
    """Keep of several programs the one that agrees best with several tests, by running each against each.

    Programs that pass the same tests form a group; a group scores the number of its programs times the number of
    tests they pass, and the first program of the best group is put (of two as good, the group that comes first). So
    wrong tests and wrong programs are outvoted: neither needs to be right. A row in which no program passes any test is
    dropped, with the reason `no program passes a test`; one without programs or tests, or null, is dropped too.

    A row runs each program once, and each test in a process of its own. CodeT, arXiv 2207.10397, section 2.

    Raises:
        ConfigError: the machine has no isolation for programs, and `unsafe_local` is not set.
    """

    kind: ClassVar[str] = "Filter"
    kernel: ClassVar[str] = "programs"
    input_codes_key = In("generated_codes", "the programs", type="any")
    input_tests_key = In("generated_tests", "the tests", type="any")
    output_key = Out("selected_code", "the program chosen")
    output_matrix_key = Out("pass_matrix", "for each program, for each test, whether it passes", type="json")
    output_score_key = Out("agreement_score", "what the group of that program scores", type="int")

    timeout_length: float = Field(default=3, gt=0)
    """Seconds that a program may load, and each test may run."""

    def programs(self, codes: Any, tests: Any) -> Sequence[Program]:
        given = _texts(tests)
        if not given:
            return ()
        return [Program(code, tests=given, language=self.language) for code in _texts(codes)]

    def judge(self, executions: Sequence[Execution], codes: Any, tests: Any) -> Any:
        count = len(_texts(tests))
        matrix = [[v == "passed" for v in e.tests] or [e.passed] * count for e in executions]
        found = best(matrix)
        if found is None:
            return "no program passes a test" if executions else "no programs or no tests"
        number, score = found
        return _texts(codes)[number], matrix, score

    def finish(self, frame: pl.DataFrame, binding: Binding, results: list[Any]) -> Outcome:
        kept = [isinstance(r, tuple) for r in results]
        chosen = [r for r in results if isinstance(r, tuple)]
        done = Outcome(self.written(keep_rows(frame, kept), binding, chosen))
        lost = [i for i, k in enumerate(kept) if not k]
        if lost:
            done.dropped = dropped(frame, lost, [results[i] or "null" for i in lost], binding.first_read)
        return done


def _texts(cell: Any) -> list[str]:
    found = tests_of(cell)
    return [found] if isinstance(found, str) and found else list(found)


def best(matrix: Sequence[Sequence[bool]]) -> tuple[int, int] | None:
    """The first program of the group that scores highest, and that score; null where no program passes a test."""
    groups: dict[tuple[bool, ...], list[int]] = {}
    for number, row in enumerate(matrix):
        if any(row):
            groups.setdefault(tuple(row), []).append(number)
    if not groups:
        return None
    passed, members = max(groups.items(), key=lambda group: len(group[1]) * sum(group[0]))
    return members[0], len(members) * sum(passed)


def parse_tests(reply: str) -> list[str]:
    """The tests in a reply: each of its assert statements and test functions, after what it imports and assigns.

    Raises:
        ReplyError: there is none.
    """
    source = _program(reply) or _begun(reply)
    statements = _statements(source) or [s for line in source.splitlines() for s in _statements(line.strip())]
    before = [text for kind, text in statements if kind == "before"]
    tests = ["\n".join([*before, text]) for kind, text in statements if kind == "test"]
    if not tests:
        raise ReplyError(f"no assert statement in the reply {clip(reply)}")
    return tests


def _program(reply: str) -> str | None:
    """The code in a reply; null where there is none, or where it breaks off."""
    try:
        return code_of(reply)
    except ReplyError:
        return None


def _begun(reply: str) -> str:
    """The whole lines of a block that breaks off, but for those that belong to a function: what a long reply got to."""
    blocks = [b for b in code_blocks(without_thinking(reply)) if not b.closed]
    lines = blocks[0].code.splitlines()[:-1] if blocks else []
    return "\n".join(line for line in lines if line.startswith(("assert ", "import ", "from ")))


def _statements(source: str) -> list[tuple[str, str]]:
    if len(source) > MOST_CHARS:
        return []
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    made = [(_role(s), ast.get_source_segment(source, s) or "") for s in body]
    return [(role, text) for role, text in made if role]


def _role(statement: ast.stmt) -> str:
    if isinstance(statement, ast.Assert):
        return "test"
    if isinstance(statement, ast.FunctionDef) and statement.name.startswith("test"):
        return "test"
    return "before" if isinstance(statement, (ast.Import, ast.ImportFrom, ast.Assign)) else ""
