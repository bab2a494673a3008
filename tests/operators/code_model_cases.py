"""Operators that ask a model about tasks and code."""

from __future__ import annotations

from functools import partial

from dataflow.operators.code.instructions import (
    CodeCodeToInstructionGenerator,
    CodeEnhancementInstructionGenerator,
    CodeInstructionToCodeGenerator,
)
from dataflow.operators.code.more_instructions import CodeInstructionGenerator
from dataflow.operators.code.quality import CodeQualitySampleEvaluator, CodeQualityScoreFilter
from dataflow.testing import FAILED, Case, ScriptedServing, replies

SENTENCE = "Complete the function below so that it does what its docstring says."
FENCED = '```python\ndef f(a: int) -> int:\n    """Double.\n\n    >>> f(1)\n    2\n    """\n```'
HEAD = f"{SENTENCE}\n{FENCED}"
TASKS = [
    {"prompt": f"Write a function number {w} for lists of {w} words"} for w in ("one", "two", "three", "four")
]

CASES = [
    replies(
        CodeCodeToInstructionGenerator,
        {
            " Write a Python function. \n": "Write a Python function.",
            "<think>It adds.</think>Add two numbers.": "Add two numbers.",
            "```\nAdd two numbers.\n```": "Add two numbers.",
            "": FAILED,
            "<think>It adds": FAILED,
            None: FAILED,
        },
    ),
    replies(
        CodeInstructionToCodeGenerator,
        {
            "x = 1": "x = 1",
            "```python\nx = 1\n```": "x = 1",
            "Here:\n```py\nx = 1\n```\nUse it so:\n```python\nprint(x)\n```": "x = 1",
            "```bash\npip install a\n```\n```python\nimport a\n```": "import a",
            "```sh\nls\n```": "ls",
            "````markdown\n```python\nx\n```\n````": "```python\nx\n```",
            "~~~python\nx = '```'\n~~~": "x = '```'",
            "1. So:\n   ```python\n   if x:\n       y\n   ```": "if x:\n    y",
            "```python\nx = 1": FAILED,
            "```python\n```": FAILED,
            "": FAILED,
            None: FAILED,
        },
    ),
    replies(
        CodeEnhancementInstructionGenerator,
        {
            HEAD: HEAD,
            f"<think>so</think>Sure:\n{FENCED}\nThat is it.": HEAD,
            FENCED.replace("\n```", "\n    return 2 * a\n\nprint(f(1))\n```"): HEAD,
            "```python\nimport re\nfrom os import *\n\ndef f():\n    'One.'\n```": f"{SENTENCE}\n```python\nimport re\nfrom os import *\n\n\ndef f():\n    'One.'\n```",
            "Double it.": FAILED,
            "```python\nx = 1\n```": FAILED,
            "```python\ndef f():\n    return 1\n```": FAILED,
            "```python\ndef f(:\n```": FAILED,
            "```python\ndef name(parameter: int) -> int:\n    'Double.'\n```": FAILED,
            None: FAILED,
        },
    ),
    replies(
        partial(CodeEnhancementInstructionGenerator, prompt_template="Make this strict: {instruction}"),
        {"Double it.": "Double it."},
        shown=False,
    ),
    replies(
        CodeQualitySampleEvaluator,
        {
            '{"feedback": "good {}", "score": 8}': (8, "good {}"),
            "Score: 7\nFeedback: It fails for 0.\nElse it is fine.": (7, "It fails for 0.\nElse it is fine."),
            "**Feedback:** Fine for 3 of 4 cases.\n**Score:** 6/10": (6, "Fine for 3 of 4 cases."),
            "Score: 10": (10, ""),
            "Score: 0\nFeedback: bad": FAILED,
            "Score: 11": FAILED,
            "It is fine.": FAILED,
            "": FAILED,
            None: FAILED,
        },
        input_instruction_key="task",
        input_code_key="code",
        row=("Add.", "a + b"),
    ),
    Case(
        CodeQualityScoreFilter(ScriptedServing("Score: 7", "Score: 6", "Score: 0", "Score: 10"), 7, 10),
        [{"task": "t", "code": f"c{i}"} for i in range(4)] + [{"task": "t", "code": None}],
        [{"code": "c0", "quality_score": 7, "ok": 1}, {"code": "c3", "quality_score": 10, "ok": 1}],
        {"input_instruction_key": "task", "input_code_key": "code", "output_key": "ok"},
        failed=1,
        dropped=2,
    ),
    Case(
        CodeQualityScoreFilter(ScriptedServing(by=lambda _: "nobody may ask")),
        [{"task": "t", "code": "c", "quality_score": s} for s in (0, 6, 7, None)],
        [{"quality_score": 7}],
        {"input_instruction_key": "task", "input_code_key": "code"},
        failed=0,
        dropped=3,
    ),
    Case(
        CodeInstructionGenerator(
            ScriptedServing(
                "Sort a list of words by length",
                "sort a  list of words BY length",
                TASKS[2]["prompt"],
                "",
                "Count the letters",
            ),
            num_few_shot=2,
            num_generate=5,
        ),
        TASKS,
        [
            {"generated_instruction": "Sort a list of words by length"},
            {"generated_instruction": "Count the letters"},
        ],
    ),
]
