"""Units of measure behind numbers: which there are, of what they are, and how many make one of another."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from fractions import Fraction
from importlib import resources

from dataflow.operators._lib.answers.numerals import number
from dataflow.operators._lib.answers.tidy import words_of

_TRAILING = re.compile(
    r"(?P<head>.*?[\d)}\]!%]|.*?\\pi)(?P<gap>\s*)(?P<unit>(?:\\text\s*\{[^{}]*\}|[A-Za-z\u4e00-\u9fff%/ ]|\^\s*\{?-?[123]\}?|\^\{\\circ\}|[℃])+)",
    re.DOTALL,
)
_CHINESE = re.compile(
    r"(?P<head>负?[零〇一二三四五六七八九两兩十百千万萬亿億点]+|.*分之[零〇一二三四五六七八九十百\d]+)(?P<gap>)(?P<unit>[\u4e00-\u9fff]+)"
)
_WORDS = re.compile(
    r"(?P<head>(?:(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|\w+ty|hundred|thousand|million|billion|and|half|halves|thirds?|quarters?)[\s-]+)+)(?P<gap>)(?P<unit>[A-Za-z ]+)",
    re.IGNORECASE,
)
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z\u4e00-\u9fff]+)")
_COMPOUND = re.compile(r"(?:\d+(?:\.\d+)?\s*[A-Za-z\u4e00-\u9fff]+(?:\s*,?\s*(?:and\s+)?)?)+")
_MONEY_BEFORE = re.compile(r"(-?)\s*(\\\$|[$£€¥₹]|US\$|USD|RMB|EUR|GBP)\s*(-?)(?=[\d.\\])")
_MONEY = {
    r"\$": "dollar",
    "$": "dollar",
    "US$": "dollar",
    "USD": "dollar",
    "£": "gbp",
    "GBP": "gbp",
    "€": "euro",
    "EUR": "euro",
    "¥": "yuan",
    "RMB": "yuan",
    "₹": "rupee",
}
_POWER = re.compile(r"\^\s*\{?\s*(-?\d)\s*\}?")
_TRIGONOMETRY = re.compile(r"\\(?:sin|cos|tan|cot|sec|csc)(?![a-z])")
_SUPERFLUOUS = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "in",
        "about",
        "approximately",
        "exactly",
        "only",
        "total",
        "units",
        "unit",
        "each",
    ]
)


@dataclass(frozen=True)
class Unit:
    """A unit: of what kind, and how many of the kind's base unit it is; `spelled` where it is of no known kind."""

    kind: str
    factor: Fraction = Fraction(1)
    spelled: str = ""


NO_UNIT = Unit("")


@functools.cache
def _known() -> dict[str, Unit]:
    """Spellings of units, from lines `kind factor spelling spelling …`."""
    made = {}
    for line in resources.files(__package__).joinpath("units.txt").read_text("utf-8").splitlines():
        kind, factor, *names = line.split()
        for name in names:
            made[name] = Unit(kind, Fraction(factor))
    return made


def unit(text: str) -> Unit | None:
    """The unit that a text names: `cm`, `square meters`, `km/h`, `cm^2`, `元`; other words are one of no known kind."""
    spelled = words_of(text).strip(" .")
    if (known := _known().get(spelled) or _known().get(spelled.lower())) is not None:
        return known
    made = _derived(spelled)
    if made is not None:
        return made
    words = [w for w in spelled.lower().split() if w not in _SUPERFLUOUS]
    if not words:
        return NO_UNIT
    if (known := _known().get(" ".join(words)) or _known().get(words[0])) is not None:
        return known
    return Unit("", spelled=" ".join(w.removesuffix("s") for w in words))


def _derived(spelled: str) -> Unit | None:
    """Squares, cubes and rates of units."""
    text = re.sub(r"\s+per\s+", "/", re.sub(r"(?<=[a-z])\s*/\s*", "/", spelled.strip()))
    words = text.split()
    if len(words) == 2 and words[0].lower() in ("square", "sq", "cubic", "cu", "平方", "立方"):
        return _raised(
            _known().get(words[1]) or _known().get(words[1].lower()),
            2 if words[0].lower() in ("square", "sq") else 3,
        )
    for prefix, power in (("平方", 2), ("立方", 3)):
        if text.startswith(prefix):
            return _raised(_known().get(text[2:]), power)
    top, rate, below = text.partition("/")
    if rate:
        one, other = unit(top) if top else None, unit(below)
        if one and other and one.kind and other.kind:
            return Unit(f"{one.kind}/{other.kind}", one.factor / other.factor)
        return None
    raised = _POWER.search(text)
    if raised and raised.end() == len(text):
        return _raised(_known().get(text[: raised.start()].strip()), int(raised[1]))
    return None


def _raised(base: Unit | None, power: int) -> Unit | None:
    if base is None or not base.kind:
        return None
    return Unit(f"{base.kind}^{power}", base.factor**power)


def measured(text: str) -> tuple[str, Unit | None]:
    """A tidied answer without its unit, and that unit."""
    if money := _MONEY_BEFORE.match(text):
        head, named = _trailing(money[1] + money[3] + text[money.end() :])
        signed = Unit("money_" + _MONEY[money[2]])
        return head, named if named and named.kind.startswith("money") else signed
    return _trailing(text)


def _trailing(text: str) -> tuple[str, Unit | None]:
    for pattern in (_TRAILING, _CHINESE, _WORDS):
        match = pattern.fullmatch(text)
        spelled = match["unit"].strip() if match else ""
        if match and spelled:
            named = _unit_behind(match["head"].strip(), bool(match["gap"]), spelled)
            if named is not None:
                return match["head"].strip(), named if named != NO_UNIT else None
    return text, None


def compound(text: str) -> tuple[Fraction, Unit] | None:
    """A sum of measures of one kind, such as `2 hours 30 minutes`, in the kind's base unit."""
    parts = _PART.findall(words_of(text))
    if len(parts) < 2 or not _COMPOUND.fullmatch(words_of(text)):
        return None
    units = [unit(spelled) for _, spelled in parts]
    kinds = {u.kind for u in units if u}
    if None in units or len(kinds) != 1 or not all(kinds):
        return None
    return sum(
        (Fraction(n) * u.factor for (n, _), u in zip(parts, units, strict=True) if u), Fraction()
    ), Unit(kinds.pop())


def _unit_behind(head: str, spaced: bool, spelled: str) -> Unit | None:
    """What stands behind a number or an expression, where it is a unit rather than a factor."""
    marked = "\\text" in spelled or spelled.startswith(("^{\\circ}", "%"))
    plain = words_of(spelled)
    if spelled.startswith("^") and _TRIGONOMETRY.search(head):
        return None
    if not marked and (plain.startswith("^") or "\\" in plain):
        return None
    if not marked and plain.isascii():
        letters = re.sub(r"[^A-Za-z]", "", plain)
        known = plain in _known() or plain.lower() in _known() or _derived(plain) is not None
        if len(letters) < 2 and not (spaced and known and "\\" not in head and number(head)):
            return None
        if not known and (number(head) is None or min(map(len, plain.split())) < 2 or len(letters) < 3):
            return None
    return unit(spelled)
