"""What each operator of general_text must do, as cases: the tables of all families together."""

from __future__ import annotations

from general_text_model_cases import CASES as MODEL_CASES
from general_text_word_cases import CASES as WORD_CASES

from dataflow.testing import Case

CASES: list[Case] = [*WORD_CASES, *MODEL_CASES]
