"""Whether the values of a call were said: they stand in the conversation so far, or are another way to write what does."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any


def _split(words: str) -> list[str]:
    return words.split()


_UNITS = _split(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_TENS = _split("twenty thirty forty fifty sixty seventy eighty ninety")
_ORDINALS = _split("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth")
_SMALL = {w: n for n, w in enumerate(_UNITS)} | {w: n for n, w in enumerate(_ORDINALS, 1)}
_SMALL |= {w: 10 * n for n, w in enumerate(_TENS, 2)} | {"dozen": 12}
_LARGE = {"hundred": 100, "thousand": 1000, "k": 1000, "million": 1_000_000, "billion": 1_000_000_000}
_MONTHS = _split("january february march april may june july august september october november december")
_LINKING = frozenset(_split("a an and at by for from in into of on or the to with my your me i is are"))

_WORD = re.compile(r"[^\W_]+")
_FIGURE = re.compile(r"(?<![\d.])(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")
_LARGE_FIGURE = re.compile(rf"({_FIGURE.pattern})\s?({'|'.join(_LARGE)})\b")
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[t ](\d{2}:\d{2})(?::00)?z?)?")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::00)?")
_SAID_TIME = re.compile(
    r"\b(\d{1,2})(?:[:.](\d{2}))?\s?([ap])\.?m\b|\b(\d{1,2}):(\d{2})\b|\b(\d{1,2}) o['’]clock"
)
_DOTTED_DATE = re.compile(r"\b(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})\b")
_PARTED_DIGITS = re.compile(r"(?<=\d)[\s().+/-]+(?=\d)")
_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_MIN_DIGITS = 6


def folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


class Said:
    """All that was said in a conversation by others than the assistant: what its calls may be made of.

    A text was said if its words stand there one after another, whatever the case and punctuation, or all of them
    do somewhere, articles and prepositions aside, singular for plural. A number was said if it stands there in
    figures or in words; a date or time of ISO 8601, if year, month, day and time do; a long run of digits, however
    it is grouped. Blank texts, truth values and nulls say nothing that could be made up.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.text = folded("\n".join(texts))

    @cached_property
    def line(self) -> str:
        return " ".join(_WORD.findall(self.text))

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(map(_stem, _WORD.findall(self.text)))

    @cached_property
    def numbers(self) -> frozenset[float]:
        figures = [float(m.replace(",", "")) for m in _FIGURE.findall(self.text)]
        large = [float(n.replace(",", "")) * _LARGE[w] for n, w in _LARGE_FIGURE.findall(self.text)]
        dated = [float(part) for date in _DOTTED_DATE.findall(self.text) for part in date]
        per_cent = [n / 100 for n in figures] if "%" in self.text or "percent" in self.text else []
        return frozenset([*figures, *large, *dated, *per_cent, *_numbers_in_words(_WORD.findall(self.text))])

    @cached_property
    def minutes(self) -> frozenset[int]:
        """The times of day, in minutes since midnight."""
        found = {60 * 12} if "noon" in self.words else set()
        found |= {0} if "midnight" in self.words else set()
        for hour, minute, half, whole, rest, struck in _SAID_TIME.findall(self.text):
            hours = int(hour) % 12 + 12 * (half == "p") if half else int(whole or struck)
            found.add(60 * hours + int(minute or rest or 0))
        return frozenset(found)

    @cached_property
    def digits(self) -> str:
        return _PARTED_DIGITS.sub("", self.text)

    def has(self, value: Any) -> bool:
        if value is None or isinstance(value, bool):
            return True
        if isinstance(value, (int, float)):
            return abs(value) in self.numbers
        return self._has_text(folded(str(value)).strip())

    def _has_text(self, value: str) -> bool:
        words = _WORD.findall(value)
        if not words:
            return not value or value in self.text
        if self._in_line(" ".join(words)) or self._is_number(value):
            return True
        if _DATE.fullmatch(value) or _CLOCK.fullmatch(value):
            return self._is_time(value)
        telling = [w for w in words if w not in _LINKING]
        return bool(telling) and all(self._has_word(w) for w in telling)

    def _in_line(self, words: str) -> bool:
        edge = rf"[^\W{_CJK}]"
        return re.search(rf"(?<!{edge}){re.escape(words)}(?!{edge})", self.line) is not None

    def _has_word(self, word: str) -> bool:
        number = float(word) if word.isdecimal() else _SMALL.get(word)
        return _stem(word) in self.words or number in self.numbers

    def _is_number(self, value: str) -> bool:
        digits = re.sub(r"[\s().+/-]", "", value)
        if digits.isdecimal() and len(digits) >= _MIN_DIGITS:
            return re.search(rf"(?<!\d){digits}(?!\d)", self.digits) is not None
        figure = _FIGURE.fullmatch(value.lstrip("$€£-").rstrip("%"))
        return figure is not None and float(figure.group().replace(",", "")) in self.numbers

    def _is_time(self, value: str) -> bool:
        if clock := _CLOCK.fullmatch(value):
            return 60 * int(clock[1]) + int(clock[2]) in self.minutes
        date = _DATE.fullmatch(value)
        if date is None or not 1 <= int(date[2]) <= len(_MONTHS):
            return False
        month = _MONTHS[int(date[2]) - 1]
        named = month in self.words or month[:3] in self.words or float(date[2]) in self.numbers
        there = named and {float(date[1]), float(date[3])} <= self.numbers
        return there and (date[4] in (None, "00:00") or self._is_time(date[4]))


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _numbers_in_words(words: Sequence[str]) -> Iterator[float]:
    """The numbers that words spell out, such as `two hundred and five`; each word's own too."""
    total = part = 0
    counting = False
    for word in [*words, ""]:
        if word in _SMALL:
            yield float(_SMALL[word])
            part, counting = part + _SMALL[word], True
        elif word == "hundred" and counting:
            part *= 100
        elif word in _LARGE and counting:
            total, part = total + part * _LARGE[word], 0
        elif counting and word != "and":
            yield float(total + part)
            total, part, counting = 0, 0, False


def unsaid(arguments: Mapping[str, Any], parameters: Mapping[str, Any], said: Said) -> list[str]:
    """The values of a call that nobody said, as `name=value`; those that its schema itself names are free."""
    return [
        f"{path}={value!r}"
        for path, value, schema in _leaves(arguments, {"properties": parameters}, "")
        if not said.has(value) and value not in _offered(schema)
    ]


def _leaves(value: Any, schema: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any, Mapping[str, Any]]]:
    if isinstance(value, Mapping):
        known = _mapping(schema.get("properties"))
        for name, inner in value.items():
            below = _mapping(known.get(name, schema.get("additionalProperties")))
            yield from _leaves(inner, below, f"{path}/{name}".lstrip("/"))
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, _mapping(schema.get("items")), path)
    else:
        yield path, value, schema


def _offered(schema: Mapping[str, Any]) -> list[Any]:
    """The values that a schema names."""
    own = [schema[k] for k in ("const", "default") if k in schema]
    below = (s for k in ("anyOf", "oneOf", "allOf") for s in schema.get(k, ()))
    return [*own, *schema.get("enum", ()), *(v for s in below for v in _offered(_mapping(s)))]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
