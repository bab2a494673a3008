"""Solutions whose answer stands in a box."""

from __future__ import annotations

from dataflow.core.ports import In
from dataflow.core.rows import Filter
from dataflow.operators._lib.answers import box_fault


class ReasoningAnswerFormatterFilter(Filter):
    """Keep solutions that put their final answer into `\\boxed{…}`.

    The last box counts: its braces must close, and something must stand in it. The reasons are `no box`, `empty box` and
    `unclosed box`. A box within the thoughts of a `<think>` part is no answer.
    """

    input_key = In("generated_cot", "the solution")

    def keep(self, solution: str) -> bool | tuple[bool, str]:
        fault = box_fault(solution)
        return (False, fault) if fault else True
