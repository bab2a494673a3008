"""What each operator of general_text must do, as cases: the tables of all families together."""

from __future__ import annotations

from general_text_extract_cases import CASES as EXTRACT_CASES
from general_text_extract_cases import FILES
from general_text_web_cases import CASES as WEB_CASES
from general_text_word_cases import CASES as WORD_CASES

from dataflow.testing import Case

CASES: list[Case] = [*WORD_CASES, *WEB_CASES, *EXTRACT_CASES]

__all__ = ["CASES", "FILES"]
