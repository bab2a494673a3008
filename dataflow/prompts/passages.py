"""The prompts of the operators that make questions and answers of passages."""

from __future__ import annotations

from pydantic import BaseModel, Field

from dataflow.core.prompt import Prompt


class QuestionAnswer(BaseModel):
    """A question about a passage, and its answer."""

    question: str = Field(min_length=8, max_length=200)
    answer: str = Field(min_length=1, max_length=300)


class PassageQAPrompt(Prompt):
    """One question that a passage answers, and the answer, as JSON."""

    system = (
        "You write quiz questions. You are given a passage, and ask about one fact that it states. The reader will not "
        "see the passage: the question names the person, animal or thing it asks about, and never says passage, text or "
        "chapter. The answer uses the words of the passage, in one short sentence.\n"
        "For the passage <passage>The light in the tower was lit each evening by Mary Hale, who climbed its 212 steps with "
        "a can of oil.</passage> a good reply is\n"
        '{"question": "How many steps did Mary Hale climb to light the tower?", '
        '"answer": "Mary Hale climbed 212 steps to light the tower."}'
    )
    template = (
        "<passage>\n{passage}\n</passage>\nWrite one question about a fact in it, and the answer, as JSON."
    )
    reply = QuestionAnswer


class GroundedAnswerPrompt(Prompt):
    """How well a passage supports an answer, from 1 to 5."""

    system = (
        "You check answers against a passage. 5: the passage says so plainly, and it answers the question. "
        "4: it follows from the passage. 3: only partly supported. 2: hardly supported. 1: not supported, or no answer."
    )
    template = (
        "<passage>\n{passage}\n</passage>\n<question>\n{question}\n</question>\n<answer>\n{answer}\n</answer>\n"
        "How well does the passage support the answer? Reply with one whole number from 1 to 5 and nothing else."
    )
