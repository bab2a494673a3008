"""What each operator of text_sft must do, as cases: the tables of all families together."""

from __future__ import annotations

from text_sft_model_cases import CASES as MODEL_CASES

from dataflow.testing import Case

CASES: list[Case] = [*MODEL_CASES]
