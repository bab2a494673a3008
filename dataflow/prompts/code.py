"""The prompts of the operators for code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field

from dataflow.core.prompt import DIYPromptABC, Prompt


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("is blank")
    return text


class CodeGrade(BaseModel):
    """What is good and bad about a solution, and a grade."""

    feedback: Annotated[str, AfterValidator(_not_blank)]
    score: int = Field(ge=1, le=10)


class CodeQualityEvaluatorPrompt(Prompt):
    """How well code does what was asked for, from 1 to 10."""

    system = (
        "You review code as a strict senior engineer. You read the task, then the code line by line, and look for inputs with "
        "which it fails: empty ones, the first and the last, large ones, wrong types. Names and comments prove nothing: only "
        "what the code does counts."
    )
    template = (
        "<task>\n{instruction}\n</task>\n<code>\n{code}\n</code>\n"
        "Grade the code from 1 to 10.\n"
        "9-10: it does all of the task, correctly in every case, clearly written, and efficient enough.\n"
        "7-8: it does the task; a rare case is missed, or it could be clearer or faster.\n"
        "4-6: it goes the right way, but gives wrong results in some usual case, or leaves out a part of the task.\n"
        "2-3: most of it is wrong or missing.\n"
        "1: it is no code, cannot run, or does something else.\n"
        "Name the worst fault of this code in up to 20 words, or say that it has none; then give the grade that fits.\n"
        'Reply with one JSON object and nothing else: {"feedback": "…", "score": a number from 1 to 10}'
    )
    reply = CodeGrade


class CodeCodeToInstructionGeneratorPrompt(Prompt):
    """The task that some code solves, as somebody would set it."""

    system = (
        "You turn code into the task that it solves. A task is what a person asks a programmer who has never seen that code: it "
        "names the programming language, what must come in, what must come out, the rules in between, and every name that "
        "others call. It never mentions that code exists already, and does not tell how it is written inside."
    )
    template = (
        "<code>\n{code}\n</code>\n"
        "Write the task that this code solves, as one instruction in the imperative. Reply with the instruction alone, as plain text."
    )


class CodeInstructionToCodeGeneratorPrompt(Prompt):
    """Code for a task."""

    system = (
        "You write code that is complete and runs as it is: all imports are there, nothing is left open, and every case that the task "
        "allows is dealt with. Names that the task gives are kept to the letter. You write in the language that the task asks for, "
        "and in Python where it names none."
    )
    template = (
        "<task>\n{instruction}\n</task>\n"
        "Write the code. Reply with the code alone: no explanations, no examples of its use, no tests."
    )


class CodeInstructionEnhancement(Prompt):
    """A loose task told again as the head of one function, which can be tested."""

    system = (
        "You turn loose requests into programming tasks that leave nothing open. A task is one Python function without its body: the "
        "imports that its types need, one header with a type for each parameter and for what is returned, and a docstring "
        "that says what it does, what happens in the cases at the edge, and shows two or three calls as `>>>` examples with "
        "their results. You check each result by working it out. Nothing is printed or read: all comes in by parameters and goes "
        "out by `return`. Where a request is not about a function, take the part of it that can be one."
    )
    template = (
        "<request>\n{instruction}\n</request>\n"
        "Do not solve the request. Tell it again as a task, in this form:\n"
        "```python\nfrom typing import ...\n\n\ndef name(parameter: type) -> type:\n"
        '    """What it does, in full sentences, and what happens at the edges.\n\n'
        '    >>> name(argument)\n    result\n    """\n```\n'
        "The function and its parameters have telling names and real types. The block ends with the docstring: write no body, no solution, and nothing after it."
    )


class CodeInstructionGeneratePrompt(Prompt):
    """One more task in the manner of some that are there."""

    system = (
        "You make up programming tasks. A new task has the form of the examples that you are shown, with the same parts, length and "
        "level, and is about something else: another subject, other data, another idea of how to solve it. It can be solved "
        "from its own words alone, and has one right result."
    )
    template = (
        "<examples>\n{examples}\n</examples>\n"
        "Make up one new task in the same form. Reply with the task alone, as it stands in the examples, without a number."
    )

    def build_prompt(self, few_shot_examples: Sequence[Any] = (), **values: Any) -> str:
        """What is asked, after the examples: texts, or records with `instruction`."""
        tasks = [e.get("instruction", "") if isinstance(e, Mapping) else e for e in few_shot_examples]
        return super().build_prompt(examples="\n\n".join(f"Task {i}:\n{t}" for i, t in enumerate(tasks, 1)))


class DiyCodePrompt(Prompt, DIYPromptABC):
    """Your own words, with slots: `{code}` or `{instruction}`, as the operator has it, or `{input}` for either.

    Raises:
        ConfigError: a slot without a value, by `build_prompt`.
    """

    def __init__(self, prompt_template: str) -> None:
        super().__init__(prompt_template)
        self.prompt_template = prompt_template

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DiyCodePrompt) and other.template == self.template

    def __hash__(self) -> int:
        return hash(self.template)
