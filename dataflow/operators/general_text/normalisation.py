"""The refiner that writes dates and amounts in one form."""

from __future__ import annotations

import re
from datetime import date

from dataflow.operators._lib.text_refiner import TextRefiner

NAMES = [
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
]  # fmt: skip
MONTHS = {name[:n]: i + 1 for i, name in enumerate(NAMES) for n in (3, len(name))} | {"sept": 9}
# what must not come before is asked after the first character, by which the search then skips ahead
FREE = r"(?<![\w/-].)(?<![0-9][.,].)"
MONTH = r"(?:[a-z]{2,8}|[A-Z]{2,8})\b\.?"
YEAR = r"(?P<year>[0-9]{4})(?![\w/-]|[.,][0-9])"
NAMED = (
    re.compile(rf"(?P<month>[ADFJMNOS]{FREE}{MONTH}) (?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?(?:, ?| ){YEAR}"),
    re.compile(rf"(?P<day>[0-9]{FREE}[0-9]?)(?:st|nd|rd|th)?(?: of)? (?P<month>[ADFJMNOS]{MONTH}),? {YEAR}"),
)
NUMERIC = re.compile(r"([0-9](?<![\w./-].)[0-9]?)([/.])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})(?![\w/-]|\.[\w/])")
VERSION = re.compile(r"(?:\b(?:v|ver|version|release|build|section|chapter|ip)\.?|§) ?$", re.IGNORECASE)
AMOUNT = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?(?:(?:k|m|bn?|K|M|Bn?|B)\b| (?:thousand|million|billion|trillion)\b)?"
MONEY = re.compile(rf"(?<![\w$])(?:US)?\$({AMOUNT})(?![\w$]|[.,][0-9])")


class TextNormalizationRefiner(TextRefiner):
    """Write dates as `2024-03-05` (ISO 8601), and dollars as `1,000.50 USD`.

    Dates are `15/3/2024`, `15.03.24`, `March 15, 2024`, `15th of March 2024` and the like, and only such as the
    calendar has. A year of two digits lies between 1969 and 2068. Versions and IP addresses stay: with dots and a
    year of two digits, day and month must have two as well, and no word such as `version` may come before.
    Dollars of other countries (`A$5`) stay.
    """

    day_first: bool = True
    """Whether `4/3/2024` is the 4th of March, or else April 3rd; a date that cannot be so is read the other way round."""

    def map(self, text: str) -> str:
        for form in NAMED:
            text = form.sub(_named, text)
        text = NUMERIC.sub(self._numeric, text)
        return MONEY.sub(r"\1 USD", text) if "$" in text else text

    def _numeric(self, found: re.Match[str]) -> str:
        first, mark, second, year = found.groups()
        padded = len(first) == len(second) == 2
        if mark == "." and (
            (len(year) == 2 and not padded)
            or VERSION.search(found.string[max(0, found.start() - 10) : found.start()])
        ):
            return found[0]
        full = int(year) + (0 if len(year) == 4 else 2000 if int(year) < 69 else 1900)
        day, month = (first, second) if self.day_first else (second, first)
        return _iso(full, int(month), int(day)) or _iso(full, int(day), int(month)) or found[0]


def _named(found: re.Match[str]) -> str:
    month = MONTHS.get(found["month"].rstrip(".").lower(), 0)
    return _iso(int(found["year"]), month, int(found["day"])) or found[0]


def _iso(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None
