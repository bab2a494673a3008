"""What verdict comes of which program, in the forms that tests have, and in other languages."""

from __future__ import annotations

import shutil

import pytest

from dataflow.sandbox import Case, Limits, Program, Sandbox
from dataflow.sandbox.programs import same_output, shown

ADD = "def add(a, b):\n    return a + b\n"
PASSES, FAILS = "assert add(1, 2) == 3", "assert add(1, 2) == 4"
PYTEST = """
import pytest
from solution import add

@pytest.fixture
def one():
    return 1

@pytest.mark.parametrize("a, b, c", [(1, 2, 3), (2, 2, 4)])
def test_sums(a, b, c):
    assert add(a, b) == c

def test_raises(one):
    with pytest.raises(TypeError, match="unsupported"):
        add(one, "x")

def test_near():
    assert add(0.1, 0.2) == pytest.approx(0.3)

class TestAdd:
    def setup_method(self):
        self.a = 1

    def test_method(self):
        assert add(self.a, 1) == 2
"""
UNITTEST = """
import unittest

class AddTest(unittest.TestCase):
    def setUp(self):
        self.one = 1

    def test_right(self):
        self.assertEqual(add(self.one, 1), 2)

    def test_wrong(self):
        self.assertEqual(add(self.one, 1), 3)
"""
DOCTEST = 'def add(a, b):\n    """\n    >>> add(1, 2)\n    {}\n    """\n    return a + b\n'

