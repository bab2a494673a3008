"""What each operator of code must do, as cases."""

from __future__ import annotations

from families import cases_of

CASES = cases_of("code")
