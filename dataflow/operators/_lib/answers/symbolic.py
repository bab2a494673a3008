"""Comparing expressions by math-verify and by numbers put for their variables. It may run forever: call it in a worker."""

from __future__ import annotations

import functools
import importlib
import logging
import random
import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from dataflow.operators._lib.answers.numerals import SIGNIFICANT, number, terminating
from dataflow.operators._lib.answers.verdicts import SAME, Comparison, Verdict, different

PRECISION, TOLERANCE = 40, 1e-25
PROBES = 6
_TWO_NUMBERS = re.compile(r"(?<![_\d.])\d+(?:\.\d+)?\s+\d")
_DEGREES = re.compile(r"(\d+(?:\.\d+)?)\s*\^\s*\{\s*\\circ\s*\}")
_LETTER = re.compile(r"(\\[A-Za-z]+)|([A-Za-z])")
_NO_PLACE = re.compile(r"\\text|[$&\n]|\\\\")


@functools.cache
def _sympy() -> Any:
    return importlib.import_module("sympy")


class Unparsed(Exception):
    """LaTeX that is no expression."""


def symbolic(kind: str, a: str, b: str) -> Comparison:
    """Whether two values, equations or statements are the same."""
    one, other = _without_capitals(a, b)
    try:
        made = _KINDS[kind](one, other)
    except Unparsed as error:
        return Comparison(Verdict.UNREADABLE, str(error))
    return different(a, b) if made.verdict is Verdict.DIFFERENT else made


def _without_capitals(a: str, b: str) -> tuple[str, str]:
    """Two pieces of LaTeX with capitals renamed where the same letter is there small, which the parser takes for the same."""
    letters = {m[2] for m in _LETTER.finditer(a + " " + b) if m[2]}
    twice = sorted(c for c in letters if c.isupper() and c.lower() in letters)
    unused = [c for c in "pqrstuvwzabcfghjklmnoxy" if c not in letters and c.upper() not in letters]
    names = dict(zip(twice, unused, strict=False))
    a, b = (_LETTER.sub(lambda m: m[1] or names.get(m[2], m[2]), text) for text in (a, b))
    return a, b


@functools.lru_cache(2048)
def _parsed(latex: str) -> Any:
    parse, _, config = _math_verify()
    if _TWO_NUMBERS.search(latex) or _NO_PLACE.search(latex):
        raise Unparsed(f"no expression: {latex[:60]}")
    latex = _DEGREES.sub(r"(\1 \\cdot \\frac{\\pi}{180})", latex)
    made = parse(
        f"${latex}$", config, fallback_mode="no_fallback", extraction_mode="first_match", parsing_timeout=None
    )
    if len(made) != 1:
        raise Unparsed(f"no expression: {latex[:60]}")
    expression = made[0]
    return expression.xreplace(_exactly(expression)) if isinstance(expression, _sympy().Basic) else expression


def _exactly(expression: Any) -> dict[Any, Any]:
    """What to put for decimals, which are exact here, and for the imaginary unit, where `i` counts nothing."""
    sympy = _sympy()
    put = {f: sympy.Rational(str(f)) for f in expression.atoms(sympy.Float)}
    counted = {s for e in expression.atoms(sympy.Sum, sympy.Product) for s in e.variables}
    return put | {s: sympy.I for s in expression.free_symbols - counted if s.name == "i"}


