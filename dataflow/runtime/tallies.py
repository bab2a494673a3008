"""Metrics that count: how many rows have each value of something, drawn for the report and written for the card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from dataflow.plan.draw import escaped
from dataflow.runtime.report_values import count, listing, mapping, number, percent

Tally = Mapping[str, int]
SHOWN = 12
"""Values of a tally that are drawn."""


def tallies(metrics: Mapping[str, Any]) -> dict[str, Tally]:
    """The metrics that are counts of things, by name."""
    return {str(name): value for name, value in metrics.items() if _counts(value)}


def _counts(value: object) -> bool:
    if not isinstance(value, Mapping) or not value:
        return False
    return all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in value.values())


def tallies_html(metrics: Mapping[str, Any]) -> str:
    """Each as bars, the longest of its most frequent value."""
    found = tallies(metrics)
    return "".join(_bars(name, tally, _whole(metrics, tally)) for name, tally in found.items())


def _whole(metrics: Mapping[str, Any], tally: Tally) -> float:
    """What shares are of: the metric `rows`, where a row may have several of the values or none, else their sum."""
    return number(metrics.get("rows")) or sum(tally.values())


def _bars(name: str, tally: Tally, whole: float) -> str:
    most = max(tally.values()) or 1
    lines = "".join(
        f'<tr><th>{escaped(value)}</th><td><span class="bar"><i class="b-kept" style="width:{100 * n / most:.1f}%"></i></span></td>'
        f"<td>{count(n)}</td><td>{percent(n, whole)}</td></tr>"
        for value, n in islice(tally.items(), SHOWN)
    )
    if len(tally) > SHOWN:
        lines += f"<tr><td colspan=4><small>and {len(tally) - SHOWN} more</small></td></tr>"
    return f'<h4>{escaped(name.removesuffix("_counts").replace("_", " ").capitalize())}</h4><table class="reasons">{lines}</table>'


def tallies_markdown(run: Mapping[str, Any]) -> str:
    """The last tally of each name that a run made, as tables."""
    found: dict[str, tuple[Tally, float]] = {}
    for step in map(mapping, listing(run.get("steps"))):
        metrics = mapping(step.get("metrics"))
        found |= {name: (tally, _whole(metrics, tally)) for name, tally in tallies(metrics).items()}
    return "\n\n".join("\n".join(_table(name, *told)) for name, told in found.items())


def _table(name: str, tally: Tally, whole: float) -> Iterator[str]:
    yield f"| {name.removesuffix('_counts').replace('_', ' ')} | | |\n|---|---:|---:|"
    for value, n in tally.items():
        yield f"| {' '.join(value.split()).replace('|', chr(92) + '|')} | {count(n)} | {percent(n, whole)} |"
