"""What each operator of text_pt must do, as cases: the tables of all families together."""

from __future__ import annotations

from text_pt_model_cases import CASES as MODEL_CASES

from dataflow.testing import Case

CASES: list[Case] = [*MODEL_CASES]
