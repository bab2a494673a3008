"""`dataflow run`, `plan`, `preview` and `retry`."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Any

import typer

from dataflow.cli import load
from dataflow.cli.show import Json, UsageError, emit, table

Target = Annotated[
    str,
    typer.Argument(
        metavar="PIPELINE", help="FILE[:Class], module:Class, or the name of an installed pipeline."
    ),
]
Source = Annotated[
    str, typer.Option("--source", "-s", help="Read this instead of the pipeline's first file.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="ATTR=VALUE",
        help="Set a constructor argument, an attribute, or op.setting; repeatable.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Log every step.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 4 if any row failed.")]


def run(
    pipeline: Target,
    source: Source = "",
    settings: Settings = None,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=1, help="Only the first rows of the input.")
    ] = None,
    resume_step: Annotated[int, typer.Option(min=0, help="Start from the table that this step read.")] = 0,
    keep_steps: Annotated[bool, typer.Option("--keep-steps", help="Leave the table of every step.")] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Also try the rows again that failed before.")
    ] = False,
    target_rows: Annotated[
        int | None, typer.Option(min=1, help="Stop when so many rows have come through.")
    ] = None,
    max_candidates: Annotated[
        int | None, typer.Option(min=1, help="With --target-rows: begin no more rows than these.")
    ] = None,
    max_error_rate: Annotated[
        float | None, typer.Option(min=0, max=1, help="Stop when a larger share of a step's rows fails.")
    ] = None,
    budget: Annotated[
        float | None, typer.Option(min=0, help="US dollars that the run may cost; never exceeded.")
    ] = None,
    replay: Annotated[
        Path | None, typer.Option(help="Take all replies from this recording; call no model.")
    ] = None,
    optimise: Annotated[
        bool, typer.Option("--optimise/--no-optimise", help="Whether the plan may be rewritten.")
    ] = True,
    strict: Strict = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Run a pipeline.

    What an earlier run has done and paid for is not done again.
    """
    made = load.pipeline(pipeline, source, settings)
    if not optimise:
        compilable(made, "--no-optimise").compile(optimise=False)
    options = {
        "resume_step": resume_step, "keep_steps": keep_steps, "limit": limit, "retry_failed": retry_failed,
        "target_rows": target_rows, "max_candidates": max_candidates, "max_error_rate": max_error_rate,
        "budget": budget, "replay": replay,
    }  # fmt: skip
    _run(made, options, strict=strict, progress=not (quiet or as_json), verbose=verbose, as_json=as_json)


def retry(
    pipeline: Target,
    source: Source = "",
    settings: Settings = None,
    strict: Strict = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Run a pipeline again for the rows that failed."""
    made = load.pipeline(pipeline, source, settings)
    _run(
        made,
        {"retry_failed": True},
        strict=strict,
        progress=not (quiet or as_json),
        verbose=verbose,
        as_json=as_json,
    )


def plan(
    pipeline: Target,
    source: Source = "",
    settings: Settings = None,
    draw: Annotated[
        Path | None, typer.Option(help="Also draw the graph into this file (.svg or .html).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a pipeline, and print what would run."""
    made = compilable(load.pipeline(pipeline, source, settings), "plan")
    found = made.plan()
    if as_json:
        emit(found.to_dict())
    else:
        typer.echo(str(found))
    if draw:
        typer.echo(f"graph: {made.draw_graph(draw)}", err=True)


def preview(
    pipeline: Target,
    rows: Annotated[int, typer.Option("--rows", "-n", min=1, help="How many rows of the input.")] = 5,
    source: Source = "",
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Run the first rows and show what becomes of them.

    The full run does not pay for them again.
    """
    made = compilable(load.pipeline(pipeline, source, settings), "preview")
    done = made.preview(rows=rows)
    if as_json:
        emit({"records": done.records, "summary": done.summary})
        return
    _print_rows(done.table)
    _print_lost(done)
    _summary(done)


def _run(
    made: Any, options: dict[str, Any], *, strict: bool, progress: bool, verbose: bool, as_json: bool
) -> None:
    compiles = hasattr(made, "compile")
    level = logging.INFO if verbose or not compiles else logging.WARNING
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("dataflow").setLevel(level)
    if not compiles:
        _run_eagerly(made, options)
        return
    try:
        done = made.run(**options, progress=progress)
    except KeyboardInterrupt:
        typer.echo(
            "dataflow: interrupted; everything so far is saved: run the same command again to go on", err=True
        )
        raise
    if as_json:
        emit({**done.summary, "path": done.path, "run_dir": done.run_dir, "report": done.report})
    else:
        _summary(done)
    if strict and done.counts["failed"]:
        raise typer.Exit(4)


def _run_eagerly(made: Any, options: dict[str, Any]) -> None:
    """A plain class with `forward`: its lines run one after the other."""
    if named := [k for k, v in options.items() if v]:
        flags = ", ".join(f"--{n.replace('_', '-')}" for n in named)
        raise UsageError(
            f"{flags}: {type(made).__name__} is a plain class; derive it from dataflow.pipeline.PipelineABC"
        )
    made.forward()
    typer.echo(f"{type(made).__name__}.forward() is done")


def compilable(made: Any, command: str) -> Any:
    if not hasattr(made, "compile"):
        raise UsageError(
            f"{command}: {type(made).__name__} is a plain class; derive it from dataflow.pipeline.PipelineABC"
        )
    return made


def _summary(done: Any) -> None:
    """The few lines after a run: rows, calls, cost, and where things lie."""
    total, source = done.counts, done.summary["source"]
    bad = f", {source['bad_lines']} lines unreadable" if source["bad_lines"] else ""
    for reason in done.summary["why"]:
        typer.echo(f"computed again: {reason}")
    rows = f"{source['rows']} rows in" if source["name"] else "nothing in"
    typer.echo(f"{rows}, {done.rows} out, {total['dropped']} dropped, {total['failed']} failed{bad}")
    if total["calls"] or total["cached"]:
        cost = f", ${total['cost']:.4f}" if total["cost"] else ""
        repairs = (
            f", {total['repairs']} made again as the reply could not be read" if total["repairs"] else ""
        )
        typer.echo(
            f"{total['calls']} model calls, {total['cached']} answered from the journal{repairs}{cost}"
        )
    if done.summary["message"]:
        typer.echo(done.summary["message"])
    for label, path in (("table", done.path), ("report", done.report), ("run", done.run_dir)):
        if path:
            typer.echo(f"{label:<7} {path}")
    if total["failed"]:
        typer.echo(
            f"first failure: {done.failed['error'][0]}\n`dataflow retry` tries the failed rows again",
            err=True,
        )


def _print_rows(frame: Any) -> None:
    """A few rows, one below the other: cells are long."""
    from dataflow.core.frames import as_text, records

    for number, row in enumerate(records(frame), 1):
        typer.echo(f"row {number}")
        for column, value in row.items():
            typer.echo(f"  {column}: {'null' if value is None else as_text(value)}")


def _print_lost(done: Any) -> None:
    lost = [(r["row"], "dropped", r["reason"]) for r in done.dropped.to_dicts()]
    lost += [(r["row"], "failed", r["error"]) for r in done.failed.to_dicts()]
    if lost:
        table(("Row", "Fate", "Why"), lost)
