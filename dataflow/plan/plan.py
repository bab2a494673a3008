"""The plan: the checked steps of a pipeline, cut into stages, ready to be explained or run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from dataflow.core.frames import type_name
from dataflow.plan.fingerprint import digest, of_call
from dataflow.plan.trace import Call

LAYOUT = 1
"""Raised when what is kept on disk for a stage changes its form."""


@dataclass(frozen=True)
class Stage:
    """Neighbouring steps that rows stream through together, or one step that needs the whole table."""

    number: int
    calls: tuple[Call, ...]
    streams: bool
    fingerprint: str

    @property
    def calls_models(self) -> bool:
        return any(c.op is not None and c.op.calls_models for c in self.calls)


@dataclass
class Flow:
    """One storage's way through a pipeline: where rows come from, and the stages they pass."""

    storage: Any
    source: Any
    calls: list[Call]
    schema: pl.Schema
    """The table that comes out."""
    first_step: int = 0
    stages: list[Stage] = field(default_factory=list)

    def cut(self, *extra: Any) -> None:
        """Cut the steps into stages, each with the fingerprint of all that decides its rows."""
        self.stages, last = [], digest(LAYOUT, self.source.fingerprint, *extra)
        for streams, calls in _groups(self.calls):
            last = digest(last, [of_call(c) for c in calls])
            self.stages.append(Stage(len(self.stages) + 1, tuple(calls), streams, last))


def _groups(calls: Sequence[Call]) -> Iterator[tuple[bool, list[Call]]]:
    gathered: list[Call] = []
    for call in calls:
        streams = call.op is not None and call.op.streams
        if gathered and (not streams or (call.op is not None and call.op.makes_rows)):
            yield True, gathered
            gathered = []
        if streams:
            gathered.append(call)
        else:
            yield False, [call]
    if gathered:
        yield True, gathered


@dataclass
class Plan:
    """What a pipeline will do. `str(plan)` explains it; nothing of it has run."""

    pipeline: str
    flows: list[Flow]
    estimate: dict[int, dict[str, Any]] = field(default_factory=dict)
    """Calls, tokens, cost and rows expected of each step of the last flow, after a preview."""

    @property
    def calls(self) -> list[Call]:
        return [c for f in self.flows for c in f.calls]

    def to_dict(self) -> dict[str, Any]:
        return {
            "pipeline": self.pipeline,
            "flows": [_flow_dict(f) for f in self.flows],
            "estimate": self.estimate,
        }

    def steps(self) -> list[dict[str, Any]]:
        """Each step as a dict for drawing: step, operator, kind, stage, reads, writes."""
        return [s for f in self.flows for stage in f.stages for s in _steps(stage)]

    def __str__(self) -> str:
        lines = [f"{self.pipeline}"]
        for flow in self.flows:
            lines += [f"  source   {_source_line(flow)}"]
            for stage in flow.stages:
                lines.append(f"  stage {stage.number}  {_stage_kind(stage)}")
                lines += [_call_line(c, flow, self.estimate.get(c.step, {})) for c in stage.calls]
            lines.append(f"  output   {_output(flow)}  ({_columns(flow.schema)})")
        return "\n".join(lines + self._expected())

    def _expected(self) -> list[str]:
        if not self.estimate:
            return ["  calls, tokens, cost and time: preview a few rows to have them estimated"]
        total = {
            k: sum(e.get(k, 0) for e in self.estimate.values())
            for k in ("calls", "prompt_tokens", "completion_tokens", "cost", "seconds")
        }
        tokens = total["prompt_tokens"] + total["completion_tokens"]
        return [
            f"  expected {total['calls']:,.0f} calls, {tokens:,.0f} tokens, ${total['cost']:,.2f}, "
            f"about {total['seconds']:,.0f} s of model time (estimated from a preview)"
        ]


def _stage_kind(stage: Stage) -> str:
    if not stage.streams:
        return "needs the whole table"
    return "rows stream through, model calls overlap" if stage.calls_models else "rows stream through"


def _source_line(flow: Flow) -> str:
    name = (
        str(getattr(flow.storage, "first_entry_file_name", "") or "")
        if not flow.first_step
        else _output(flow, flow.first_step)
    )
    return f"{name or 'no input'}: {flow.source.height:,} rows  ({_columns(flow.source.schema)})"


def _columns(schema: pl.Schema) -> str:
    return ", ".join(f"{k}: {type_name(v)}" for k, v in schema.items()) or "no columns"


def _output(flow: Flow, step: int | None = None) -> str:
    step = flow.calls[-1].step if step is None and flow.calls else step or 0
    return str(flow.storage.path_of(step)) if hasattr(flow.storage, "path_of") else f"step {step}"


def _call_line(call: Call, flow: Flow, expected: dict[str, Any]) -> str:
    reads = ", ".join(c for _, c in call.binding.columns_read()) or "-"
    writes = ", ".join(call.binding.writes.values()) or "-"
    line = f"    {call.step:>2}  {call.name:<28} {reads} -> {writes}"
    if not expected:
        most = (
            f"{flow.source.height:,}"
            if call.step == flow.first_step + 1 and flow.source.height
            else "each row"
        )
        return line + (
            f"   [calls a model for {most}]" if call.op is not None and call.op.calls_models else ""
        )
    rows = f"   [{expected['rows_in']:,.0f} -> {expected['rows_out']:,.0f} rows"
    calls = f", {expected['calls']:,.0f} calls, ${expected['cost']:,.4f}" if expected.get("calls") else ""
    return line + rows + calls + "]"


def _steps(stage: Stage) -> list[dict[str, Any]]:
    return [
        {
            "step": c.step, "operator": c.name, "kind": c.op.kind if c.op else "free form", "stage": stage.number,
            "reads": {k: v for k, v in c.binding.reads.items() if v}, "writes": dict(c.binding.writes),
        }
        for c in stage.calls
    ]  # fmt: skip


def _flow_dict(flow: Flow) -> dict[str, Any]:
    return {
        "source": {"name": str(getattr(flow.storage, "first_entry_file_name", "")), "rows": flow.source.height,
                   "columns": {k: type_name(v) for k, v in flow.source.schema.items()}},
        "stages": [{"number": s.number, "streams": s.streams, "fingerprint": s.fingerprint, "steps": _steps(s)} for s in flow.stages],
        "output": {"path": _output(flow), "columns": {k: type_name(v) for k, v in flow.schema.items()}},
    }  # fmt: skip
