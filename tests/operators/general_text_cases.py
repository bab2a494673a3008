"""What each operator of general_text must do, as cases: the tables of all families together."""

from __future__ import annotations

from general_text_score_cases import CASES as SCORE_CASES
from general_text_word_cases import CASES as WORD_CASES

from dataflow.testing import Case

CASES: list[Case] = [*SCORE_CASES, *WORD_CASES]
