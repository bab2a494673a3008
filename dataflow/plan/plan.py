"""The plan: the checked steps of a pipeline, cut into stages, ready to be explained or run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from dataflow.core.frames import type_name
from dataflow.core.merge import Merge
from dataflow.core.rows import Filter
from dataflow.core.tables import Dataset, Summary
from dataflow.plan.estimate import Estimate
from dataflow.plan.fingerprint import digest, of_call
from dataflow.plan.optimise import Rewritten, Wave, needed, rewritten
from dataflow.plan.trace import Call

LAYOUT = 2
"""Raised when what is kept on disk for a stage changes its form."""


@dataclass(frozen=True)
class Stage:
    """Neighbouring steps that rows stream through together, or one step that needs whole tables."""

    number: int
    inputs: tuple[int, ...]
    """The stages whose tables it reads, 0 being the source."""
    waves: tuple[Wave, ...]
    """The steps in the order in which they run; those of one wave run at the same time."""
    streams: bool
    fingerprint: str
    aside: frozenset[str] | None = None
    """The columns that its steps read or write, where the others need not travel with the rows."""

    @property
    def calls(self) -> tuple[Call, ...]:
        """The steps in the order in which they run."""
        return tuple(c for wave in self.waves for c in wave)

    @property
    def written(self) -> tuple[Call, ...]:
        """The steps in the order in which the pipeline has them."""
        return tuple(sorted(self.calls, key=lambda c: c.step))

    @property
    def table(self) -> int:
        """The number of the table that comes out."""
        return self.written[-1].step

    @property
    def calls_models(self) -> bool:
        return any(c.op is not None and c.op.calls_models for c in self.calls)


@dataclass
class Flow:
    """One storage's way through a pipeline: where rows come from, and the stages they pass."""

    storage: Any
    source: Any
    calls: list[Call]
    tables: dict[int, pl.Schema]
    """The columns of each table, by its number."""
    first_step: int = 0
    stages: list[Stage] = field(default_factory=list)
    rewrites: list[str] = field(default_factory=list)
    """What the optimiser did, a sentence each."""

    @property
    def schema(self) -> pl.Schema:
        """The table that comes out."""
        return self.tables[self.calls[-1].step if self.calls else self.first_step]

    def cut(self, rewrites: Collection[str] = (), *extra: Any, begun: int | None = None) -> None:
        """Cut the steps into stages, each with the fingerprint of all that decides its rows.

        Stages that stream the source's rows can be given more of them; only what comes after depends on how many
        have been `begun`, where not all are.
        """
        self.stages, self.rewrites = [], []
        prints = {0: digest(LAYOUT, self.source.fingerprint, *extra)}
        made_by = {self.first_step: 0}
        for number, (streams, calls) in enumerate(_groups(self.calls), 1):
            done = rewritten(calls, rewrites) if streams else Rewritten(tuple((c,) for c in calls))
            inputs = tuple(made_by[t] for t in calls[0].inputs)
            what = [of_call(c) for c in calls]  # as the pipeline has them: rewrites change no row
            grown = [] if begun is None or (streams and inputs == (0,)) else [begun]
            prints[number] = digest([prints[i] for i in inputs], what, *grown)
            aside = self._aside(calls, rewrites) if streams else None
            self.stages.append(Stage(number, inputs, done.waves, streams, prints[number], aside))
            self.rewrites += done.notes
            made_by[calls[-1].step] = number

    def _aside(self, calls: Sequence[Call], rewrites: Collection[str]) -> frozenset[str] | None:
        """The columns that travel, where some of the table's need not and rows are few at a time."""
        columns = needed(calls) if "columns" in rewrites else None
        if columns is None or not any(c.op is not None and c.op.calls_models for c in calls):
            return None
        rest = [c for c in self.tables[calls[0].inputs[0]] if c not in columns]
        if rest:
            first, last = calls[0].step, calls[-1].step
            steps = f"step {first} does" if first == last else f"steps {first} to {last} do"
            few = ", ".join(rest[:3]) + (f" and {len(rest) - 3} more columns" if len(rest) > 3 else "")
            self.rewrites.append(f"{steps} not use {few}: kept aside until the rows are through")
        return frozenset(columns) if rest else None

    @property
    def only_drops(self) -> bool:
        """Whether all that is left of the source's rows is as it was."""
        dropping = (Filter, Dataset, Summary)
        return all(isinstance(c.op, dropping) and not c.binding.writes for c in self.calls)

    @property
    def ends(self) -> list[Stage]:
        """The stages whose tables no other reads, that of the last step last."""
        read = {i for s in self.stages for i in s.inputs}
        last = self.calls[-1].step
        return sorted((s for s in self.stages if s.number not in read), key=lambda s: s.table == last)

    def after(self, stage: Stage) -> list[Stage]:
        """The stages that read a stage's table, directly or through others."""
        reached = {stage.number}
        for later in self.stages:
            if reached & set(later.inputs):
                reached.add(later.number)
        return [s for s in self.stages if s.number in reached and s is not stage]


