"""What each operator of general_text must do, as cases: the tables of all families together."""

from __future__ import annotations

from general_text_character_cases import CASES as CHARACTER_CASES
from general_text_line_cases import CASES as LINE_CASES
from general_text_phrase_cases import CASES as PHRASE_CASES
from general_text_word_cases import CASES as WORD_CASES

from dataflow.testing import Case

CASES: list[Case] = [*WORD_CASES, *LINE_CASES, *CHARACTER_CASES, *PHRASE_CASES]
