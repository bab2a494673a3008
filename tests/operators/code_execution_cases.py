"""Cases of the operators that run programs, and of those that sample them."""

from __future__ import annotations

from dataflow.operators.code.execution import (
    CodeDualExecutionFilter,
    CodeSolutionGenerator,
    CodeTestGenerator,
)
from dataflow.operators.code.sandbox import CodeSandboxSampleEvaluator
from dataflow.testing import FAILED, Case, ScriptedServing, replies

ADD, SUB = "def add(a, b):\n    return a + b", "def add(a, b):\n    return a - b"
SUM = "def add(*x):\n    return sum(x)"
CHECK = "def check(candidate):\n    assert candidate(1, 2) == 3"
ONE, TWO = "assert add(1, 2) == 3", "assert add(2, 2) == 4"
WRONG = "assert add(1, 2) == 4"
FENCED = (
    "Here:\n```python\nfrom math import inf\nx = 1\nassert f(x) == inf\nassert f(2) == 1\nprint(f(1))\n```"
)

SCRIPTS = Case(
    CodeSandboxSampleEvaluator(timeout_length=30, workers=2),
    [
        {"code": "print('hello')"},
        {"code": "import sys\nprint('bye')\nsys.exit(0)"},
        {"code": "if __name__ == '__main__':\n    1 / 0"},
        {"code": "x = 1\nassert x == 2, 'two'"},
        {"code": "open('/etc/x', 'w')"},
        {"code": "x = = 1"},
        {"code": ""},
        {"code": None},
    ],
    [
        {"sandbox_status": "PASS", "sandbox_log": "hello\n", "verdict": "passed"},
        {"sandbox_status": "PASS", "sandbox_log": "bye\n", "verdict": "passed"},
        {
            "sandbox_status": "FAIL",
            "sandbox_log": "ZeroDivisionError: division by zero (line 2)",
            "verdict": "error",
        },
        {"sandbox_status": "FAIL", "sandbox_log": "AssertionError: two (line 2)", "verdict": "failed"},
        {"sandbox_status": "FAIL", "verdict": "forbidden"},
        {
            "sandbox_status": "FAIL",
            "sandbox_log": "SyntaxError: invalid syntax (program.py, line 1) (line 1)",
        },
        {"sandbox_status": "PASS", "sandbox_log": ""},
        {"sandbox_status": None, "sandbox_log": None, "verdict": None},
    ],
    {"input_key": "code", "output_verdict_key": "verdict"},
)
ENDLESS = Case(
    CodeSandboxSampleEvaluator(timeout_length=1, workers=2),
    [{"code": "while True: pass"}],
    [{"sandbox_status": "FAIL", "sandbox_log": "timeout: still ran after 1 s", "verdict": "timeout"}],
    {"input_key": "code", "output_verdict_key": "verdict"},
)
TESTED = Case(
    CodeSandboxSampleEvaluator(workers=2),
    [
        {"code": ADD, "tests": ONE},
        {"code": ADD, "tests": [ONE, TWO]},
        {"code": SUB, "tests": [ONE, TWO]},
        {"code": "import sys; sys.exit(0)", "tests": ONE},
        {"code": "import os; os._exit(0)", "tests": ONE},
        {"code": ADD, "tests": None},
        {"code": ADD, "tests": " "},
        {"code": None, "tests": ONE},
    ],
    [{"sandbox_status": s} for s in ("PASS", "PASS", "FAIL", "FAIL", "FAIL", "PASS", "PASS", None)],
    {"input_key": "code", "input_tests_key": "tests"},
)
ENTRY = Case(
    CodeSandboxSampleEvaluator(workers=2),
    [
        {"code": ADD, "tests": CHECK, "name": "add"},
        {"code": SUB, "tests": CHECK, "name": "add"},
        {"code": SUB, "tests": CHECK, "name": None},
    ],
    [{"sandbox_status": s} for s in ("PASS", "FAIL", "PASS")],
    {"input_key": "code", "input_tests_key": "tests", "input_entry_point_key": "name"},
)
ODD_TESTS = Case(
    CodeSandboxSampleEvaluator(workers=2),
    [{"code": ADD, "tests": 7}, {"code": ADD, "tests": ONE}],
    [{"sandbox_status": "PASS"}],
    {"input_key": "code", "input_tests_key": "tests"},
    failed=1,
)
AGREED = Case(
    CodeDualExecutionFilter(workers=2),
    [
        {"generated_codes": [SUB, ADD, SUM], "generated_tests": [ONE, WRONG, TWO]},
        {"generated_codes": [SUB, ADD], "generated_tests": ["assert add(2, 0) == 2", ONE, TWO]},
        {"generated_codes": [ADD], "generated_tests": ONE},
        {"generated_codes": [SUB, "x = ="], "generated_tests": [ONE]},
        {"generated_codes": [], "generated_tests": [ONE]},
        {"generated_codes": [ADD], "generated_tests": []},
        {"generated_codes": None, "generated_tests": [ONE]},
    ],
    [
        {
            "selected_code": ADD,
            "agreement_score": 4,
            "pass_matrix": [[False, False, False], [True, False, True], [True, False, True]],
        },
        {
            "selected_code": ADD,
            "agreement_score": 3,
            "pass_matrix": [[True, False, False], [True, True, True]],
        },
        {"selected_code": ADD, "agreement_score": 1, "pass_matrix": [[True]]},
    ],
    dropped=4,
)

CASES = [
    SCRIPTS,
    ENDLESS,
    TESTED,
    ENTRY,
    ODD_TESTS,
    AGREED,
    replies(
        CodeTestGenerator,
        {
            FENCED: ["from math import inf\nx = 1\nassert f(x) == inf", "from math import inf\nx = 1\nassert f(2) == 1"],
            "assert f(1) == 1\nassert f(1) == 1": ["assert f(1) == 1"],
            "<think>assert f(0) == 0</think>\nassert f(1) == 1": ["assert f(1) == 1"],
            "These are good:\nassert f(1) == 1\nassert f(2) ==\n": ["assert f(1) == 1"],
            "```python\ndef test_it():\n    assert f(1)\n```": ["def test_it():\n    assert f(1)"],
            "```python\nimport re\ndef f(x):\n    assert x\n\nassert f(1) == 1\nassert f(2": ["import re\nassert f(1) == 1"],
            "```python\ndef f(x):\n    assert x\n": FAILED,
            "no tests": FAILED,
            "": FAILED,
            None: FAILED,
        },
    ),
    replies(
        lambda llm_serving: CodeSolutionGenerator(llm_serving=llm_serving, num_samples=1),
        {f"```python\n{ADD}\n```\nThat adds.": [ADD], SUB: [SUB], "": FAILED, None: FAILED},
    ),
    Case(
        CodeSolutionGenerator(ScriptedServing(ADD), num_samples=3),
        [{"instruction": "add"}],
        [{"generated_codes": [ADD, ADD, ADD]}],
    ),
    Case(
        CodeTestGenerator(ScriptedServing("assert f(1)"), num_samples=2),
        [{"instruction": "write f"}, {"instruction": None}],
        [{"generated_tests": ["assert f(1)"]}, {"generated_tests": None}],
    ),
]  # fmt: skip
