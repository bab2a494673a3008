"""`dataflow push`: a run's table onto the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dataflow.cli.runs import RunName, find
from dataflow.cli.show import UsageError


def push(
    run: RunName,
    repo: Annotated[str, typer.Argument(metavar="REPO", help="user/name of the data set on the hub.")],
    split: Annotated[str, typer.Option("--split", help="The split that the rows become.")] = "train",
    public: Annotated[bool, typer.Option("--public", help="Let everybody see a data set made now.")] = False,
    card: Annotated[
        Path | None, typer.Option("--card", metavar="FILE", help="The README's text; else one is made.")
    ] = None,
) -> None:
    """Put a run's final table on the Hugging Face hub.

    Uses the token of HF_TOKEN or of `hf auth login`. Pushing the same table again changes nothing.
    """
    from dataflow.runtime.runs import load
    from dataflow.storage.remote.push import push_to_hub

    if card is not None and not card.is_file():
        raise UsageError(f"--card: there is no file {card}")
    text = card.read_text(encoding="utf-8") if card else None
    typer.echo(push_to_hub(load(find(run)), repo, split=split, private=not public, card=text))
