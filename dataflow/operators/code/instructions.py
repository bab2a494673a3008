"""From code to the task that it solves, from tasks to code, and from loose tasks to strict ones."""

from __future__ import annotations

from typing import ClassVar

from dataflow.core.errors import ReplyError
from dataflow.core.ports import In, Out
from dataflow.core.prompt import DIYPromptABC, Prompt
from dataflow.core.replies import clip, without_thinking
from dataflow.operators._lib.code_blocks import code_blocks, code_of
from dataflow.operators.code._asking import CodeGenerate
from dataflow.prompts.code import (
    CodeCodeToInstructionGeneratorPrompt,
    CodeInstructionEnhancement,
    CodeInstructionToCodeGeneratorPrompt,
    DiyCodePrompt,
)


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

    The new task is a fixed sentence and a block of Python without a body, so that code for it can be tested. Of a
    conversation (a list of turns with `role` and `content`) what the user says is the task. A reply without a function in a block
    fails its row, unless it was asked for in your own words. Null for null.
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
        text = without_thinking(reply)
        blocks = code_blocks(text)
        if not any("def " in b.code and b.closed for b in blocks):
            raise ReplyError(f"no head of a function in the reply {clip(reply)}")
        return text
