"""Values that a column of a name and type could have."""

from __future__ import annotations

import random
from typing import Any

from dataflow.databases.schema import Column

NAMES = ["Ada", "Ben", "Chen", "Dora", "Emil", "Fatima", "Goran", "Hana", "Ivan", "Jun"]
SURNAMES = ["Abbott", "Brown", "Costa", "Dubois", "Ericsson", "Fischer", "Garcia", "Haddad", "Ito", "Jones"]
PLACES = ["Aarhus", "Bergen", "Cork", "Delft", "Evora", "Fresno"]
COUNTRIES = ["France", "Japan", "Brazil", "Kenya", "Norway", "Canada"]
WORDS = ["amber", "birch", "cedar", "delta", "ember", "fjord"]
NUMBERS = {
    "age": (4, 70),
    "year": (1985, 2018),
    "percent": (0, 100),
    "grade": (9, 12),
    "rank": (1, 30),
    "capacity": (500, 60_000),
    "population": (10_000, 50_000_000),
    "weight": (10, 4000),
    "height": (150, 210),
}


def value_for(column: Column, sought: list[Any], place: int, rng: random.Random) -> Any:
    """A value, in half the cases one that queries look for; a null now and then where nulls may be."""
    if column.nullable and rng.random() < 0.02:
        return None
    if sought and rng.random() < 0.5:
        return rng.choice(sought)
    if column.type in ("INTEGER", "REAL"):
        return _number(column, sought, rng)
    if column.type == "DATETIME":
        return f"{rng.randrange(2008, 2019)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02} {rng.randrange(24):02}:00:00"
    if column.type == "BOOL":
        return rng.randrange(2)
    return _text(column.name.lower(), place, rng)


def _number(column: Column, sought: list[Any], rng: random.Random) -> float:
    numbers = [float(value) for value in sought if isinstance(value, int | float)]
    name = column.name.lower()
    low, high = next((ends for word, ends in NUMBERS.items() if word in name), (1, 300))
    if numbers:
        low, high = int(min(numbers) * 0.6), int(max(numbers) * 1.4) + 2
    return rng.randint(low, high) if column.type == "INTEGER" else round(rng.uniform(low, high), 2)


def _text(name: str, place: int, rng: random.Random) -> str:
    if "email" in name:
        return f"{rng.choice(NAMES).lower()}{place}@example.com"
    if "phone" in name or "number" in name:
        return f"555-{rng.randrange(10_000):04}"
    if "date" in name or name == "created":
        return f"{rng.randrange(2008, 2019)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}"
    if "year" in name:
        return str(rng.randrange(1985, 2018))
    if name == "age" or "weight" in name or "mpg" in name or "horsepower" in name:
        return str(rng.randrange(4, 200))
    if "last" in name or name == "lname":
        return rng.choice(SURNAMES)
    if "first" in name or name == "fname":
        return rng.choice(NAMES)
    if "name" in name:
        return f"{rng.choice(NAMES)} {rng.choice(SURNAMES)}"
    if "city" in name or "town" in name or "location" in name:
        return rng.choice(PLACES)
    if "country" in name or "national" in name or "citizen" in name:
        return rng.choice(COUNTRIES)
    return f"{name.split('_')[0]} {rng.choice(WORDS)}"
