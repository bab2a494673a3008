"""The start of a pipeline over questions, of which some have a known answer."""

from __future__ import annotations

from typing import Any, ClassVar

from dataflow.core.frames import as_text
from dataflow.core.ports import In, NoPort, Out
from dataflow.core.rows import Map
from dataflow.operators._lib.answers import extract


class ReasoningAnswerPipelineRootFilter(Map):
    """Put the final answer of a solution in as ground truth where that is missing; all rows are kept.

    A ground truth that is there stays, as text. A null or blank one is taken from the solution as
    `ReasoningAnswerExtractionQwenMathEvalGenerator` does, and is null where the solution has no answer either, so that
    later steps can tell the two kinds of rows apart: `ReasoningAnswerGroundTruthFilter` does the ones, and
    `ReasoningPseudoAnswerGenerator` is for the others.
    """

    accepts_none: ClassVar[bool] = True

    use_last_number: bool = True
    """Whether the last number of a solution stands in where nothing marks an answer."""

    input_answer_key = In("output", "the solution")
    input_gt_key = In("golden_answer", "the ground truth, as far as it is known", type="any")
    output_key = Out(doc="where the ground truth goes; the column read, unless named", like="input_gt_key")
    input_key = NoPort()  # type: ignore[assignment]

    def map(self, solution: Any, truth: Any) -> str | None:
        if truth is not None and as_text(truth).strip():
            return as_text(truth)
        found = extract(as_text(solution), last_number=self.use_last_number) if solution is not None else None
        return found.text if found else None
