"""What each operator of general_text must do, as cases: the tables of all families, which lie beside this one."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from dataflow.testing import Case

FAMILIES = sorted(path.stem for path in Path(__file__).parent.glob("general_text_*_cases.py"))
CASES: list[Case] = [case for family in FAMILIES for case in import_module(family).CASES]
FILES: dict[str, str] = {
    name: text for family in FAMILIES for name, text in getattr(import_module(family), "FILES", {}).items()
}
"""The files that must lie in the working directory when the cases are run."""
