"""Keeping programs that pass."""

from __future__ import annotations

from dataflow.core.outcome import shown
from dataflow.core.ports import In
from dataflow.core.rows import Filter
from dataflow.operators.code._rules import label


class CodeSandboxStatusFilter(Filter):
    """Keep programs that passed in the sandbox, as `CodeSandboxSampleEvaluator` wrote of them.

    The reason of a dropped row is what was written of its failure. A status that is null is dropped.
    """

    input_key = In("sandbox_status", "`PASS`, or something else")
    output_key = label("sandbox_filter_label")
    input_log_key = In(doc="why a program failed", optional=True)

    def keep(self, status: str, log: str | None) -> bool | tuple[bool, str]:
        return status == "PASS" or (False, f"failed: {shown(log)}" if log else f"status: {shown(status)}")