VERDICTS = {
    "script": (Program("print(1)"), "passed", None),
    "script with a main part": (
        Program("if __name__ == '__main__':\n    raise ValueError('ran')"),
        "error",
        2,
    ),
    "script that exits well": (Program("import sys; sys.exit()"), "passed", None),
    "script that exits badly": (Program("import sys\nsys.exit(3)"), "error", 2),
    "script that calls exit": (Program("exit(0)"), "passed", None),
    "script with an assertion": (Program("x = 1\nassert x == 2, 'two'"), "failed", 2),
    "script that reads nothing": (Program("input()"), "error", 1),
    "script with threads": (
        Program("import threading\nthreading.Thread(target=print, args=('x',)).start()"),
        "passed",
        None,
    ),
    "syntax error": (Program("x = 1\nx = = 2"), "error", 2),
    "asserts hold": (Program(ADD, tests=PASSES), "passed", None),
    "asserts do not": (Program(ADD, tests=f"{PASSES}\n{FAILS}"), "failed", 2),
    "the program raises": (Program("def add(a, b):\n    return a / 0", tests=PASSES), "error", 2),
    "the program does not load": (Program("1 / 0\n" + ADD, tests=PASSES), "error", 1),
    "a main part does not run before tests": (
        Program(f"{ADD}if __name__ == '__main__':\n    1 / 0", tests=PASSES),
        "passed",
        None,
    ),
    "test functions": (Program(ADD, tests=PYTEST), "passed", None),
    "test functions of a wrong program": (
        Program(ADD.replace("+", "-"), tests=PYTEST.replace("import pytest\n", "import pytest\n")),
        "failed",
        11,
    ),
    "unittest": (Program(ADD, tests=UNITTEST), "failed", None),
    "coroutine": (Program(ADD, tests="async def test_it():\n    assert add(1, 1) == 3"), "failed", 2),
    "doctests": (Program(DOCTEST.format(3), doctests=True), "passed", None),
    "doctests fail": (Program(DOCTEST.format(4), doctests=True), "failed", None),
    "no doctests": (Program(ADD, doctests=True), "error", None),
    "one by one": (Program(ADD, tests=[PASSES, PASSES]), "passed", None),
    "standard input": (
        Program("print(sum(map(int, input().split())))", cases=[Case("1 2\n", "3")]),
        "passed",
        None,
    ),
    "wrong output": (
        Program("print(input())", cases=[Case("1\n", "1\n\n"), Case("1\n", "2")]),
        "failed",
        None,
    ),
    "output before an error": (Program("print(1); raise ValueError", cases=[Case("", "1")]), "error", 1),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_verdict(sandbox: Sandbox, name: str) -> None:
    program, verdict, line = VERDICTS[name]
    (done,) = sandbox.run([program])
    assert done.verdict == verdict, done
    if line is not None:
        assert done.line == line, done


def test_each_test_has_a_verdict(sandbox: Sandbox) -> None:
    loops = "while True: add(1, 1)"
    (apart, functions, cases) = sandbox.run(
        [
            Program(ADD, tests=[FAILS, loops, "import os; os._exit(0)", "add(1)", "x = 1", PASSES]),
            Program(ADD, tests=PYTEST.replace("== 2", "== 3")),
            Program("print(int(input()))", cases=[Case("1", "1"), Case("x", "1"), Case("2", "3")]),
        ]
    )
    assert apart.tests == ("failed", "timeout", "error", "error", "passed", "passed")
    assert (apart.verdict, apart.line) == ("failed", 1)
    assert functions.tests == ("passed", "passed", "passed", "failed")
    assert cases.tests == ("passed", "error", "failed")


def test_tests_one_by_one_do_not_meet(sandbox: Sandbox) -> None:
    (done,) = sandbox.run([Program("seen = []", tests=["seen.append(1); assert seen == [1]"] * 3)])
    assert done.tests == ("passed",) * 3


def test_tests_that_were_not_reached_have_not_passed(sandbox: Sandbox) -> None:
    (done,) = sandbox.run([Program("while True: pass", tests=[PASSES, PASSES])])
    assert (done.verdict, done.tests) == ("timeout", ("timeout", "timeout"))


def test_output_is_kept_and_cut(sandbox: Sandbox) -> None:
    short, long, bad = sandbox.run(
        [
            Program("import sys; print('out'); print('err', file=sys.stderr)"),
            Program("print('a' * 50_000 + 'b' * 50_000)"),
            Program("import os; os.write(1, b'\\xff\\xfe')"),
        ]
    )
    assert (short.stdout, short.stderr) == ("out\n", "err\n")
    assert len(long.stdout) < 10_100
    assert "[90001 characters cut]" in long.stdout
    assert long.stdout[0] == "a"
    assert long.stdout[-2:] == "b\n"
    assert bad.stdout == "\ufffd\ufffd"


def test_a_large_input_arrives_whole_and_is_read_only(sandbox: Sandbox) -> None:
    code = "import sys, os\nprint(len(sys.stdin.read()))\nos.pwrite(0, b'x', 0)"
    (done,) = sandbox.run([Program(code, stdin="x" * 3_000_000)])
    assert done.stdout == "3000000\n"
    assert (done.verdict, done.line) != ("passed", None)


def test_cutting_and_comparing() -> None:
    assert shown(b"a" * 99, 100) == "a" * 99
    assert shown(b"ab" * 100, 100) == "ab" * 25 + "\n… [100 characters cut] …\n" + "ab" * 25
    assert same_output(b"1 \n2\r\n\n", "1\n2")
    assert not same_output(b"1\n\n2", "1\n2")


NODE = pytest.mark.skipif(shutil.which("node") is None, reason="node is not on the path")
GCC = pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not on the path")
JS, CPP = (
    "function add(a, b) { return a + b }\n",
    "#include <string>\nint add(int a, int b) { return a + b; }\n",
)
ASSERT = "const assert = require('assert');\nassert.equal(add(1, 2), {});"
OTHERS = [
    pytest.param("javascript", JS, ASSERT.format(3), "passed", None, marks=NODE, id="js"),
    pytest.param("javascript", JS, ASSERT.format(4), "failed", 4, marks=NODE, id="js fails"),
    pytest.param("javascript", "process.exit(0);" + JS, ASSERT.format(3), "error", None, marks=NODE, id="js exits"),
    pytest.param("javascript", "while (true);", "", "timeout", None, marks=NODE, id="js loops"),
    pytest.param("javascript", "const x = ;", "", "error", 1, marks=NODE, id="js syntax"),
    pytest.param("cpp", CPP, "assert(add(1, 2) == 3);", "passed", None, marks=GCC, id="cpp"),
    pytest.param("cpp", CPP, "int main() {\nassert(add(1, 2) == 4);\n}", "failed", None, marks=GCC, id="cpp fails"),
    pytest.param("cpp", "#include <cstdlib>\nint add(int, int) { exit(0); }", "assert(add(1, 2) == 3);", "error", None, marks=GCC, id="cpp exits"),
    pytest.param("cpp", "#include <vector>\nint main() { std::vector<char> x(1ul << 40); }", "", "memory", None, marks=GCC, id="cpp memory"),
    pytest.param("cpp", "int main() { return *(volatile int *)nullptr; }", "", "error", None, marks=GCC, id="cpp crashes"),
    pytest.param("cpp", "int x = ;", "", "error", 1, marks=GCC, id="cpp syntax"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "code", "tests", "verdict", "line"), OTHERS)
def test_other_languages(
    sandbox: Sandbox, language: str, code: str, tests: str, verdict: str, line: int | None
) -> None:
    (done,) = sandbox.run([Program(code, tests=tests, language=language)])  # type: ignore[arg-type]
    assert done.verdict == verdict, done
    if line is not None:
        assert done.line == line, done


def test_other_languages_print_and_read(sandbox: Sandbox) -> None:
    if shutil.which("node") is None:
        pytest.skip("node is not on the path")
    code = "console.log(2 * Number(require('fs').readFileSync(0)))"
    (done,) = sandbox.run([Program(code, language="javascript", cases=[Case("4", "8"), Case("5", "11")])])
    assert done.tests == ("passed", "failed")


def test_limits_say_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="seconds"):
        Limits(seconds=0)
