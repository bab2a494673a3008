"""Compiling: run `forward()` on storages that only trace, check what it did, and cut it into stages."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from dataflow.core.background import tracing
from dataflow.core.errors import CompileError, DataFlowError, Mistake, StorageError
from dataflow.plan.checks import check_calls
from dataflow.plan.estimate import Estimate, estimate
from dataflow.plan.optimise import chosen
from dataflow.plan.plan import Flow, Plan
from dataflow.plan.trace import Call, TraceStorage


def compile_pipeline(
    pipeline: Any,
    allow_overwrite: Collection[str] = (),
    *,
    resume_step: int = 0,
    limit: int | None = None,
    optimise: bool | Collection[str] = True,
) -> Plan:
    """The plan of any object with storages as attributes and a `forward`. No operator runs, no call is made.

    Raises:
        CompileError: all mistakes at once.
        DataFlowError: `forward` does what cannot be compiled, like reading rows.
    """
    name = type(pipeline).__name__
    calls: list[Call] = []
    with _traced(pipeline, calls) as storages:
        type(pipeline).forward(pipeline)
    mistakes: list[Mistake] = []
    flows: list[Flow] = []
    for storage in storages:
        mine = [c for c in calls if c.storage is storage and c.step > resume_step]
        if mine:
            flow, found = _flow(storage, mine, allow_overwrite, resume_step)
            mistakes += found + _shared(storage, flows)
            flows += [flow] if flow else []
    mistakes += [m for flow in flows for m in _follows(flow, flows)]
    if mistakes:
        raise CompileError(name, mistakes)
    for flow in flows:
        flow.cut(chosen(optimise), limit)
    return Plan(name, flows, chosen(optimise), _estimate(flows[-1]) if flows else None)


def _flow(
    storage: Any, calls: list[Call], allowed: Collection[str], resume_step: int
) -> tuple[Flow | None, list[Mistake]]:
    if storage.run_dir is None:
        name = type(storage).__name__
        return None, [
            Mistake(0, name, "", "keeps no files, so no run could go on; compile with a FileStorage")
        ]
    try:
        source = source_of(storage, resume_step)
        schema, height = source.schema, source.height
    except StorageError as error:
        return None, [Mistake(0, type(storage).__name__, "", str(error))]
    mistakes, tables = check_calls(calls, schema, height, allowed, resume_step)
    return Flow(storage, source, calls, tables, resume_step), mistakes


def _shared(storage: Any, flows: list[Flow]) -> list[Mistake]:
    """That another storage of the pipeline writes the same files."""
    if storage.run_dir not in [f.storage.run_dir for f in flows]:
        return []
    message = ": another storage of this pipeline writes the same files; give each a prefix of its own"
    return [Mistake(0, type(storage).__name__, f"file_name_prefix={storage.file_name_prefix!r}", message)]


def _follows(flow: Flow, flows: list[Flow]) -> list[Mistake]:
    """That a storage starts from a table which another one is still to write."""
    start = Path(getattr(flow.storage, "first_entry_file_name", "")).absolute()
    others = [f for f in flows if f is not flow]
    if start not in [Path(f.storage.path_of(c.step)).absolute() for f in others for c in f.calls]:
        return []
    message = " is written by this very pipeline; go on with the same storage, or make two pipelines of it"
    name = type(flow.storage).__name__
    return [Mistake(0, name, f"first_entry_file_name={flow.storage.first_entry_file_name!r}", message)]


def source_of(storage: Any, step: int = 0) -> Any:
    """The rows that a storage holds at a step."""
    pinned = copy.copy(storage)
    pinned.operator_step = step
    return pinned.source()


def storages_of(pipeline: Any) -> dict[str, Any]:
    """The storages among a pipeline's attributes."""
    return {
        name: value
        for name, value in vars(pipeline).items()
        if hasattr(value, "step") and hasattr(value, "source")
    }


@contextmanager
def _traced(pipeline: Any, calls: list[Call]) -> Iterator[list[Any]]:
    """The pipeline's storages, replaced by tracing ones for as long as this lasts."""
    real = storages_of(pipeline)
    stand_ins: dict[int, TraceStorage] = {}
    for value in real.values():
        stand_ins.setdefault(id(value), TraceStorage(value, calls))
    if not real:
        raise DataFlowError(
            f"{type(pipeline).__name__} has no storage; set self.storage = FileStorage(…) in __init__"
        )
    token = tracing.set(True)
    try:
        for name, value in real.items():
            setattr(pipeline, name, stand_ins[id(value)])
        yield [s.real for s in stand_ins.values()]
    finally:
        tracing.reset(token)
        for name, value in real.items():
            setattr(pipeline, name, value)


def _estimate(flow: Flow) -> Estimate | None:
    """What each step will take in full, from the last preview of the same steps; null where there was none."""
    path = Path(flow.storage.run_dir) / "preview.json"
    return estimate(orjson.loads(path.read_bytes()), flow) if path.exists() else None
