"""Dates and amounts in texts written in one form by plain steps."""

from __future__ import annotations

import re
from datetime import date

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
FULL = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
NOTES = ["v", "ver", "version", "release", "build", "section", "chapter", "ip"]


def normal(text: str) -> str:
    """Dates with the name of a month in two passes, then those in numbers, then dollars."""
    for form in ("{month} {day}(?:, ?| ){year}", "{day}(?: of)? {month},? {year}"):
        pattern = form.format(
            month=r"([A-Za-z]+)(\.?)", day="([0-9]{1,2})(?:st|nd|rd|th)?", year="([0-9]{4})"
        )
        text = re.sub(pattern, _named, text)
    text = re.sub(r"([0-9]{1,2})([/.])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})", _numbered, text)
    return re.sub(
        r"(?:US)?\$([0-9][0-9,]*(?:\.[0-9]+)?(?:(?:k|m|bn?|K|M|Bn?|B)\b| (?:thousand|million|billion|trillion)\b)?)",
        _dollars,
        text,
    )


def _around(found: re.Match[str]) -> tuple[str, str]:
    return found.string[: found.start()], found.string[found.end() :]


def _outside(before: str, after: str) -> bool:
    """Whether a date may stand between these."""
    inside = re.search(r"[\w/-]$|[0-9][.,]$", before) or re.match(r"[\w/-]|[.,][0-9]", after)
    return not inside


def _named(found: re.Match[str]) -> str:
    parts = [g for g in found.groups() if g and g != "."]
    word = next(p for p in parts if p[0].isalpha())
    day, year = (int(p) for p in parts if p.isdigit())
    if not (word[0].isupper() and (word[1:].islower() or word.isupper()) and _outside(*_around(found))):
        return found[0]
    names = {**{m: n % 12 + 1 for n, m in enumerate([*MONTHS, *FULL])}, "sept": 9}
    return _date(year, names.get(word.lower(), 0), day) or found[0]


def _numbered(found: re.Match[str]) -> str:
    first, mark, second, year = found.groups()
    before, after = _around(found)
    if re.search(r"[\w./-]$", before) or re.match(r"[\w/-]|\.[\w/]", after):
        return found[0]
    word = re.search(r"([A-Za-z]+)\.? ?$|(§) ?$", before)
    noted = word and (word[2] or (word[1].lower() in NOTES and not re.search(r"\w$", before[: word.start()])))
    if mark == "." and (noted or (len(year) == 2 and (len(first), len(second)) != (2, 2))):
        return found[0]
    full = int(year) if len(year) == 4 else int(year) + (2000 if int(year) <= 68 else 1900)
    return _date(full, int(second), int(first)) or _date(full, int(first), int(second)) or found[0]


def _date(year: int, month: int, day: int) -> str:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return ""


def _dollars(found: re.Match[str]) -> str:
    before, after = _around(found)
    groups = re.match("[0-9,]*", found[1])[0].split(",")  # type: ignore[index]
    grouped = len(groups) == 1 or (len(groups[0]) in (1, 2, 3) and all(len(g) == 3 for g in groups[1:]))
    if not grouped or re.search(r"[\w$]$", before) or re.match(r"[\w$]|[.,][0-9]", after):
        return found[0]
    return f"{found[1]} USD"
