"""Whether two answers are the same, and if not, why not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from dataflow.operators._lib.answers.forms import (
    Based,
    Choice,
    Equal,
    Form,
    Interval,
    Matrix,
    Ratio,
    Scalar,
    Several,
    Statement,
    Tuple,
    Unions,
    Words,
    as_interval,
)
from dataflow.operators._lib.answers.reading import read
from dataflow.operators._lib.answers.tidy import tidy
from dataflow.operators._lib.answers.values import Values, latex_of
from dataflow.operators._lib.answers.verdicts import (
    SAME,
    Comparison,
    Symbolic,
    Verdict,
    different,
    other_form,
    shown,
    undecided,
    worst,
)

MOST_PARTS = 40
FEW_WORDS = 4
"""More words than that are prose, of which no rule can tell that it says something else."""


def compared(reference: str, answer: str, symbolic: Symbolic = undecided) -> Comparison:
    """How an answer compares with a reference, where `symbolic` decides what arithmetic and form do not.

    Raises:
        Undecided: by the default `symbolic`.
    """
    a, b = _read(reference), _read(answer)
    if a is None or b is None:
        return Comparison(Verdict.UNREADABLE, "no reference" if a is None else "no answer")
    if _spelled(reference) == _spelled(answer):
        return SAME
    return Comparer(symbolic).forms(a, b)


@lru_cache(4096)
def _read(answer: str) -> Form | None:
    return read(answer)


@lru_cache(4096)
def _spelled(answer: str) -> str:
    return re.sub(r"(?<![\dA-Za-z\\])\s+|\s+(?![\dA-Za-z])", "", tidy(answer))


class Comparer(Values):
    """Compares forms of all kinds, part by part."""

    def forms(self, a: Form, b: Form) -> Comparison:
        if a == b:
            return SAME
        for kind, compare in (
            (Choice, self.choices),
            (Several, self.several),
            (Equal, self.equations),
            (Words, self.words),
            (Unions, self.unions),
            (Statement, self.statements),
            (Interval, self.intervals),
            (Matrix, self.matrices),
            (Tuple, self.tuples),
            (Ratio, self.ratios),
            (Based, self.based),
        ):
            if isinstance(a, kind) or isinstance(b, kind):
                return compare(a, b)
        if isinstance(a, Scalar) and isinstance(b, Scalar):
            return self.scalars(a, b)
        return other_form(a, b)

    def choices(self, a: Form, b: Form) -> Comparison:
        letters = [_letter(f) for f in (a, b)]
        if all(letters):
            return SAME if letters[0] == letters[1] else different(*letters)
        if isinstance(a, Choice) and a.rest and not isinstance(b, Choice):
            return self.forms(a.rest, b)
        if isinstance(b, Choice) and b.rest and not isinstance(a, Choice):
            return self.forms(a, b.rest)
        return other_form(a, b)

    def words(self, a: Form, b: Form) -> Comparison:
        if isinstance(a, Words) and isinstance(b, Words):
            if _said(a) == _said(b):
                return SAME
            if max(len(a.text.split()), len(b.text.split())) <= FEW_WORDS:
                return different(a.text, b.text)
            return Comparison(Verdict.UNREADABLE, "prose")
        prose = a if isinstance(a, Words) else b
        if isinstance(prose, Words) and len(prose.text.split()) > FEW_WORDS:
            return Comparison(Verdict.UNREADABLE, f"prose: {shown(prose.text)}")
        return other_form(a, b)

    def equations(self, a: Form, b: Form) -> Comparison:
        if isinstance(a, Equal) and isinstance(b, Equal):
            if a.name and b.name and (a.name == b.name or _wordy(a.name) or _wordy(b.name)):
                return self.forms(a.value, b.value)
            if a.name and b.name and not (_has_letters(a.right) or _has_letters(b.right)):
                return different(a.name, b.name)
            return self.symbolic("equation", f"{a.left} = {a.right}", f"{b.left} = {b.right}")
        one, other = (a, b) if isinstance(a, Equal) else (b, a)
        assert isinstance(one, Equal)
        if one.name is None:
            return other_form(a, b)
        if isinstance(other, (Interval, Statement, Words)) and not isinstance(one.value, type(other)):
            return self.words(a, b) if isinstance(other, Words) else other_form(a, b)
        return self.forms(one.value, b) if one is a else self.forms(a, one.value)

    def several(self, a: Form, b: Form) -> Comparison:
        one, other = (a, b) if isinstance(a, Several) else (b, a)
        assert isinstance(one, Several)
        if isinstance(other, Several):
            if _names(one) != _names(other) and not (one.braced or other.braced):
                return self.in_order(_valued(one), _valued(other))
            return self.in_any_order(one.parts, other.parts, a, b)
        if isinstance(other, Equal) and isinstance(other.value, Several):
            return (
                self.forms(_unnamed(one), other.value) if one is a else self.forms(other.value, _unnamed(one))
            )
        if isinstance(other, Equal) and other.name and len(one.parts) == 1:
            return self.forms(one.parts[0], other) if one is a else self.forms(other, one.parts[0])
        intervals = [as_interval(p) for p in one.parts]
        if isinstance(other, Unions) and all(intervals):
            return self.in_any_order(one.parts, other.parts, a, b)
        if isinstance(other, (Tuple, Matrix)) and not one.braced and len(one.parts) > 1:
            return (
                self.in_order(_valued(one), _flat(other))
                if one is a
                else self.in_order(_flat(other), _valued(one))
            )
        if len(one.parts) == 1:
            return self.forms(one.parts[0], other) if one is a else self.forms(other, one.parts[0])
        if isinstance(other, Scalar):
            counts = (f"{len(one.parts)} values", "1 value")
            return different(*(counts if one is a else counts[::-1]))
        return other_form(a, b)

    def in_any_order(self, left: Sequence[Form], right: Sequence[Form], a: Form, b: Form) -> Comparison:
        if len(left) != len(right) or len(left) > MOST_PARTS:
            return different(f"{len(left)} values", f"{len(right)} values")
        rest = list(right)
        missing: list[Comparison] = []
        for part in left:
            tried = []
            for i, other in enumerate(rest):
                tried.append(self.forms(part, other))
                if tried[-1].equal:
                    del rest[i]
                    break
            else:
                missing.append(
                    next(
                        (t for t in tried if not t.decided),
                        tried[0] if len(left) == 1 and tried else different("a value", "none of the others"),
                    )
                )
        return worst(missing)

    def in_order(self, left: Sequence[Form], right: Sequence[Form]) -> Comparison:
        if len(left) != len(right):
            return different(f"{len(left)} parts", f"{len(right)} parts")
        outcomes: list[Comparison] = []
        for one, other in zip(left, right, strict=True):
            outcomes.append(self.forms(one, other))
            if outcomes[-1].decided and not outcomes[-1].equal:
                return outcomes[-1]
        return worst(outcomes)

    def tuples(self, a: Form, b: Form) -> Comparison:
        if not (isinstance(a, Tuple) and isinstance(b, Tuple)):
            return other_form(a, b)
        if len(a.parts) == 2 and len(b.parts) == 2:
            ends = (a.opening + a.closing, b.opening + b.closing)
            if ends[0] != ends[1]:
                return different(f"an interval {ends[0]}", f"one {ends[1]}")
        return self.in_order(a.parts, b.parts)

    def unions(self, a: Form, b: Form) -> Comparison:
        if isinstance(a, Unions) and isinstance(b, Unions):
            return self.in_any_order(a.parts, b.parts, a, b)
        return other_form(a, b)

    def intervals(self, a: Form, b: Form) -> Comparison:
        one, other = as_interval(a), as_interval(b)
        if one is None or other is None:
            return other_form(a, b)
        if one.name and other.name and one.name != other.name:
            return different(one.name, other.name)
        outcomes = []
        for left, right, open_left, open_right in (
            (one.low, other.low, one.low_open, other.low_open),
            (one.high, other.high, one.high_open, other.high_open),
        ):
            if (left is None) != (right is None):
                return different("a bound", "none")
            if left is not None and right is not None:
                if open_left != open_right:
                    return different("an open end", "a closed one")
                outcomes.append(self.forms(left, right))
        return worst(outcomes)

    def matrices(self, a: Form, b: Form) -> Comparison:
        if isinstance(a, Matrix) and isinstance(b, Matrix):
            shapes = [(len(m.rows), len(m.rows[0])) for m in (a, b)]
            if shapes[0] != shapes[1] or len({len(r) for m in (a, b) for r in m.rows}) > 1:
                return Comparison(
                    Verdict.OTHER_FORM, f"{shapes[0][0]}×{shapes[0][1]} and {shapes[1][0]}×{shapes[1][1]}"
                )
            return self.in_order(_flat(a), _flat(b))
        matrix, other = (a, b) if isinstance(a, Matrix) else (b, a)
        assert isinstance(matrix, Matrix)
        vector = len(matrix.rows) == 1 or all(len(r) == 1 for r in matrix.rows)
        if vector and isinstance(other, Tuple) and (other.opening, other.closing) in (("(", ")"), ("[", "]")):
            return self.in_order(_flat(a), _flat(b))
        return other_form(a, b)

    def statements(self, a: Form, b: Form) -> Comparison:
        if isinstance(a, Statement) and isinstance(b, Statement):
            return self.symbolic("statement", a.latex, b.latex)
        one, other = (a, b) if isinstance(a, Statement) else (b, a)
        if isinstance(one, Statement) and isinstance(other, Interval) and other.name:
            return self.symbolic(
                "statement",
                *((one.latex, _inequality(other)) if one is a else (_inequality(other), one.latex)),
            )
        return other_form(a, b)


def _letter(form: Form) -> str | None:
    if isinstance(form, Choice):
        return form.letter
    plain = isinstance(form, Scalar) and form.unit is None and len(form.latex) == 1 and form.latex.isalpha()
    return form.latex.upper() if plain and isinstance(form, Scalar) else None


def _said(words: Words) -> str:
    return re.sub(r"^(?:(?:it is|it's|they are|he is|she is) )?(?:(?:the|an?) )?|[^\w\s]", "", words.text)


def _wordy(name: str) -> bool:
    return len(re.sub(r"\\[A-Za-z]+|[^A-Za-z]", "", name)) > 2 or not name.isascii()


def _has_letters(latex: str) -> bool:
    return bool(re.search(r"[A-Za-z]", re.sub(r"\\[A-Za-z]+", "", latex)))


def _names(several: Several) -> bool:
    """Whether the parts give values to different names."""
    named = [p.name for p in several.parts if isinstance(p, Equal) and p.name]
    return len(named) == len(several.parts) and len(set(named)) == len(named) > 1


def _valued(several: Several) -> list[Form]:
    """The values of the parts; those with names by the order of these."""
    parts = list(several.parts)
    if _names(several):
        parts.sort(key=lambda p: p.name or "" if isinstance(p, Equal) else "")
    return [p.value if isinstance(p, Equal) and p.name else p for p in parts]


def _unnamed(several: Several) -> Several:
    names = {p.name for p in several.parts if isinstance(p, Equal)}
    return several if len(names) > 1 else replace(several, parts=tuple(_valued(several)))


def _flat(form: Form) -> list[Form]:
    if isinstance(form, Matrix):
        return [cell for row in form.rows for cell in row]
    return list(form.parts) if isinstance(form, (Tuple, Several)) else [form]


def _inequality(interval: Interval) -> str:
    left = f"{latex_of(interval.low)} {'<' if interval.low_open else chr(92) + 'le'} " if interval.low else ""
    right = (
        f" {'<' if interval.high_open else chr(92) + 'le'} {latex_of(interval.high)}" if interval.high else ""
    )
    return f"{left}{interval.name}{right}"
