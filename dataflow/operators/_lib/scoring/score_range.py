"""Keeping rows whose score lies within a range."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel


class ScoreRange(BaseModel):
    """Mixed into an evaluator, before it, this makes a filter of it: bounds are inclusive, a dropped row tells its score.

    The evaluator must ask `filters` and `keeps`, as `ModelScore` and `Judge` do.
    """

    kind: ClassVar[str] = "Filter"
    filters: ClassVar[bool] = True

    min_score: float
    """Lowest score kept."""
    max_score: float
    """Highest score kept."""

    def keeps(self, score: Any) -> bool:
        """Whether a row with that score stays."""
        return bool(self.min_score <= score <= self.max_score)
