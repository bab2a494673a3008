"""What each operator of reasoning must do, as cases."""

from __future__ import annotations

from families import cases_of, files_of

CASES = cases_of("reasoning")
FILES = files_of("reasoning")
