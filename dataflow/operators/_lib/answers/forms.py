"""What an answer can be: a number, an expression, words, a choice, a tuple, a set, an interval, a matrix, an equation."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from dataflow.operators._lib.answers.measures import Unit
from dataflow.operators._lib.answers.numerals import Number


@dataclass(frozen=True)
class Scalar:
    """A value: LaTeX that may hold variables, the number that it is where it is one, and its unit."""

    latex: str
    number: Number | None = None
    unit: Unit | None = None


@dataclass(frozen=True)
class Words:
    text: str


@dataclass(frozen=True)
class Choice:
    """A lettered option, and what stands behind the letter."""

    letter: str
    rest: Form | None = None


@dataclass(frozen=True)
class Tuple:
    """Parts in order between brackets; two of them may be the ends of an interval."""

    opening: str
    parts: tuple[Form, ...]
    closing: str


@dataclass(frozen=True)
class Several:
    """Parts in any order: a set in braces, or values that an answer lists."""

    parts: tuple[Form, ...]
    braced: bool = False


@dataclass(frozen=True)
class Interval:
    low: Form | None
    high: Form | None
    low_open: bool = True
    high_open: bool = True
    name: str | None = None


@dataclass(frozen=True)
class Unions:
    parts: tuple[Form, ...]


@dataclass(frozen=True)
class Matrix:
    rows: tuple[tuple[Form, ...], ...]


@dataclass(frozen=True)
class Equal:
    """`name = value`; without a name an equation of two expressions."""

    name: str | None
    value: Form
    left: str
    right: str


@dataclass(frozen=True)
class Statement:
    """A relation that is neither, such as `2x + y < 4`."""

    latex: str


@dataclass(frozen=True)
class Ratio:
    parts: tuple[Form, ...]
    minutes: int | None = None
    """Minutes after midnight, where it may be a time of day."""
    half_day: bool = False
    """Whether it says before or after noon."""


@dataclass(frozen=True)
class Based:
    digits: str
    base: int


Form: TypeAlias = "Scalar | Words | Choice | Tuple | Several | Interval | Unions | Matrix | Equal | Statement | Ratio | Based"


def without_infinity(interval: Interval) -> Interval:
    low, high = (None if is_infinite(e) else e for e in (interval.low, interval.high))
    return Interval(
        low, high, interval.low_open or low is None, interval.high_open or high is None, interval.name
    )


def is_infinite(form: Form | None) -> bool:
    return isinstance(form, Scalar) and form.latex.replace(" ", "").lstrip("+-") == r"\infty"


def as_interval(form: Form) -> Interval | None:
    """A tuple of two between round or square brackets, read as an interval."""
    if isinstance(form, Interval):
        return form
    if isinstance(form, Tuple) and len(form.parts) == 2:
        low, high = form.parts
        return without_infinity(Interval(low, high, form.opening == "(", form.closing == ")"))
    return None


def exact(form: Form) -> Fraction | None:
    return form.number.value if isinstance(form, Scalar) and form.number else None
