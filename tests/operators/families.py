"""The case tables of a domain: one for each family of its operators, in modules beside this one."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from dataflow.testing import Case


def cases_of(domain: str) -> list[Case]:
    """The cases in all `<domain>_<family>_cases.py`."""
    names = sorted(path.stem for path in Path(__file__).parent.glob(f"{domain}_*_cases.py"))
    return [case for name in names for case in import_module(name).CASES]