def _groups(calls: Sequence[Call]) -> list[tuple[bool, list[Call]]]:
    """Chains of streaming steps, each the only reader of the one before, and every other step by itself."""
    readers = Counter(table for c in calls for table in c.inputs)
    chains: list[tuple[bool, list[Call]]] = []
    for call in calls:
        streams = call.op is not None and call.op.streams
        open_chain = next(
            (g for s, g in chains if s and g[-1].step in call.inputs and readers[g[-1].step] == 1), None
        )
        if streams and open_chain is not None and call.op is not None and not call.op.makes_rows:
            open_chain.append(call)
        else:
            chains.append((streams, [call]))
    return chains


@dataclass
class Plan:
    """What a pipeline will do. `str(plan)` explains it; nothing of it has run."""

    pipeline: str
    flows: list[Flow]
    rewrites: frozenset[str] = frozenset()
    """What the optimiser may do, by name."""
    estimate: Estimate | None = None
    """Calls, tokens, cost, time and rows expected of each step of the last flow, after a preview."""

    @property
    def calls(self) -> list[Call]:
        return [c for f in self.flows for c in f.calls]

    def to_dict(self) -> dict[str, Any]:
        return {
            "pipeline": self.pipeline,
            "flows": [_flow_dict(f) for f in self.flows],
            "estimate": self.estimate.to_dict() if self.estimate else {},
        }

    def steps(self) -> list[dict[str, Any]]:
        """Each step as a dict for drawing: step, operator, kind, stage, reads, writes."""
        return [s for f in self.flows for stage in f.stages for s in _steps(stage)]

    def __str__(self) -> str:
        lines = [f"{self.pipeline}"]
        for flow in self.flows:
            lines += [f"  source   {_source_line(flow)}"]
            for stage in flow.stages:
                lines.append(f"  stage {stage.number}  {_stage_kind(stage, flow)}")
                lines += [self._call_line(c, flow) for c in stage.calls]
            lines += [f"  rewrite  {note}" for note in flow.rewrites]
            lines.append(f"  output   {_output(flow)}  ({_columns(flow.schema)})")
        return "\n".join(lines + self._expected())

    def _expected(self) -> list[str]:
        told = self.estimate or "calls, tokens, cost and time: preview a few rows to have them estimated"
        return [f"  {told}"]

    def _call_line(self, call: Call, flow: Flow) -> str:
        reads = ", ".join(call.names_read()) or "-"
        writes = ", ".join(call.binding.writes.values()) or "-"
        line = f"    {call.step:>2}  {call.name:<28} {reads} -> {writes}"
        if self.estimate is not None and flow is self.flows[-1]:
            return f"{line}   {self.estimate.line(call.step)}".rstrip()
        if call.op is None or not call.op.calls_models:
            return line
        first = flow.source.height and call.inputs == (flow.first_step,)
        return f"{line}   [calls a model for {f'{flow.source.height:,}' if first else 'each row'}]"


def _stage_kind(stage: Stage, flow: Flow) -> str:
    branched = any(len(s.inputs) > 1 for s in flow.stages) or len(flow.ends) > 1
    read = " and ".join(f"stage {i}" if i else "the source" for i in stage.inputs)
    after = f" (reads {read})" if branched else ""
    if not stage.streams:
        return f"needs the whole table{after}"
    how = "rows stream through, model calls overlap" if stage.calls_models else "rows stream through"
    return how + after


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


def _steps(stage: Stage) -> list[dict[str, Any]]:
    return [
        {
            "step": c.step, "operator": c.name, "kind": c.op.kind if c.op else "free form", "stage": stage.number,
            "inputs": [*c.inputs], **columns_of(c),
        }
        for c in stage.written
    ]  # fmt: skip


def columns_of(call: Call) -> dict[str, Any]:
    """The columns that a step reads and writes by port, a merge by branch."""
    merge = call.operator
    if isinstance(merge, Merge):
        return {
            "reads": dict(zip(merge.names, map(list, merge.wrote), strict=True)),
            "writes": {c: c for c in merge.added},
        }
    return {"reads": {k: v for k, v in call.binding.reads.items() if v}, "writes": dict(call.binding.writes)}


def _flow_dict(flow: Flow) -> dict[str, Any]:
    return {
        "source": {"name": str(getattr(flow.storage, "first_entry_file_name", "")), "rows": flow.source.height,
                   "columns": {k: type_name(v) for k, v in flow.source.schema.items()}},
        "stages": [{"number": s.number, "reads": s.inputs, "streams": s.streams, "fingerprint": s.fingerprint, "steps": _steps(s)} for s in flow.stages],
        "rewrites": flow.rewrites,
        "output": {"path": _output(flow), "columns": {k: type_name(v) for k, v in flow.schema.items()}},
    }  # fmt: skip
