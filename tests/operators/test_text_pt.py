"""The operators of text_pt: their cases and their promises."""

from __future__ import annotations

import importlib

import pytest
from text_pt_cases import CASES

from dataflow.core.operator import OperatorABC
from dataflow.testing import Case


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_case(case: Case) -> None:
    case.check()


def test_every_operator_has_a_case() -> None:
    package = importlib.import_module("dataflow.operators.text_pt")
    named = [n for n in package.__all__ if issubclass(getattr(package, n), OperatorABC)]
    without = sorted(set(named) - {c.name for c in CASES})
    assert not without, f"add cases of {', '.join(without)}"
