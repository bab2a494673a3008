"""`dataflow card`: the Markdown page that tells of the data set which a run made."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dataflow.cli.runs import RunName, find

Repeated = list[str] | None


def card(
    run: RunName,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write it there, as README.md beside the table.")
    ] = None,
    title: Annotated[str, typer.Option(help="The name of the data set.")] = "",
    licence: Annotated[
        str, typer.Option("--licence", "--license", help="As the hub names it: apache-2.0, cc-by-4.0 …")
    ] = "",
    language: Annotated[Repeated, typer.Option(help="A two-letter code; repeatable.")] = None,
    tag: Annotated[Repeated, typer.Option(help="A further tag; repeatable.")] = None,
    pipeline: Annotated[str, typer.Option(help="What to give to `dataflow run` to make it again.")] = "",
) -> None:
    """Print a data-set card: origin, steps, models, prompts, columns, examples, limitations."""
    from dataflow.runtime.card import card as page
    from dataflow.runtime.runs import load

    made = load(find(run))
    text = page(
        made,
        title=title or None,
        licence=licence or None,
        languages=language or (),
        tags=tag or (),
        pipeline=pipeline or None,
    )
    if output is None:
        typer.echo(text, nl=False)
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text, encoding="utf-8")
    typer.echo(str(output))
