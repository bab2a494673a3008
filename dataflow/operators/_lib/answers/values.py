"""Comparing single values: numbers, expressions, measures, ratios, times, numerals of other bases."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from dataflow.operators._lib.answers.forms import Based, Form, Ratio, Scalar, exact
from dataflow.operators._lib.answers.measures import Unit
from dataflow.operators._lib.answers.numerals import Number, same_number
from dataflow.operators._lib.answers.verdicts import (
    SAME,
    Comparison,
    Symbolic,
    Verdict,
    different,
    other_form,
    worst,
)


class Values:
    """Compares values; `symbolic` decides where arithmetic does not."""

    def __init__(self, symbolic: Symbolic) -> None:
        self.symbolic = symbolic

    def ratios(self, a: Form, b: Form) -> Comparison:
        if isinstance(a, Ratio) and isinstance(b, Ratio):
            if a.minutes is not None and b.minutes is not None:
                same = a.minutes == b.minutes
                if a.half_day != b.half_day:
                    same = a.minutes % 720 == b.minutes % 720 and (same or min(a.minutes, b.minutes) < 720)
                return SAME if same else different(_clock(a), _clock(b))
            return self.proportions(a.parts, b.parts) if a.parts and b.parts else other_form(a, b)
        one, other = (a, b) if isinstance(a, Ratio) else (b, a)
        assert isinstance(one, Ratio)
        if not isinstance(other, Scalar) or len(one.parts) != 2 or one.half_day:
            return other_form(a, b)
        left = f"({latex_of(one.parts[0])})/({latex_of(one.parts[1])})"
        values = [exact(p) for p in one.parts]
        quotient = Number(values[0] / values[1]) if values[0] is not None and values[1] else None
        ratio = Scalar(left, quotient)
        return self.scalars(ratio, other) if one is a else self.scalars(other, ratio)

    def proportions(self, left: Sequence[Form], right: Sequence[Form]) -> Comparison:
        if len(left) != len(right):
            return different(f"{len(left)} parts", f"{len(right)} parts")
        outcomes = []
        for one, other in zip(left[1:], right[1:], strict=True):
            values = [exact(f) for f in (left[0], other, right[0], one)]
            if all(v is not None for v in values):
                x, y, z, w = (v or Fraction() for v in values)
                outcomes.append(
                    SAME
                    if x * y == z * w
                    else different(":".join(map(latex_of, left)), ":".join(map(latex_of, right)))
                )
            else:
                outcomes.append(self.symbolic("value", _product(left[0], other), _product(right[0], one)))
        return worst(outcomes)

    def based(self, a: Form, b: Form) -> Comparison:
        if isinstance(a, Based) and isinstance(b, Based):
            try:
                same = int(a.digits, a.base) == int(b.digits, b.base)
            except ValueError:
                return Comparison(Verdict.UNREADABLE, "digits beyond the base")
            return SAME if same else different(a.digits, b.digits)
        one, other = (a, b) if isinstance(a, Based) else (b, a)
        if isinstance(one, Based) and isinstance(other, Scalar):
            return (
                SAME
                if other.latex.lstrip("0") == one.digits.lstrip("0")
                else different(one.digits, other.latex)
            )
        return other_form(a, b)

    def scalars(self, a: Scalar, b: Scalar) -> Comparison:
        if a.unit and b.unit and a.unit != b.unit:
            return self.measures(a, b, a.unit, b.unit)
        plain = self.values(a, b)
        unit = a.unit or b.unit
        if plain.equal or unit is None or (a.unit and b.unit):
            return plain
        if unit.kind == "percent":
            scaled = self.values(
                _times(a, Fraction(1, 100)) if a.unit else a, _times(b, Fraction(1, 100)) if b.unit else b
            )
            return scaled if scaled.equal else plain
        if unit.kind == "angle" and r"\pi" in a.latex + b.latex:
            return self.values(_radians(a) if a.unit else a, _radians(b) if b.unit else b)
        return plain

    def measures(self, a: Scalar, b: Scalar, one: Unit, other: Unit) -> Comparison:
        if one.kind and one.kind == other.kind:
            return self.values(_times(a, one.factor), _times(b, other.factor))
        if {one.kind, other.kind} == {"angle", "angle_rad"}:
            return self.values(
                _radians(a) if one.kind == "angle" else a, _radians(b) if other.kind == "angle" else b
            )
        if one.spelled and other.spelled and one.spelled.split()[-1] == other.spelled.split()[-1]:
            return self.values(a, b)
        names = [u.spelled or u.kind.replace("_", " ") for u in (one, other)]
        return Comparison(Verdict.OTHER_FORM, f"in {names[0]} and in {names[1]}")

    def values(self, a: Scalar, b: Scalar) -> Comparison:
        if a.number and b.number:
            return (
                SAME
                if same_number(a.number, b.number)
                else different(a.latex or a.number.value, b.latex or b.number.value)
            )
        if _without_spaces(a.latex) == _without_spaces(b.latex):
            return SAME
        return self.symbolic("value", latex_of(a), latex_of(b))


def latex_of(form: Form) -> str:
    if isinstance(form, Scalar):
        if form.number and (not form.latex or not re.fullmatch(r"[-\d.]+", form.latex)):
            value = form.number.value
            return (
                str(value)
                if value.denominator == 1
                else rf"\frac{{{value.numerator}}}{{{value.denominator}}}"
            )
        return form.latex
    return ""


def _times(scalar: Scalar, factor: Fraction) -> Scalar:
    number = scalar.number
    if number is not None:
        return Scalar(scalar.latex, Number(number.value * factor, number.decimals and None, number.digits))
    return Scalar(rf"\frac{{{factor.numerator}}}{{{factor.denominator}}} \cdot ({scalar.latex})")


def _radians(scalar: Scalar) -> Scalar:
    return Scalar(rf"\frac{{\pi}}{{180}} \cdot ({latex_of(scalar)})")


def _product(a: Form, b: Form) -> str:
    return rf"({latex_of(a)}) \cdot ({latex_of(b)})"


def _without_spaces(latex: str) -> str:
    return re.sub(r"(?<![\dA-Za-z\\])\s+|\s+(?![\dA-Za-z])", "", latex)


def _clock(time: Ratio) -> str:
    return f"{(time.minutes or 0) // 60}:{(time.minutes or 0) % 60:02}"
