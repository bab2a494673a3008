"""Clusters of rows that are alike: which row was kept, and what was dropped for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataflow.plan.draw import escaped
from dataflow.runtime.report_samples import clip
from dataflow.runtime.report_values import count, decimal, listing, mapping, number

SHOWN = 20
DROPPED_SHOWN = 5
CHARS = 200


def is_clusters(metric: object) -> bool:
    """Whether a metric is a list of clusters: `{"rows": 3, "kept": {"row", "text"}, "dropped": [{"row", "text", "similarity"}]}`."""
    found = [mapping(cluster) for cluster in listing(metric)]
    return bool(found) and all("kept" in cluster and "dropped" in cluster for cluster in found)


def clusters_html(step: Mapping[str, Any]) -> str:
    """The largest clusters that an operator told among its metrics, each folded under its size and the row kept."""
    told = [metric for metric in mapping(step.get("metrics")).values() if is_clusters(metric)]
    found = [mapping(cluster) for metric in told for cluster in listing(metric)][:SHOWN]
    shown = "".join(_cluster(cluster) for cluster in found)
    return f"<h4>Largest clusters</h4>{shown}" if shown else ""


def _cluster(cluster: Mapping[str, Any]) -> str:
    kept = mapping(cluster.get("kept"))
    members = [mapping(row) for row in listing(cluster.get("dropped"))]
    rest = int(number(cluster.get("rows")) or 0) - 1 - len(members[:DROPPED_SHOWN])
    lines = _line("kept", kept) + "".join(_line("drop", row) for row in members[:DROPPED_SHOWN])
    more = f"<p><small>and {count(rest)} more</small></p>" if rest > 0 else ""
    head = f"{count(cluster.get('rows'))} rows: {clip(kept.get('text') or _place(kept), 80)}"
    table = f'<table class="cells"><tbody>{lines}</tbody></table>'
    return f'<details class="cluster"><summary>{head}</summary>{table}{more}</details>'


def _line(fate: str, row: Mapping[str, Any]) -> str:
    alike = number(row.get("similarity"))
    name = f"{_place(row)} {decimal(alike) if alike is not None else ''}".strip()
    word = {"kept": "kept", "drop": "dropped"}[fate]
    pill = f'<span class="pill p-{fate}">{word}</span>'
    text = clip(row.get("text"), CHARS) if row.get("text") is not None else ""
    return f'<tr><th scope="row">{escaped(name)} {pill}</th><td>{text}</td></tr>'


def _place(row: Mapping[str, Any]) -> str:
    at = number(row.get("row"))
    if at is None:
        return ""
    return f"row {at:.0f}" if at >= 0 else "a row of the reference"
