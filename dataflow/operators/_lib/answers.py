"""The final answer in a worked solution, and whether two answers are the same."""

from __future__ import annotations

import functools
import importlib
import logging
import re
import unicodedata
from importlib import resources
from typing import Any

from dataflow.core.errors import MissingDependency

_CUE = re.compile(r"he (?:final |correct )?answer is:?\s*", re.IGNORECASE)
_CLAUSE_END = re.compile(r"\n|\.\s")
_MEASURE = re.compile(r"([-+]?[\d.]+)([A-Za-z]{2,})")
_MINERVA = re.compile(r"final answer is \$(.*?)\$\. I hope", re.DOTALL)
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
_COMMAND = re.compile(r"\\[A-Za-z]+")
_WORD = re.compile(r"[A-Za-z]+")
_FUNCTIONS = frozenset(
    (
        "sin",
        "cos",
        "tan",
        "cot",
        "sec",
        "csc",
        "log",
        "exp",
        "sqrt",
        "inf",
        "infty",
        "mod",
        "gcd",
        "lcm",
        "max",
        "min",
    )
)
_RUNAWAY = re.compile(r"\^\s*(?:\{[^{}]*\^|\w\s*\^|\{?-?\d{4,})|\d{4,}\s*!|!\s*!")
_LONGEST = 400
_REWRITES = tuple(
    (re.compile(pattern), by)
    for pattern, by in (
        (r"\s+", " "),
        (r"\\(?:left|right|displaystyle|!|,|;|:|quad|qquad)(?![A-Za-z])", ""),
        (r"\\[td]frac(?![A-Za-z])", r"\\frac"),
        (r"\{array\}(?:\{[clr|]*\})?", "{pmatrix}"),
        (r"\\(?:text|mathrm|mathbf|textbf|mbox)\s*\{([^{}]*)\}", r"\1"),
        (r"\^\s*(?:\{\s*\\circ\s*\}|\\circ)|°|\\?%|\\?\$|\\[()\[\]]", ""),
        (r"(?<![\d\w])\.(?=\d)", "0."),
        (r"^\s*[A-Za-z]\w?\s*(?:=|\\in(?![A-Za-z]))\s*", ""),
        (r"(?<=\d),(?=\d{3}(?!\d))", ""),
    )
)


def final_answer(solution: str) -> str:
    """The answer that a solution ends in, cleaned: the one it announces, else its last number.

    Empty where it has neither: a plain text without a number has no final answer.
    """
    if (told := announced(solution)) is not None:
        return told
    numbers = _NUMBER.findall(solution)
    return numbers[-1].replace(",", "") if numbers else ""


def announced(solution: str) -> str | None:
    """What a solution gives as its answer, cleaned: in words, or in its last box."""
    if match := _MINERVA.search(solution):
        return cleaned(match.group(1))
    if (boxed := last_boxed(solution)) is not None:
        return cleaned(boxed)
    cues = list(_CUE.finditer(solution))
    if not cues:
        return None
    return cleaned(_CLAUSE_END.split(solution[cues[-1].end() :], maxsplit=1)[0].strip("*`\"' "))


def last_boxed(text: str) -> str | None:
    """The inside of the last `boxed{…}` with balanced braces; up to a `$` or the end where they never close."""
    _, found, rest = text.rpartition("boxed{")
    if not found:
        return None
    depth = 1
    for i, char in enumerate(rest):
        depth += (char == "{") - (char == "}")
        if depth == 0:
            return rest[:i]
    return rest.partition("$")[0]


def cleaned(answer: str) -> str:
    """An answer without what does not change its value: spacing commands, units, `x =`, percent and degree signs."""
    text = answer.strip().rstrip(".").strip()
    for pattern, by in _REWRITES:
        text = pattern.sub(by, text)
    return _without_units(_digits(text)).strip().rstrip(".").strip()


@functools.cache
def _units() -> frozenset[str]:
    return frozenset(resources.files(__package__).joinpath("units.txt").read_text("utf-8").split())


def _without_units(text: str) -> str:
    """A number without the words of measure that follow it."""
    words = text.split()
    if not words or not (words[0][0].isdigit() or words[0][0] in "-+.\\"):
        return text
    while len(words) > 1 and words[-1].strip(".^{}0123456789").lower() in _units():
        words.pop()
    match = _MEASURE.fullmatch(words[0]) if len(words) == 1 else None
    return match.group(1) if match and match.group(2).lower() in _units() else " ".join(words)


_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_VALUES = {w: i for i, w in enumerate(_SMALL)} | {w: 10 * i for i, w in enumerate(_TENS, 2)}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}


def _digits(text: str) -> str:
    """A number written out in words as digits; any other text as it is."""
    words = [w for w in re.split(r"[\s-]+", text.lower()) if w not in ("and", "")]
    counted = [w for w in words if w not in _units()]
    if not counted or any(w not in _VALUES and w not in _SCALES for w in counted):
        return text
    total = current = 0
    for word in counted:
        current = current + _VALUES[word] if word in _VALUES else max(current, 1) * _SCALES[word]
        if _SCALES.get(word, 0) >= 1000:
            total, current = total + current, 0
    return str(total + current)


def normal(text: str) -> str:
    """A text for comparison: compatibility forms, case, spacing and a last punctuation mark do not count."""
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return re.sub(r"[.,;:!?。，；：！？]$", "", folded).strip()


def same_answer(reference: str, answer: str) -> bool:
    """Whether two bare answers are the same as text, or equal as numbers, expressions, sets or intervals.

    Only mathematics is compared as mathematics: with words in an answer its numbers alone decide nothing.
    Towers of powers and factorials of large numbers are compared as text, since working them out may never end.

    Raises:
        MissingDependency: math-verify is needed and not installed.
    """
    if normal(reference) == normal(answer):
        return True
    a, b = cleaned(reference), cleaned(answer)
    if not a or not b:
        return False
    return normal(a) == normal(b) or (_is_mathematical(a) and _is_mathematical(b) and _equal(a, b))


def agrees(reference: str, prediction: str) -> bool:
    """Whether a prediction, as a whole or by its final answer, is the reference answer.

    The last number of a prediction that announces no answer counts only where the reference is a number.
    """
    told = announced(reference)
    wanted = reference if told is None else told
    final = final_answer(prediction) if _is_number(wanted) else announced(prediction)
    return same_answer(wanted, prediction) or bool(final and same_answer(wanted, final))


def _is_number(text: str) -> bool:
    return bool(_NUMBER.fullmatch(cleaned(text)))


def _is_mathematical(text: str) -> bool:
    if len(text) > _LONGEST or _RUNAWAY.search(text):
        return False
    words = _WORD.findall(_COMMAND.sub(" ", text))
    return all(len(w) < 3 or w.lower() in _FUNCTIONS for w in words)


def _equal(reference: str, answer: str) -> bool:
    parse, verify = _math_verify()
    try:
        a, b = (parse(f"${text}$", parsing_timeout=None) for text in (reference, answer))
        return bool(verify(a, b, timeout_seconds=None))
    except Exception:  # noqa: BLE001  # the parser meets whatever a model may write
        return False


@functools.cache
def _math_verify() -> tuple[Any, Any]:
    """`parse` and `verify`; their own time limits need signals, which worker threads do not have."""
    try:
        module = importlib.import_module("math_verify")
    except ImportError as error:
        raise MissingDependency("math-verify", "math", "comparing answers as mathematics") from error
    logging.getLogger("math_verify").setLevel(logging.ERROR)
    return module.parse, module.verify
