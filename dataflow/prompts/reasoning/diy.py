"""Prompts of the user's own words."""

from __future__ import annotations

from typing import Any

from dataflow.core.prompt import fill
from dataflow.prompts.reasoning._question import QuestionPrompt

_BEGIN = "\n\nBegin your answer with `Solution:`."


class DiyAnswerGeneratorPrompt(QuestionPrompt):
    """A solution as the user's words ask for it: the question stands at `{question}`, else after them.

    Every other brace is text.
    """

    def __init__(self, prompt_template: str) -> None:
        super().__init__(prompt_template)
        if "question" not in super().slots:
            self.template += "\n<question>\n{question}\n</question>"
        self.template += _BEGIN

    @property
    def slots(self) -> tuple[str, ...]:
        return ("question",)

    def build_prompt(self, question: Any = "", **values: Any) -> str:
        text = {name: f"{{{name}}}" for name in super().slots}
        return fill(self.template, text | {"question": question})


class DiyQuestionSynthesisPrompt(QuestionPrompt):
    """A new question as the user's words ask for it, with the slot `{question}`.

    Where braces are doubled, as `str.format` asks for, they count once.
    """

    def __init__(self, prompt_template: str) -> None:
        super().__init__(_once(prompt_template))


class DiyQuestionFilterPrompt(QuestionPrompt):
    """Whether a question can be used by the user's words, with the slot `{question}`; they ask for the verdict too.

    Where braces are doubled, as `str.format` asks for, they count once.
    """

    def __init__(self, prompt_template: str) -> None:
        super().__init__(_once(prompt_template))


def _once(template: str) -> str:
    if "{{" not in template:
        return template
    return template.replace("{{", "{").replace("}}", "}")
