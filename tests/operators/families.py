"""The case tables of a domain: one for each family of its operators, in modules beside this one."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

from dataflow.testing import Case


def cases_of(domain: str) -> list[Case]:
    """The cases in all `<domain>_<family>_cases.py`."""
    return [case for family in _families(domain) for case in family.CASES]


def files_of(domain: str) -> dict[str, str]:
    """The files that must lie in the working directory when those are run."""
    return {name: text for family in _families(domain) for name, text in getattr(family, "FILES", {}).items()}


def _families(domain: str) -> Iterator[ModuleType]:
    names = sorted(path.stem for path in Path(__file__).parent.glob(f"{domain}_*_cases.py"))
    return map(import_module, names)
