"""What each operator of general_text must do, as cases."""

from __future__ import annotations

from families import cases_of, files_of

CASES = cases_of("general_text")
FILES = files_of("general_text")
