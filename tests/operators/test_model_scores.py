"""Operators that score by models: their cases and promises, and their scores against ones worked out row by row."""

from __future__ import annotations

from typing import Any

import general_text_model_cases
import pytest
import text_pt_scored_cases
import text_sft_scored_cases

from dataflow.core.operator import Operator
from dataflow.testing import Case, check_operator

TABLES = (general_text_model_cases, text_pt_scored_cases, text_sft_scored_cases)
CASES: list[Case] = [case for table in TABLES for case in table.CASES]
FIRST = list({type(c.op): c for c in reversed(CASES)}.values())


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_case(case: Case) -> None:
    case.check()


@pytest.mark.parametrize("case", FIRST, ids=lambda c: c.name)
def test_promises(case: Case) -> None:
    case.check()  # makes the model
    assert isinstance(case.op, Operator)
    keys: dict[str, Any] = dict(case.keys)
    check_operator(case.op, **keys)
