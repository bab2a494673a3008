"""The operators of core_text: their cases, their promises, and the faults that they must not have."""

from __future__ import annotations

import pytest

from core_text_cases import CASES
from dataflow.testing import Case


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_case(case: Case) -> None:
    case.check()
