"""`dataflow record`: the replies of a run as one file, from which it replays at no cost."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dataflow.cli.runs import RunName, find


def record(
    run: RunName,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")],
) -> None:
    """Write the replies of a run to one file.

    With it the same pipeline runs anywhere without a model, a key or a cost: `run(replay=FILE)`.
    """
    from dataflow.runtime.recording import record as write

    made = write(find(run), file)
    typer.echo(f"replies of {made.pipeline}: {made.replies:,}, for {made.rows:,} source rows: {file}")
    if failed := sum(map(len, made.failed.values())):
        typer.echo(f"rows without a reply, which will fail again: {failed:,}", err=True)