@functools.cache
def _math_verify() -> tuple[Any, Any, Any]:
    math_verify = importlib.import_module("math_verify")

    for name in ("math_verify", "math_verify.parser", "math_verify.grader", "math_verify.utils"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    rules = math_verify.parser.NormalizationConfig(
        basic_latex=True, units=False, malformed_operators=True, nits=False, boxed="none", equations=False
    )
    config = [math_verify.LatexExtractionConfig(boxed_match_priority=-1, normalization_config=rules)]
    return math_verify.parse, math_verify.verify, config


def _values(a: str, b: str) -> Comparison:
    one, other = _parsed(a), _parsed(b)
    if not isinstance(one, _sympy().Expr) or not isinstance(other, _sympy().Expr):
        return SAME if _verified(one, other) else different(a, b)
    if one == other:
        return SAME
    told = _by_numbers(one, other)
    if told is None:
        return SAME if _verified(one, other) else different(a, b)
    return SAME if told or _rounded(a, b, one, other) else different(a, b)


def _verified(one: Any, other: Any) -> bool:
    _, verify, _ = _math_verify()
    return bool(verify(one, other, timeout_seconds=None, allow_set_relation_comp=True))


def _by_numbers(one: Any, other: Any) -> bool | None:
    """Whether two expressions agree at random points; null where they have no values there."""
    agreed = 0
    for x, y in _at_points(one, other):
        if not _close(x, y):
            return False
        agreed += 1
    fewest = PROBES // 2 if one.free_symbols | other.free_symbols else 1
    return True if agreed >= fewest else None


def _at_points(one: Any, other: Any) -> Iterator[tuple[Any, Any]]:
    """The values of two expressions at points where both have one."""
    names = sorted({s.name for e in (one, other) for s in e.free_symbols})
    draw = random.Random(7)
    given = 0
    for attempt in range(3 * PROBES if names else 1):
        point = {name: _drawn(draw, attempt) for name in names}
        x, y = _at(one, point), _at(other, point)
        if x is not None and y is not None:
            yield x, y
            given += 1
        if given == PROBES:
            return


def _drawn(draw: random.Random, attempt: int) -> Fraction:
    """Positive numbers first; then negative ones, at which roots and moduli show."""
    value = Fraction(draw.randint(11, 399), 97)
    return -value if attempt % 2 and draw.random() < 0.7 else value


def _at(expression: Any, point: Mapping[str, Fraction]) -> Any:
    """The value at a point, null where there is none."""
    put = {
        s: _sympy().Rational(point[s.name].numerator, point[s.name].denominator)
        for s in expression.free_symbols
    }
    try:
        value = _sympy().N(expression.subs(put).doit(), PRECISION)
    except (TypeError, ValueError, ArithmeticError, AttributeError, NotImplementedError, RecursionError):
        return None
    return (
        value
        if value.is_number and value.is_finite and not value.free_symbols and _is_complex(value)
        else None
    )


def _is_complex(value: Any) -> bool:
    try:
        complex(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def _close(x: Any, y: Any) -> bool:
    size = max(_sympy().Abs(x), _sympy().Abs(y))
    return bool(_sympy().Abs(x - y) <= TOLERANCE * (size if size > TOLERANCE else 1))


def _rounded(a: str, b: str, one: Any, other: Any) -> bool:
    """Whether one is a decimal that the other, which no decimal writes exactly, rounds to."""
    for text, exact, spelled in ((a, other, b), (b, one, a)):
        given = number(text)
        if given is None or given.decimals is None or "." in spelled or exact.free_symbols:
            continue
        rational = exact.doit()
        if rational.is_Rational and terminating(Fraction(int(rational.p), int(rational.q))):
            continue
        value = _sympy().N(rational, PRECISION)
        rounded = _sympy().Rational(given.value.numerator, given.value.denominator)
        if value.is_real and given.digits >= SIGNIFICANT:
            return bool(abs(value - rounded) * 10**given.decimals * 2 <= 1)
    return False


def _equations(a: str, b: str) -> Comparison:
    """Whether the differences of the sides are multiples of each other."""
    one, other = (_difference(e) for e in (a, b))
    pairs = list(_at_points(one, other))
    if not pairs or all(_close(x, 0) for x, _ in pairs):
        return Comparison(Verdict.UNREADABLE, "equations without values")
    x0, y0 = pairs[0]
    same = not _close(y0, 0) and all(_close(x * y0, y * x0) for x, y in pairs)
    return SAME if same else different(a, b)


def _difference(equation: str) -> Any:
    left, _, right = equation.partition(" = ")
    return _parsed(left) - _parsed(right)


def _statements(a: str, b: str) -> Comparison:
    one, other = _parsed(a), _parsed(b)
    same = _verified(one, other) or _verified(other, one) or _solved(one) == _solved(other) is not None
    return SAME if same else different(one, other)


def _solved(relation: Any) -> Any:
    """The numbers for which a relation in one variable holds; null where that cannot be told."""
    try:
        return relation.as_set() if len(relation.free_symbols) == 1 else None
    except (AttributeError, NotImplementedError, TypeError, ValueError):
        return None


_KINDS = {"value": _values, "equation": _equations, "statement": _statements}
