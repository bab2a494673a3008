"""What each operator of text_sft must do, as cases."""

from __future__ import annotations

from families import cases_of

CASES = cases_of("text_sft")
