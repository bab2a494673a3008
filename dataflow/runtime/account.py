"""The account of a run: what `run.json` and the report tell, and the table of every row's fate."""

from __future__ import annotations

import logging
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from dataflow import __version__
from dataflow.core.frames import ROW, type_name
from dataflow.plan.fingerprint import settings_of
from dataflow.plan.plan import Flow, columns_of
from dataflow.plan.reasons import masked
from dataflow.plan.trace import Call
from dataflow.runtime.bounds import bounds_of
from dataflow.runtime.files import write_json
from dataflow.runtime.report import write_report
from dataflow.runtime.rundir import RunDir
from dataflow.runtime.stagedir import StageDir
from dataflow.runtime.stats import StepStats
from dataflow.serving.journal import Journal

log = logging.getLogger(__name__)
VERSION = 1
"""Raised when `run.json` changes its form."""
SUMMED = ("calls", "cached", "retried", "repairs", "prompt_tokens", "completion_tokens", "cost", "failed")
BAD_LINES_SHOWN = 10


def account(
    flow: Flow, folder: RunDir, facts: Mapping[str, Any], totals: Mapping[int, StepStats], reused: set[int]
) -> dict[str, Any]:
    """All that is told of a run; `facts` are its pipeline, status, message, limit, start and seconds."""
    steps = [_step(c, totals[c.step], reused=c.step in reused) for c in flow.calls]
    summed = {k: sum(s[k] for s in steps) for k in SUMMED}
    return {
        "version": VERSION, **facts, "run_dir": str(folder.path),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"dataflow": __version__, "python": platform.python_version(), "polars": pl.__version__},
        "source": _source(flow, facts["limit"]),
        "stages": [folder.stage(s.number, s.fingerprint).path.name for s in flow.stages],
        "last_stage": folder.stage(flow.ends[-1].number, flow.ends[-1].fingerprint).path.name,
        "steps": steps,
        "totals": summed | {"dropped": sum(sum(s["dropped"].values()) for s in steps)},
        "journal": Journal.at(folder.journal).totals(),
        "output": _output(flow, facts, totals[flow.ends[-1].calls[-1].step].rows_out),
        "rewrites": flow.rewrites,
    }  # fmt: skip


def _step(call: Call, stats: StepStats, *, reused: bool) -> dict[str, Any]:
    headline = (type(call.operator).__doc__ or "").strip().partition("\n")[0]
    return {
        "step": call.step, "operator": call.name, "kind": call.op.kind if call.op else "free form", "headline": headline,
        "inputs": [*call.inputs], "measured": getattr(call.operator, "measured", ""), **columns_of(call),
        "settings": masked(settings_of(call.operator)), "bounds": _bounds(call, stats), "reused": reused, **stats.to_dict(),
    }  # fmt: skip


def _bounds(call: Call, stats: StepStats) -> dict[str, float]:
    """What the report draws into the distribution of a measure."""
    counted = {float(at): sum(rows) for at, rows in stats.measures.items()}
    try:
        return {} if call.op is None else bounds_of(call.op, counted)
    except Exception:
        log.warning("the bounds of %s cannot be found, so the report draws none", call.name, exc_info=True)
        return {}


def _source(flow: Flow, limit: int | None) -> dict[str, Any]:
    source = flow.source
    bad = [
        vars(b) if hasattr(b, "__dict__") else b for b in getattr(source, "bad_lines", [])[:BAD_LINES_SHOWN]
    ]
    return {
        "name": str(getattr(flow.storage, "first_entry_file_name", "")),
        "rows": source.height if limit is None else min(source.height, limit),
        "columns": {k: type_name(v) for k, v in source.schema.items()},
        "fingerprint": source.fingerprint,
        "bad_lines": getattr(source, "bad_count", 0),
        "bad_line_samples": bad,
    }


def _output(flow: Flow, facts: Mapping[str, Any], rows: int) -> dict[str, Any]:
    written = facts["limit"] is None and facts["status"] == "done"
    path = str(flow.storage.path_of(flow.calls[-1].step)) if written else ""
    if facts["target_rows"] is not None:
        rows = min(rows, facts["target_rows"])
    return {"path": path, "rows": rows, "columns": {k: type_name(v) for k, v in flow.schema.items()}}


def tell(summary: Mapping[str, Any], folder: Path) -> None:
    """Write the account and its report; those of a preview have names of their own.

    Where all steps were used again, the report of the run that made them stays: it tells how the table came about.
    """
    full = summary["limit"] is None
    write_json(folder / ("run.json" if full else "preview.json"), summary)
    report = folder / ("report.html" if full else "preview.html")
    if report.exists() and all(step["reused"] for step in summary["steps"]):
        return
    try:
        write_report(summary, report)
    except Exception:
        log.exception("the report of %s could not be drawn; the run itself is not touched by that", folder)


def lineage(
    ends: Sequence[StageDir], dropped: pl.DataFrame, failed: pl.DataFrame, target_rows: int | None
) -> pl.DataFrame:
    """Every row that ever ended: its id, the row it was made from, the source row, and its fate.

    A fate is `kept`, `dropped`, `failed`, or `surplus` for a row beyond `target_rows`.
    """
    kept = pl.concat([f.select(pl.col(ROW).alias("row")) for end in ends for f in end.frames([])])
    surplus = pl.int_range(pl.len()) >= (kept.height if target_rows is None else target_rows)
    kept = kept.with_columns(fate=pl.when(surplus).then(pl.lit("surplus")).otherwise(pl.lit("kept")))
    lost = [
        f.select("row", pl.lit(fate).alias("fate"), "step", "operator")
        for f, fate in ((dropped, "dropped"), (failed, "failed"))
    ]
    rows = pl.concat([kept, *lost], how="diagonal_relaxed")
    parent = pl.when(pl.col("row").str.contains("/")).then(pl.col("row").str.replace(r"/[^/]*$", ""))
    return rows.with_columns(parent=parent, source_row=pl.col("row").str.split("/").list.first())
