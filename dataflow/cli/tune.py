"""`dataflow tune`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated

import typer

from dataflow.cli import load
from dataflow.cli.running import Settings, Source, Target, compilable
from dataflow.cli.show import Json, emit, table


def tune(
    pipeline: Target,
    keep: Annotated[
        float,
        typer.Option(min=0.01, max=1, help="The share of the rows that each filter by itself shall keep."),
    ] = 0.8,
    rows: Annotated[
        int, typer.Option("--rows", "-n", min=10, help="How many rows of the input to try.")
    ] = 2000,
    source: Source = "",
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Suggest thresholds for the filters of a pipeline, from what they measure on its first rows."""
    made = compilable(load.pipeline(pipeline, source, settings), "tune")
    found = made.tune(keep, rows)
    if as_json:
        emit([asdict(s) for s in found])
        return
    if not found:
        typer.echo("no filter here has a threshold on something that it measures")
        return
    lines = [
        (s.step, s.operator, s.measured, f"{s.rows:,}", f"{s.kept:.0%}", _told(s.now), _told(s.suggested), f"{s.then:.0%}")
        for s in found
    ]  # fmt: skip
    table(("step", "operator", "measures", "rows", "keeps", "as it is set", "suggested", "keeps then"), lines)


def _told(settings: Mapping[str, float]) -> str:
    return ", ".join(f"{name}={value:g}" for name, value in settings.items())
