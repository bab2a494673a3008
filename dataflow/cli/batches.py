"""`dataflow batches`: what a run has at a provider, and cancelling it."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dataflow.cli.runs import RunName, find
from dataflow.cli.show import Json, UsageError, emit, table

if TYPE_CHECKING:
    from dataflow.serving.batch_ledger import Sent


def batches(
    run: RunName,
    cancel: Annotated[
        str | None,
        typer.Option(
            metavar="BATCH",
            help="Have this batch stopped, or `all`; what it has answered stays, and is billed.",
        ),
    ] = None,
    key: Annotated[
        str, typer.Option("--key", metavar="NAME", help="The environment variable that holds the key.")
    ] = "DF_API_KEY",
    as_json: Json = False,
) -> None:
    """List the batches that a run has sent to a provider, or cancel them."""
    from dataflow.serving.batch_ledger import OPEN

    sent = _sent(find(run))
    if cancel is not None:
        wanted = [s for s in sent if s.state == OPEN and cancel in ("all", s.batch)]
        if not wanted:
            raise UsageError(f"no unfinished batch {cancel!r} in {run}; `dataflow batches {run}` lists them")
        asyncio.run(_cancel(wanted, os.environ.get(key, "").strip()))
        typer.echo(f"cancelled {len(wanted)}; run again to collect what they have answered")
        return
    accounts = [_account(s) for s in sent]
    if as_json:
        emit(accounts)
        return
    heads = ("Batch", "State", "Requests", "Answered", "Sent", "Model", "Note")
    table(heads, ([*account.values()] for account in accounts))


def _sent(run_dir: Path) -> list[Sent]:
    from dataflow.serving.batch_ledger import BatchLedger

    path = BatchLedger.beside(run_dir / "journal.sqlite")
    if not path.exists():
        raise UsageError(f"{run_dir} has sent no batches")
    ledger = BatchLedger(path)
    try:
        return ledger.batches()
    finally:
        ledger.close()


async def _cancel(wanted: list[Sent], key: str) -> None:
    from dataflow.serving.backends.batches import BatchConnection
    from dataflow.serving.backends.openai import Endpoint

    for sent in wanted:
        connection = BatchConnection(Endpoint(sent.url, sent.model, key))
        try:
            await connection.cancel(sent.batch)
        finally:
            await connection.close()


def _account(sent: Sent) -> dict[str, object]:
    at = datetime.fromtimestamp(sent.created).isoformat(" ", "seconds")
    return {
        "batch": sent.batch or "-", "state": sent.state, "requests": sent.requests, "answered": sent.answered,
        "sent": at, "model": sent.model, "note": sent.note,
    }  # fmt: skip
