"""`dataflow runs`, `report` and `trace`: what earlier runs left."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated, Any

import typer

from dataflow.cli.show import Json, UsageError, brief, emit, table

RunName = Annotated[str, typer.Argument(metavar="RUN", help="A run directory, its name, or `last`.")]


def runs(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where to look.")] = Path(),
    as_json: Json = False,
) -> None:
    """List the runs found under a folder, the newest first."""
    from dataflow.runtime.runs import load

    found = [(d, load(d).summary) for d in run_dirs(folder)]
    if as_json:
        emit([_account(d, s) for d, s in found])
        return
    rows = ([f"{v:.4f}" if isinstance(v, float) else v for v in _account(d, s).values()] for d, s in found)
    table(
        ("Run", "Pipeline", "Status", "Started", "Rows in", "Out", "Dropped", "Failed", "Calls", "Cost"), rows
    )


def report(
    run: RunName,
    show: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
) -> None:
    """Print the path of a run's report."""
    from dataflow.runtime.runs import load

    path = Path(load(find(run)).report)
    typer.echo(str(path))
    if show:
        webbrowser.open(path.resolve().as_uri())


def trace(
    run: RunName,
    row: Annotated[
        str, typer.Argument(help='A row id: 17 is the 18th row of the input, "17/2" the third made from it.')
    ],
    full: Annotated[bool, typer.Option("--full", help="Print long values whole.")] = False,
    as_json: Json = False,
) -> None:
    """Tell the history of a row, from the input to its fate."""
    from dataflow.runtime import runs as store

    events = store.trace(find(run), row)
    if not events:
        raise UsageError(f"row {row} is not in {run}")
    if as_json:
        emit(events)
        return
    for event in events:
        typer.echo(f"step {event['step']} {event['operator']}, row {event['row']}: {event['fate']}")
        for column, value in (event.get("values") or {}).items():
            typer.echo(f"  {column}: {value if full else brief(value)}")


def run_dirs(folder: Path) -> list[Path]:
    """The runs under a folder or its subfolders, the latest first."""
    from dataflow.runtime.runs import find as found_in

    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}")
    return found_in(folder)


def find(name: str) -> Path:
    """The run directory that is meant."""
    if (path := Path(name)).is_dir():
        return path
    here = run_dirs(Path())
    if name == "last" and here:
        return here[0]
    for directory in here:
        if directory.name == name:
            return directory
    raise UsageError(f"there is no run {name!r} here; `dataflow runs` lists those that are")


def _account(directory: Path, summary: dict[str, Any]) -> dict[str, Any]:
    total, preview = summary["totals"], " (preview)" if summary.get("limit") is not None else ""
    return {
        "run": str(directory),
        "pipeline": summary["pipeline"],
        "status": summary["status"] + preview,
        "started": summary["started"],
        "rows_in": summary["source"]["rows"],
        "rows_out": summary["output"]["rows"],
        "dropped": total["dropped"],
        "failed": total["failed"],
        "calls": total["calls"],
        "cost": float(total["cost"]),
    }
