"""The operators of text2sql: their cases, their promises, and the faults that they must not have."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from text2sql_cases import CASES

from dataflow.core.operator import Operator, OperatorABC
from dataflow.testing import Case, check_operator


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_case(case: Case) -> None:
    case.check()


def test_every_operator_has_a_case() -> None:
    package = importlib.import_module("dataflow.operators.text2sql")
    named = [n for n in package.__all__ if issubclass(getattr(package, n), OperatorABC)]
    without = sorted(set(named) - {c.name for c in CASES})
    assert not without, f"add cases of {', '.join(without)} to text2sql_cases.py"


def first_cases() -> list[tuple[Operator, dict[str, Any]]]:
    first = {type(c.op): (c.op, dict(c.keys)) for c in reversed(CASES) if isinstance(c.op, Operator)}
    return list(first.values())


@pytest.mark.parametrize(
    ("op", "keys"), first_cases(), ids=lambda v: type(v).__name__ if isinstance(v, Operator) else ""
)
def test_promises(op: Operator, keys: dict[str, Any]) -> None:
    check_operator(op, **keys)
