"""What each operator of text_pt must do, as cases: the tables of all families together."""

from __future__ import annotations

from text_pt_duplicate_cases import CASES as DUPLICATE_CASES

from dataflow.testing import Case

CASES: list[Case] = [*DUPLICATE_CASES]
