"""Sentences with names of people, places, days and sums that the small model knows, and their labels in their place.

`python tests/operators/golden_entities.py` writes both to `golden_entities.json`. The model is statistical: these are
sentences of which there is no doubt. Not held: sums in `$` or euros, of which it may leave the sign or the
word; names that are words.
"""

from __future__ import annotations

import json
from pathlib import Path

FILE = Path(__file__).with_name("golden_entities.json")
PEOPLE = ["Barack Obama", "Angela Merkel", "Albert Einstein", "Bill Clinton", "George Washington", "Marie Curie", "Nelson Mandela", "John Smith", "Mary Johnson", "David Miller"]  # fmt: skip
PLACES = ["France", "Germany", "Chicago", "London", "Japan", "Canada", "Boston", "Italy", "Moscow", "Texas"]
DAYS = ["Monday", "Friday", "March 3, 2012", "July 4"]
TIMES = ["1999", "2003", "June 2015"]
SUMS = ["5 million dollars", "20 dollars", "2 million dollars"]
FIRMS = ["Microsoft", "IBM", "the United Nations", "Google", "General Motors", "the World Bank"]
FORMS = [
    ("{} was born in {}.", PEOPLE, "PERSON", PLACES, "GPE"),
    ("{} went to {} by train.", PEOPLE, "PERSON", PLACES, "GPE"),
    ("It rained in {} on {}.", PLACES, "GPE", DAYS, "DATE"),
    ("{} paid {} for the house.", PEOPLE, "PERSON", SUMS, "MONEY"),
    ("He worked for {} in {}.", FIRMS, "ORG", PLACES, "GPE"),
    ("{} met the others in {}.", PEOPLE, "PERSON", TIMES, "DATE"),
]
STAYS = [
    "Nobody answered, and so they went home.",
    "it is so",
    "The cat sat on the mat.",
    "How are you?",
    "",
    " ",
    "x = y;",
]


def table() -> list[dict[str, str]]:
    made = {
        form.format(first, second): form.format(f"[{label}]", f"[{other}]")
        for form, firsts, label, seconds, other in FORMS
        for first in firsts
        for second in seconds
    } | {text: text for text in STAYS}
    return [{"text": text, "made": new} for text, new in made.items()]


if __name__ == "__main__":
    rows = [json.dumps(row, ensure_ascii=True) for row in table()]
    FILE.write_text("[\n" + ",\n".join(rows) + "\n]\n", "utf-8")
