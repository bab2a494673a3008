"""From code to the task that it solves, from tasks to code, and from loose tasks to strict ones."""

from __future__ import annotations

import ast
from typing import ClassVar

from dataflow.core.errors import ReplyError
from dataflow.core.ports import In, Out
from dataflow.core.prompt import DIYPromptABC, Prompt
from dataflow.core.replies import clip
from dataflow.operators._lib.code_blocks import code_of
from dataflow.operators.code._asking import CodeGenerate
from dataflow.prompts.code import (
    CodeCodeToInstructionGeneratorPrompt,
    CodeInstructionEnhancement,
    CodeInstructionToCodeGeneratorPrompt,
    DiyCodePrompt,
)

COMPLETE = "Complete the function below so that it does what its docstring says."
MOST_CHARS = 100_000
"""A reply of more is not looked at."""


class CodeCodeToInstructionGenerator(CodeGenerate):
    """Write the task that some code solves: one model call a row.

    The reply without thoughts, and without a fence around all of it; one that is blank fails its row. Null for null.
    """

    ALLOWED_PROMPTS: ClassVar[tuple[type, ...]] = (CodeCodeToInstructionGeneratorPrompt, DiyCodePrompt)
    slot: ClassVar[str] = "code"
    default: ClassVar[Prompt] = CodeCodeToInstructionGeneratorPrompt()

    prompt_template: CodeCodeToInstructionGeneratorPrompt | DIYPromptABC | str | None = None
    """What is asked; your own words may be given as a text with the slot `{code}`."""

    input_key = In("code", "the code", type="any")
    output_key = Out("generated_instruction", "the task")


class CodeInstructionToCodeGenerator(CodeGenerate):
    """Write the code for a task: one model call a row.

    Of a reply with fenced blocks the first one counts that is neither shell nor output, else the first; of one without, all
    of it. A reply that is blank, or breaks off inside of the block, fails its row. Null for null.
    """

    ALLOWED_PROMPTS: ClassVar[tuple[type, ...]] = (CodeInstructionToCodeGeneratorPrompt, DiyCodePrompt)
    slot: ClassVar[str] = "instruction"
    default: ClassVar[Prompt] = CodeInstructionToCodeGeneratorPrompt()

    prompt_template: CodeInstructionToCodeGeneratorPrompt | DIYPromptABC | str | None = None
    """What is asked; your own words may be given as a text with the slot `{instruction}`."""

    input_key = In("instruction", "the task", type="any")
    output_key = Out("generated_code", "the code")

    def parse(self, reply: str) -> str:
        return code_of(reply)


class CodeEnhancementInstructionGenerator(CodeGenerate):
    """Tell a loose task again as the head of one function with a docstring: one model call a row.

    The new task is a fixed sentence and a block of Python: imports, and the head and docstring of the first function in the
    reply; a body that the model wrote besides is cut off, so that no task holds its solution. Of a conversation (a list of
    turns with `role` and `content`) what the user says is the task. A reply without such a function fails its row; one that
    was asked for in your own words is taken as it is. Null for null.
    """

    ALLOWED_PROMPTS: ClassVar[tuple[type, ...]] = (CodeInstructionEnhancement, DiyCodePrompt)
    slot: ClassVar[str] = "instruction"
    default: ClassVar[Prompt] = CodeInstructionEnhancement()

    prompt_template: CodeInstructionEnhancement | DIYPromptABC | str | None = None
    """What is asked; your own words may be given as a text with the slot `{instruction}`."""

    input_key = In("messages", "the task, or a conversation in which it is set", type="any")
    output_key = Out("generated_instruction", "the new task")

    def parse(self, reply: str) -> str:
        if isinstance(self.prompt, DIYPromptABC):
            return super().parse(reply)
        return f"{COMPLETE}\n```python\n{head_of(code_of(reply), reply)}\n```"


def head_of(source: str, reply: str) -> str:
    """The imports of some Python, and the head and docstring of its first function.

    Raises:
        ReplyError: it cannot be read, has no function with a docstring, or keeps the names of the prompt's form.
    """
    try:
        body = ast.parse(source).body if len(source) <= MOST_CHARS else []
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ReplyError(f"no Python in the reply {clip(reply)}") from error
    functions = (s for s in body if isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef)))
    function = next((f for f in functions if ast.get_docstring(f)), None)
    if function is None:
        raise ReplyError(f"no function with a docstring in the reply {clip(reply)}")
    if function.name == "name" and "parameter" in (a.arg for a in function.args.args):
        raise ReplyError(f"the form of the prompt for a task in the reply {clip(reply)}")
    before = [s for s in body if isinstance(s, (ast.Import, ast.ImportFrom))]
    imports = "\n".join(ast.get_source_segment(source, s) or "" for s in before)
    head = "\n".join(source.splitlines()[function.lineno - 1 : function.body[0].end_lineno])
    return f"{imports}\n\n\n{head}".lstrip("\n")
