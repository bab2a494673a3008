"""Answers that enough solutions agree on."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from dataflow.core.errors import RowError
from dataflow.core.frames import as_text
from dataflow.core.ports import In
from dataflow.core.rows import Filter, Verdict


class ReasoningAnswerAgreementFilter(Filter):
    """Keep answers that enough of the solutions of a question agree on, where no ground truth decides.

    Self-consistency as a filter (arXiv 2203.11171): what a model always answers is mostly right, though not surely. A row with a
    ground truth stays, for it was compared with that; any other is dropped below the bound, or as `null` where no
    agreement is known.
    """

    accepts_none: ClassVar[bool] = True
    measured: ClassVar[str] = "agreement"

    min_agreement: float = Field(0.6, ge=0, le=1)
    """Lowest share of solutions, 0 to 1, that came to the answer."""

    input_key = In("agreement", "the share of solutions that came to the answer", type="number")
    input_gt_answer_key = In(None, "the ground truth, as far as it is known", type="any", optional=True)

    def keep(self, agreement: Any, truth: Any) -> Verdict:
        if truth is not None and as_text(truth).strip():
            return True, ""
        if agreement is None or agreement != agreement:
            return False, "null"
        if isinstance(agreement, bool) or not isinstance(agreement, (int, float)):
            raise RowError(f"the agreement {agreement!r} is not a number")
        return self.keeps(agreement), f"disagreed: {agreement:.3g}", float(agreement)

    def keeps(self, measure: Any) -> Any:
        return measure >= self.min_agreement
