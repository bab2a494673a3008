"""Prompts of the user's own words."""

from __future__ import annotations

from dataflow.prompts.reasoning._question import QuestionPrompt

_BEGIN = "\n\nBegin your answer with `Solution:`."


class DiyAnswerGeneratorPrompt(QuestionPrompt):
    """A solution as the user's words ask for it: the question stands at `{question}`, else after them."""

    def __init__(self, prompt_template: str) -> None:
        super().__init__(prompt_template)
        if "question" not in self.slots:
            self.template += "\n<question>\n{question}\n</question>"
        self.template += _BEGIN


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
