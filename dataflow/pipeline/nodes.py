"""The steps of a plan under the names that open-dataflow 1.x gave them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dataflow.plan.plan import Plan


@dataclass(frozen=True)
class KeyNode:
    """A column, as the parameter of a step names it."""

    key_para_name: str
    key: str


@dataclass(frozen=True)
class OperatorNode:
    """A step: its operator, its storage, and the columns it reads and writes."""

    op_obj: Any
    op_name: str
    storage: Any = None
    llm_serving: Any = None
    input_keys: list[str] = field(default_factory=list)
    output_keys: list[str] = field(default_factory=list)
    input_key_nodes: dict[str, KeyNode] = field(default_factory=dict)
    output_key_nodes: dict[str, KeyNode] = field(default_factory=dict)


def nodes_of(plan: Plan) -> list[OperatorNode]:
    """All steps of the last flow, between `DATASET-INPUT` and `DATASET-OUTPUT`."""
    flow = plan.flows[-1]
    steps = []
    for call in flow.calls:
        reads = {c: KeyNode(p, c) for p, c in call.binding.columns_read()}
        writes = {c: KeyNode(p, c) for p, c in call.binding.writes.items()}
        serving = getattr(call.operator, "llm_serving", None)
        steps.append(
            OperatorNode(
                call.operator, call.name, flow.storage, serving, list(reads), list(writes), reads, writes
            )
        )
    first = OperatorNode(None, "DATASET-INPUT", flow.storage, output_keys=list(flow.source.schema))
    last = OperatorNode(None, "DATASET-OUTPUT", flow.storage, input_keys=list(flow.schema))
    return [first, *steps, last]
