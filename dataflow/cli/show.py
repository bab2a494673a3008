"""What commands print: tables, JSON, plain lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer

from dataflow.core.errors import DataFlowError

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs and agents.")]
BRIEF_CHARS = 300


class UsageError(DataFlowError):
    """A command line that names something which is not there, or cannot be used so."""


def emit(value: Any) -> None:
    """Print a value as JSON."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]], title: str = "") -> None:
    """Print rows under heads: fitted to a terminal, or whole, in aligned columns, for a pipe or a file."""
    cells = [["" if c is None else str(c) for c in row] for row in rows]
    if not sys.stdout.isatty():
        typer.echo("\n".join(_aligned([list(heads), *cells])))
        return
    from rich import box, console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(*heads, title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for row in cells:
        drawn.add_row(*map(Text, row))
    console.Console().print(drawn)


def _aligned(rows: list[list[str]]) -> list[str]:
    shown = [[c.replace("\n", " ") for c in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in shown]


def brief(value: Any) -> str:
    """A value on one line, its end cut off where it is long."""
    text = " ".join(str(value).split())
    return text if len(text) <= BRIEF_CHARS else f"{text[: BRIEF_CHARS - 1]}…"


def size(count: float) -> str:
    """A number of bytes in a unit that suits it."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
