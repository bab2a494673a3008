"""How programs of other languages than Python are put together, run and read."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from dataflow.core.errors import ConfigError
from dataflow.sandbox.isolation import needed
from dataflow.sandbox.programs import MIB, Limits, Program, Verdict

_MAIN = re.compile(r"\bint\s+main\s*\([^)]*\)\s*\{")
_DONE = """
#include <unistd.h>
#include <exception>
struct SandboxEnd {{ ~SandboxEnd() {{ if (!std::uncaught_exceptions()) (void)!write(9, "{word}", {size}); }} }};
"""
_LINE = re.compile(r"program\.(?:js|cpp):(\d+)")


@dataclass(frozen=True)
class Recipe:
    """The commands of a language, in the scratch folder."""

    command: list[str]
    compiles: list[str] | None
    run_limits: dict[str, int]


def recipe(language: str, limits: Limits) -> Recipe:
    """How programs of a language are run.

    Raises:
        ConfigError: what runs or compiles them is not on the path.
    """
    if language == "javascript":
        node = _tool("node", "JavaScript")
        heap = f"--max-old-space-size={max(limits.memory_bytes // MIB * 3 // 4, 32)}"
        return Recipe([node, heap, "program.js"], None, {})
    compiler = _tool("g++", "C++")
    compiles = [compiler, "-std=c++17", "-O1", "-pipe", "-o", "program", "program.cpp"]
    return Recipe(["./program"], compiles, {"RLIMIT_AS": limits.memory_bytes})


def _tool(name: str, language: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise ConfigError(f"{language} programs need {name} on the path")
    return os.path.realpath(found)


@lru_cache(maxsize=1)
def tools() -> tuple[str, ...]:
    """The folders beside `/usr` that other languages need, of those whose tools are here."""
    found = [os.path.realpath(path) for path in map(shutil.which, ("node", "g++")) if path]
    return tuple(folder for path in found for folder in needed(str(Path(path).parent.parent)))


def files(program: Program, word: str) -> dict[str, str]:
    """The program with its tests as one file, which writes `word` to descriptor 9 when the tests are through."""
    tests = program.tests if isinstance(program.tests, str) else "\n".join(program.tests)
    if program.language == "javascript":
        end = f'\n;require("fs").writeSync(9, "{word}");\n' if tests else ""
        return {"program.js": f"{program.code}\n{tests}{end}"}
    if not tests:
        return {"program.cpp": program.code}
    end = _DONE.format(word=word, size=len(word))
    if not _MAIN.search(tests):
        tests = f"#include <cassert>\nint main() {{\n{tests}\nreturn 0;\n}}\n"
    body = _MAIN.sub(lambda m: f"{m[0]} SandboxEnd sandbox_end;", tests, count=1)
    return {"program.cpp": f"{program.code}\n{end}#undef NDEBUG\n#include <cassert>\n{body}"}


def read_exit(code: int, stderr: str) -> tuple[Verdict, str, int | None]:
    """The verdict of a program that ended with an exit code (minus its signal where one killed it) but not its tests."""
    line = _LINE.search(stderr)
    where = int(line[1]) if line else None
    last = next((part.strip() for part in stderr.splitlines() if "rror" in part or "Assert" in part), "")
    if "bad_alloc" in stderr or "heap out of memory" in stderr:
        return "memory", "out of memory", where
    if "AssertionError" in stderr or "Assertion `" in stderr or "Assertion failed" in stderr:
        return "failed", last, where
    if code == 0:
        return "error", "ended before its tests did", where
    ended = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
    return "error", f"{ended}: {last}" if last else ended, where
