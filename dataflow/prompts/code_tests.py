"""The prompts of the operators that write programs and tests to be run."""

from __future__ import annotations

from dataflow.core.prompt import Prompt


class CodeTestGeneratorPrompt(Prompt):
    """Tests for a task, written without seeing a solution."""

    system = (
        "You write tests for programming tasks in Python. You work out every expected value by hand from the task, "
        "never from a solution, and leave out a test whose value you are not sure of."
    )
    template = (
        "<task>\n{instruction}\n</task>\n"
        "Write {num_tests} tests for a solution of this task, as a user of it would check it: ordinary inputs, edge "
        "cases, unusual sizes. Each test is one `assert` statement on one line that calls the function of the task by "
        "its name, such as `assert double(4) == 8`: no classes, no unittest. Answer with one Python code block that holds the "
        "assert statements, and the imports that they need; do not define the function."
    )


class CodeSolutionGeneratorPrompt(Prompt):
    """A program for a task."""

    system = "You write correct, complete Python programs for the tasks that you are given."
    template = (
        "<task>\n{instruction}\n</task>\n"
        "Write the program. Keep the names and parameters that the task gives. Answer with one Python code block that "
        "holds all of it, imports included, without tests or examples of use."
    )
