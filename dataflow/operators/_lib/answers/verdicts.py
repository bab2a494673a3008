"""What comes of comparing two answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

from dataflow.operators._lib.answers.forms import (
    Equal,
    Form,
    Scalar,
    Several,
    Statement,
    Tuple,
    Unions,
    Words,
)

SHOWN = 40


class Verdict(StrEnum):
    EQUAL = "equal"
    DIFFERENT = "different value"
    OTHER_FORM = "different form"
    UNREADABLE = "parse failure"
    TIMEOUT = "timeout"


class Comparison(NamedTuple):
    verdict: Verdict
    detail: str = ""

    @property
    def equal(self) -> bool:
        return self.verdict is Verdict.EQUAL

    @property
    def decided(self) -> bool:
        """Whether the answers are known to be the same or not; neither an unreadable answer nor a timeout is wrong."""
        return self.verdict not in (Verdict.UNREADABLE, Verdict.TIMEOUT)

    def __str__(self) -> str:
        return f"{self.verdict}: {self.detail}" if self.detail else str(self.verdict)


SAME = Comparison(Verdict.EQUAL)
Symbolic = Callable[[str, str, str], Comparison]
"""Compares two pieces of LaTeX as `value`, `equation` (both sides' difference) or `statement`."""


class Undecided(Exception):
    """Only symbolic mathematics can tell."""


def undecided(kind: str, a: str, b: str) -> Comparison:
    raise Undecided


def different(a: object, b: object) -> Comparison:
    return Comparison(Verdict.DIFFERENT, f"{shown(a)} and {shown(b)}")


def other_form(a: Form, b: Form) -> Comparison:
    return Comparison(Verdict.OTHER_FORM, f"{kind_of(a)} and {kind_of(b)}")


def shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def kind_of(form: Form) -> str:
    names = {
        Scalar: "a value",
        Words: "words",
        Several: "several values",
        Unions: "a union",
        Equal: "an equation",
        Statement: "a relation",
    }
    if isinstance(form, Tuple):
        return f"a tuple of {len(form.parts)}"
    name = names.get(type(form), type(form).__name__.lower())
    return name if " " in name or name == "words" else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def worst(outcomes: Sequence[Comparison]) -> Comparison:
    """The outcome of parts together: a difference that is certain, else what keeps one from telling."""
    certain = [o for o in outcomes if o.decided and not o.equal]
    unsure = [o for o in outcomes if not o.decided]
    return [*certain, *unsure, SAME][0]
