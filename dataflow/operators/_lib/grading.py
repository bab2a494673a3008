"""How one row of a benchmark is graded, by the type of the benchmark."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataflow.core.errors import ReplyError
from dataflow.core.frames import as_text, dumps
from dataflow.operators._lib.answers import agrees, final_answer
from dataflow.operators._lib.bench import is_blank
from dataflow.operators._lib.choices import as_list, label_index, letter, picked

Row = Mapping[str, Any]
Likelihood = tuple[float, int]
"""The summed natural-log probability of a text, and its number of tokens."""
NO_LIKELIHOOD = "ll_unavailable"


@dataclass(frozen=True)
class Grade:
    """What came of one row; without a score it could not be graded, and `error` says why."""

    score: float | None = None
    pred: Any = None
    error: str = ""


def grade_answer(row: Row, references: Sequence[Any]) -> Grade:
    """1 if the prediction agrees with any reference; a blank prediction is wrong; none where that cannot be told."""
    given = [as_text(r) for r in references if not is_blank(r)]
    if not given:
        return Grade(error="empty_reference" + "s" * ("targets" in row and row["targets"] is not None))
    if is_blank(row["pred"]):
        return Grade(0.0, error="empty_prediction")
    prediction = as_text(row["pred"])
    found = [agrees(reference, prediction) for reference in given]
    told = final_answer(prediction) or prediction.strip()
    if None in found and True not in found:
        return Grade(pred=told, error="undecided")
    return Grade(float(True in found), told)


def targets(row: Row) -> list[Any]:
    """The right answers of a row: a list, or text parted by `||`, `|` or `;`."""
    return as_list(row["targets"], "|| | ;")


def choices_of(row: Row) -> tuple[list[Any], str]:
    """The choices of a row, or the error code of there being none."""
    choices = as_list(row["choices"])
    if not choices:
        return [], "empty_choices"
    return (choices, "") if len(choices) > 1 else ([], "choices_not_list")


def grade_choice(row: Row, likelihoods: Sequence[float] | None) -> Grade:
    """1 if the likeliest choice is the right one; read from the prediction where there are no likelihoods."""
    choices, error = choices_of(row)
    label = label_index(row["label"], choices)
    if error or label is None:
        return Grade(error=error or "invalid_label")
    if likelihoods is not None:
        best = max(range(len(choices)), key=likelihoods.__getitem__)
        return Grade(float(best == label), best)
    if is_blank(row["pred"]):
        return Grade(error=NO_LIKELIHOOD)
    try:
        found = picked(as_text(row["pred"]), choices)
    except ReplyError:
        return Grade(0.0, error="parse_failed")
    return Grade(float(found == {label}), min(found) if len(found) == 1 else dumps(sorted(found)))


def grade_choices(row: Row) -> Grade:
    """The F1 of the choices picked; the prediction column tells the rest."""
    choices, error = choices_of(row)
    labels = {label_index(label, choices) for label in as_list(row["labels"], ",")}
    if error or not labels or None in labels:
        return Grade(error=error or "invalid_label")
    if is_blank(row["pred"]):
        return Grade(0.0, error="empty_prediction", pred=_overlap(set(), labels))
    try:
        found: set[int] = picked(as_text(row["pred"]), choices)
    except ReplyError:
        return Grade(0.0, error="parse_failed", pred=_overlap(set(), labels))
    detail = _overlap(found, labels)
    return Grade(detail["f1"], detail)


def _overlap(found: set[int], right: set[Any]) -> dict[str, Any]:
    both = len(found & right)
    return {
        "pred": [letter(i) for i in sorted(found)],
        "gold": [letter(i) for i in sorted(right)],
        "precision": both / len(found) if found else 0.0,
        "recall": both / len(right),
        "f1": 2 * both / (len(found) + len(right)),
        "jaccard": both / len(found | right),
        "exact_set": found == right,
    }


def grade_pair(row: Row, likelihoods: Sequence[float] | None) -> Grade:
    """1 if the better answer is likelier than the rejected one."""
    for name in ("better", "rejected"):
        if is_blank(row[name]):
            return Grade(error=f"empty_{name}")
    if likelihoods is None:
        return Grade(error=NO_LIKELIHOOD)
    better, rejected = likelihoods
    return Grade(float(better > rejected), {"better": better, "rejected": rejected})


def grade_text(row: Row, likelihood: Likelihood | None) -> Grade:
    """The perplexity of the text: e to the mean negative log probability of a token."""
    if is_blank(row["text"]):
        return Grade(error="empty_text")
    if likelihood is None or likelihood[1] < 1:
        return Grade(error="ppl_unavailable")
    return Grade(math.exp(min(-likelihood[0] / likelihood[1], 700)))


def per_byte(likelihood: Likelihood | None, text: str) -> float | None:
    """A log probability made comparable between texts of different lengths: by UTF-8 byte."""
    return None if likelihood is None else likelihood[0] / max(len(text.encode("utf-8", "replace")), 1)
