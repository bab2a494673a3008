"""What each operator of text_pt must do, as cases."""

from __future__ import annotations

from families import cases_of

CASES = cases_of("text_pt")
