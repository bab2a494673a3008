"""The answer extraction of open-dataflow 1.x under its own names, over that of this package."""
# ruff: noqa: N999

from __future__ import annotations

from dataflow.operators._lib.answers import extract
from dataflow.operators._lib.answers.measures import measured
from dataflow.operators._lib.answers.tidy import tidy

_UNITS_KEPT = frozenset(("carp_en", "minerva_math"))


class UnitTextManager:
    """Knows units of measure; only taken where a number stands before them."""

    def clean_units(self, text: str) -> str:
        """The text without its unit."""
        return measured(tidy(text))[0]


class StringCleaner:
    """Brings answers into one spelling."""

    def __init__(self, unit_manager: UnitTextManager | None = None) -> None:
        self.unit_manager = unit_manager or UnitTextManager()

    def strip_string(self, string: str, skip_unit: bool = False) -> str:
        """The answer in one spelling, without its unit unless `skip_unit`."""
        return tidy(string) if skip_unit else self.unit_manager.clean_units(string)


class AnswerExtractor:
    """Takes the final answer out of a solution."""

    def __init__(self, string_cleaner: StringCleaner | None = None) -> None:
        self.string_cleaner = string_cleaner or StringCleaner()

    def extract_answer(
        self, pred_str: str | None, data_name: str | None, use_last_number: bool = True
    ) -> str:
        """The final answer, cleaned; empty where there is none."""
        found = extract(pred_str, last_number=use_last_number) if pred_str else None
        return self.string_cleaner.strip_string(found.text, data_name in _UNITS_KEPT) if found else ""


__all__ = ["AnswerExtractor", "StringCleaner", "UnitTextManager"]
