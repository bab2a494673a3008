"""Solutions that come to the known answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import polars as pl
from pydantic import Field

from dataflow.core.frames import as_text
from dataflow.core.outcome import Outcome
from dataflow.core.ports import Binding, In, NoPort
from dataflow.core.rows import Filter, outcome
from dataflow.operators._lib.answers import Comparison, Verdict, compare_all, extract, is_number

Outcomes = list[bool | tuple[bool, str]]
NO_TRUTH, NO_ANSWER = "no ground truth", "no answer"


class ReasoningAnswerGroundTruthFilter(Filter):
    """Keep solutions whose final answer is the ground truth, as a value and not as text.

    The answer is taken out of the solution as `ReasoningAnswerExtractionQwenMathEvalGenerator` does; its last number counts
    only where the ground truth is a number. So is the ground truth, where it is itself a solution. `x^2+1` equals
    `1+x^2`, `(A)` equals `A`, sets have no order, and a unit, a name (`x =`) or a percent sign that only one of the two
    has makes no difference. A row is dropped as `different: …`; as `unreadable: …` where one of the two cannot be read as
    mathematics, and as `timeout: …` where they could not be compared in time: neither is known to be wrong. Processes of
    their own compare what is hard, on all cores.

    Raises:
        MissingDependency: math-verify is not installed.
    """

    accepts_none: ClassVar[bool] = True

    compare_method: Literal["math_verify", "exact"] = "math_verify"
    """As mathematics, or as text."""
    keep_without_ground_truth: bool = False
    """Whether rows stay that have no ground truth, such as synthesised questions; else dropped as `no ground truth`."""
    keep_undecided: bool = False
    """Whether rows stay whose answer cannot be read or compared in time."""
    timeout_s: float = Field(5, gt=0)
    """CPU seconds that a comparison may take."""

    input_key = NoPort()  # type: ignore[assignment]
    input_test_answer_key = In("generated_cot", "the solution", type="any")
    input_gt_answer_key = In("golden_answer", "the ground truth", type="any")

    def keep(self, solution: Any, truth: Any) -> bool | tuple[bool, str]:
        return self.verdicts([(solution, truth)])[0]

    def transform(self, frame: pl.DataFrame, binding: Binding) -> Outcome:
        verdicts = self.verdicts(self.cells(frame, binding))
        return outcome(frame, verdicts, lambda kept, done: self._divide(kept, binding, done))

    def verdicts(self, rows: Sequence[tuple[Any, ...]]) -> Outcomes:
        """Which rows stay, and why the others do not."""
        decided: dict[int, bool | tuple[bool, str]] = {}
        pairs: dict[int, tuple[str, str]] = {}
        for i, (solution, truth) in enumerate(rows):
            if truth is None or not as_text(truth).strip():
                decided[i] = self.keep_without_ground_truth or (False, NO_TRUTH)
            elif solution is None:
                decided[i] = (False, "null")
            elif (pair := answers(as_text(truth), as_text(solution))) is None:
                decided[i] = (False, NO_ANSWER)
            else:
                pairs[i] = pair
        decided |= zip(pairs, map(self._verdict, self._compared(list(pairs.values()))), strict=True)
        return [decided[i] for i in range(len(rows))]

    def _compared(self, pairs: list[tuple[str, str]]) -> list[Comparison]:
        if self.compare_method == "math_verify":
            return compare_all(pairs, self.timeout_s)
        return [
            Comparison(Verdict.EQUAL if t.strip() == a.strip() else Verdict.DIFFERENT, f"{t} and {a}")
            for t, a in pairs
        ]

    def _verdict(self, made: Comparison) -> bool | tuple[bool, str]:
        if made.decided:
            return made.equal or (False, f"different: {made.detail}")
        rule = "timeout" if made.verdict is Verdict.TIMEOUT else "unreadable"
        return self.keep_undecided or (False, f"{rule}: {made.detail}")


def answers(truth: str, solution: str) -> tuple[str, str] | None:
    """The two answers to compare; null where the solution has none."""
    told = extract(truth, last_number=False)
    wanted = told.text if told else truth
    found = extract(solution, last_number=is_number(wanted))
    if found is None and len(solution) <= max(80, 2 * len(wanted)):
        return wanted, solution
    return (wanted, found.text) if found else None
