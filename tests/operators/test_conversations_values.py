"""Whether the values of a call were said: in these words, or as another form of the same."""

from __future__ import annotations

from typing import Any

import pytest

from dataflow.operators.conversations._grounding import Said, unsaid

SAID = (
    "I need two hundred and five tiles, 1,200 screws and 3.5 kg of glue by the 3rd of May 2026, at 2:30 pm. My number is "
    "+49 (228) 123-4567, write to Ann.Lee@mail.example. Ship the blue shirts to 12 Elm Street; a discount of 15% applies. "
    "我在北京工作。 It costs 2 million, or 50k. Frühstück am 7. 9. 2027."
)


@pytest.mark.parametrize(
    "value",
    [
        205, "205", 1200, "1200", 3.5, "3.5 kg", "2026-05-03", "14:30", "2026-05-03T14:30", "2:30 PM", 0.15, 15, "15%",
        "+492281234567", "(228) 123 4567", "ann.lee@mail.example", "BLUE SHIRT", "blue_shirts", "12 Elm Street",
        "Elm Street 12", "北京", 2_000_000, 50_000, "May", True, None, "", "FRÜHSTÜCK", "2027-09-07", "the tiles",
    ],
)  # fmt: skip
def test_values_that_were_said(value: Any) -> None:
    assert Said([SAID]).has(value)


@pytest.mark.parametrize(
    "value",
    [
        206, "206", 3.6, "2026-05-04", "2025-05-03", "2026-06-03", "2026-13-03", "14:31", "02:30", "2026-05-03T15:30",
        "+492281234568", "ann.lee@mail.test", "red shirt", "13 Elm Street", "上海", "Elm Avenue", "El", "!", "shirtless", 0.2,
    ],
)  # fmt: skip
def test_values_that_were_not_said(value: Any) -> None:
    assert not Said([SAID]).has(value)


def test_values_inside_of_values() -> None:
    parameters = {
        "when": {"type": "object", "properties": {"day": {"enum": ["mon"]}, "slot": {"anyOf": [{"const": 9}, {"type": "string"}]}}},
        "tags": {"type": "array", "items": {"enum": ["urgent"]}},
        "unit": {"type": "string", "default": "metric"},
    }  # fmt: skip
    good = {"when": {"day": "mon", "slot": 9}, "tags": ["urgent", "tile"], "unit": "metric"}
    bad = {"when": {"day": "tue", "slot": 8}, "tags": ["late"], "unit": "imperial", "other": {"x": ["y"]}}
    said = Said(["tiles"])
    assert unsaid(good, parameters, said) == []
    assert unsaid(bad, parameters, said) == [
        "when/day='tue'",
        "when/slot=8",
        "tags='late'",
        "unit='imperial'",
        "other/x='y'",
    ]
