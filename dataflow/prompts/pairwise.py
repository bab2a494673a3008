"""The prompt of the operator that compares two answers."""

from __future__ import annotations

from dataflow.core.prompt import Prompt


class PairwisePreferencePrompt(Prompt):
    """Which of two answers to a question is the better one: A, B or tie."""

    system = (
        "You compare two answers to one question. Prefer the answer that is right, then the one that answers all of the "
        "question, then the one that says it more clearly. Length and order are no merits."
    )
    template = (
        "<question>\n{question}\n</question>\n<answer_a>\n{first}\n</answer_a>\n<answer_b>\n{second}\n</answer_b>\n"
        "Which answer is better? Reply with A, B or tie, and nothing else."
    )
