"""The final answer in a worked solution, and whether two answers are the same."""

from __future__ import annotations

import re
import unicodedata

from dataflow.operators._lib.answers.extract import Answer, box_fault, extract
from dataflow.operators._lib.answers.forms import Scalar
from dataflow.operators._lib.answers.reading import read
from dataflow.operators._lib.answers.verdicts import Comparison, Verdict
from dataflow.operators._lib.answers.workers import compare, compare_all

__all__ = [
    "Answer",
    "Comparison",
    "Verdict",
    "agrees",
    "box_fault",
    "compare",
    "compare_all",
    "extract",
    "final_answer",
    "is_number",
]


def final_answer(solution: str) -> str | None:
    """The answer that a solution announces, else its last number; null where it has neither."""
    found = extract(solution)
    return found.text if found else None


def agrees(reference: str, prediction: str) -> bool | None:
    """Whether a prediction, as a whole or by its final answer, is the reference answer, as a text in any case or by value.

    Null where the comparison takes too long to tell; prose that cannot be read as mathematics does not agree. The last
    number of a prediction that announces no answer counts only where the reference is a number.

    Raises:
        MissingDependency: only mathematics can tell, and math-verify is not installed.
    """
    told = extract(reference, last_number=False)
    wanted = told.text if told else reference
    final = extract(prediction, last_number=is_number(wanted))
    given = [final.text, prediction] if final else [prediction]
    if any(_folded(wanted) == _folded(one) for one in given):
        return True
    verdicts = [compare(wanted, one).verdict for one in given]
    return True if Verdict.EQUAL in verdicts else None if Verdict.TIMEOUT in verdicts else False


def _folded(text: str) -> str:
    """A text in lower case, compatibility forms as their plain ones, without the mark at its end."""
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return re.sub(r"[.,;:!?。，；：！？]$", "", folded).strip()


def is_number(answer: str) -> bool:
    """Whether an answer is a number, with a unit or without."""
    form = read(answer)
    return isinstance(form, Scalar) and form.number is not None
