"""Numbers as answers write them, exactly: digits, fractions, powers of ten, repeating decimals, words, Chinese."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

MOST_DIGITS = 300
"""Numbers with more digits than that are left to be compared as expressions."""
SIGNIFICANT = 4
"""Digits that a rounded number must show, to stand for a number that no decimal writes exactly."""

_PLAIN = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d*)?|\.\d+"
_DECIMAL = re.compile(rf"({_PLAIN})")
_TIMES = r"\s*(?:\\times|\\cdot|\*|x)\s*"
_SCIENTIFIC = re.compile(
    rf"(?:({_PLAIN})\s*(?:{_TIMES}10\s*\^\s*|[eE])|10\s*\^\s*)\{{?\s*([-+]?\s*\d{{1,3}})\s*\}}?"
)
_RATIO = re.compile(rf"({_PLAIN})\s*/\s*({_PLAIN})")
_FRAC = re.compile(rf"\\frac\s*\{{\s*(-?)\s*({_PLAIN})\s*\}}\s*\{{\s*(-?)\s*({_PLAIN})\s*\}}")
_MIXED = re.compile(
    r"(\d+)\s*\\frac\s*\{\s*(\d+)\s*\}\s*\{\s*(\d+)\s*\}|(\d+)\s*(?:\s|and|\+|又|-)\s*(\d+)\s*/\s*(\d+)"
)
_REPEATING = re.compile(
    r"(\d*)\.(\d*?)(?:\\overline\s*\{\s*(\d+)\s*\}|\\bar\s*\{\s*(\d+)\s*\}|\((\d+)\)|\\dot\s*\{?(\d)\}?(?:(\d*)\\dot\s*\{?(\d)\}?)?)"
)
_DOTTED = re.compile(r"(\d+)\.(\d+?)\s*\.\.\.")
_SCALED = re.compile(
    rf"({_PLAIN})\s*(thousand|million|billion|trillion|万亿|亿|億|万|萬|千|百|hundred)", re.IGNORECASE
)


@dataclass(frozen=True)
class Number:
    """A rational number; `decimals` where it was written with a decimal point, `digits` significant ones."""

    value: Fraction
    decimals: int | None = None
    digits: int = 0


def number(text: str) -> Number | None:
    """The number that a tidied text is; null for everything else."""
    sign, body = _signed(text.strip())
    if not body or len(body) > MOST_DIGITS:
        return None
    for read in (_decimal, _fraction, _scientific, _mixed, _repeating, _scaled, _in_words, _chinese):
        made = read(body)
        if made is not None:
            return Number(sign * made.value, made.decimals, made.digits)
    return None


def _signed(text: str) -> tuple[int, str]:
    sign = 1
    while text[:1] in ("-", "+"):
        sign, text = (-sign if text[0] == "-" else sign), text[1:].lstrip()
    if text.startswith("(") and text.endswith(")") and "(" not in text[1:]:
        inner, rest = _signed(text[1:-1].strip())
        return sign * inner, rest
    for word in ("negative ", "minus ", "负"):
        if text.lower().startswith(word):
            return -sign, text[len(word) :].strip()
    return sign, text


def _plain(text: str) -> Fraction:
    return Fraction(text.replace(",", "").rstrip(".") or "0")


def _decimal(text: str) -> Number | None:
    if not _DECIMAL.fullmatch(text):
        return None
    _, point, after = text.partition(".")
    digits = len(re.sub(r"[.,]", "", text).lstrip("0"))
    return Number(_plain(text), len(after) if point and after else None, digits)


def _scientific(text: str) -> Number | None:
    match = _SCIENTIFIC.fullmatch(text)
    if not match:
        return None
    return Number(_plain(match[1] or "1") * Fraction(10) ** int(match[2].replace(" ", "")))


def _fraction(text: str) -> Number | None:
    if match := _RATIO.fullmatch(text):
        sign, top, below = "", match[1], match[2]
    elif match := _FRAC.fullmatch(text):
        sign, top, below = match[1] + match[3], match[2], match[4]
    else:
        return None
    divisor = _plain(below)
    return Number((-1) ** len(sign) * _plain(top) / divisor) if divisor else None


def _mixed(text: str) -> Number | None:
    match = _MIXED.fullmatch(text)
    if not match:
        return None
    whole, top, below = (int(g) for g in match.groups() if g is not None)
    return Number(whole + Fraction(top, below)) if below and top < below else None


def _repeating(text: str) -> Number | None:
    if match := _DOTTED.fullmatch(text):
        whole, after = match[1], match[2]
        for length in range(1, len(after) // 2 + 1):
            block = after[-length:]
            if after.endswith(block * 2) and (length > 1 or after.endswith(block * 3) or len(after) == 2):
                fixed = _without_blocks(after, block)
                return Number(_periodic(whole, fixed, block))
        return None
    match = _REPEATING.fullmatch(text)
    if not match:
        return None
    block = match[3] or match[4] or match[5] or (match[6] + (match[7] or "") + (match[8] or ""))
    return Number(_periodic(match[1], match[2], block))


def _without_blocks(digits: str, block: str) -> str:
    while digits.endswith(block):
        digits = digits[: -len(block)]
    return digits


def _periodic(whole: str, fixed: str, block: str) -> Fraction:
    start = Fraction(int((whole or "0") + fixed), 10 ** len(fixed))
    return start + Fraction(int(block), (10 ** len(block) - 1) * 10 ** len(fixed))


_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_VALUES = {w: i for i, w in enumerate(_SMALL)} | {w: 10 * i for i, w in enumerate(_TENS, 2)}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_PARTS = {
    "half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10,
}  # fmt: skip
_CHINESE_SCALES = {"百": 100, "千": 1000, "万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8, "万亿": 10**12}


def _scaled(text: str) -> Number | None:
    match = _SCALED.fullmatch(text)
    if not match:
        return None
    word = match[2].lower()
    return Number(_plain(match[1]) * (_SCALES.get(word) or _CHINESE_SCALES[word]))


def _in_words(text: str) -> Number | None:
    words = [w for w in re.split(r"[\s-]+", text.lower()) if w not in ("and", "")]
    if not words or not words[0].isalpha() or not words[0].isascii():
        return None
    part = _PARTS.get(words[-1].removesuffix("s") if words[-1] not in _PARTS else words[-1])
    if part:
        top = _counted(["one" if w in ("a", "an") else w for w in words[:-1] if w not in ("of",)] or ["one"])
        return None if top is None else Number(Fraction(top, part))
    total = _counted(words)
    return None if total is None else Number(Fraction(total))


def _counted(words: list[str]) -> int | None:
    if any(w not in _VALUES and w not in _SCALES for w in words):
        return None
    total = current = 0
    for word in words:
        current = current + _VALUES[word] if word in _VALUES else max(current, 1) * _SCALES[word]
        if _SCALES.get(word, 0) >= 1000:
            total, current = total + current, 0
    return total + current


_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "兩": 2}
_STEPS = {"十": 10, "百": 100, "千": 1000}
_MYRIADS = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_CHINESE = re.compile("[零〇一二三四五六七八九两兩十百千万萬亿億]+")


def _chinese(text: str) -> Number | None:
    head, apart, tail = text.partition("分之")
    if apart:
        below, top = (
            (Number(Fraction(100)) if head == "百" else _chinese_or_digits(head)),
            _chinese_or_digits(tail),
        )
        return Number(top.value / below.value) if below and top and below.value else None
    before, point, after = text.partition("点")
    if point and all(c in _DIGITS for c in after) and after:
        whole = _chinese(before)
        digits = "".join(str(_DIGITS[c]) for c in after)
        return whole and Number(
            whole.value + Fraction(int(digits), 10 ** len(digits)), len(digits), len(digits)
        )
    return Number(Fraction(_count_chinese(text))) if _CHINESE.fullmatch(text) else None


def _chinese_or_digits(text: str) -> Number | None:
    return _decimal(text) or _chinese(text)


def _count_chinese(text: str) -> int:
    if all(c in _DIGITS for c in text):
        return int("".join(str(_DIGITS[c]) for c in text))
    total = section = digit = 0
    for char in text:
        if char in _DIGITS:
            digit = _DIGITS[char]
        elif char in _STEPS:
            section, digit = section + (digit or (1 if char == "十" or not digit else 0)) * _STEPS[char], 0
        else:
            section, digit = (section + digit) * _MYRIADS[char], 0
            total, section = total + section, 0
    return total + section + digit


def terminating(value: Fraction) -> bool:
    """Whether a decimal writes the number exactly."""
    below = value.denominator
    for prime in (2, 5):
        while below % prime == 0:
            below //= prime
    return below == 1


def rounds_to(rounded: Number, exact: Fraction) -> bool:
    """Whether a number written with enough decimals is another, rounded to those."""
    if rounded.decimals is None or rounded.digits < SIGNIFICANT:
        return False
    return bool(abs(rounded.value - exact) * 10**rounded.decimals * 2 <= 1)


def same_number(a: Number, b: Number) -> bool:
    """Whether two numbers are equal, or one is the other rounded, where no decimal writes that exactly."""
    if a.value == b.value:
        return True
    if a.decimals is not None and b.decimals is None:
        return not terminating(b.value) and rounds_to(a, b.value)
    if b.decimals is not None and a.decimals is None:
        return not terminating(a.value) and rounds_to(b, a.value)
    return False
