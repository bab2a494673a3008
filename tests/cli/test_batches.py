"""`dataflow batches` on the ledger of a run whose batches are at a real server."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from dataflow.cli.batches import batches
from dataflow.cli.show import UsageError
from dataflow.core import background
from dataflow.core.protocols import Request, Scope
from dataflow.serving.batch import BatchesPending, BatchLLMServing
from dataflow.serving.journal import Journal
from dataflow.testing.batch_server import BatchServer

app = typer.Typer()
app.command()(batches)


def leave(server: BatchServer, run_dir: Path) -> None:
    """A batch of three requests that nobody waits for."""
    serving = BatchLLMServing(server.url, model_name="toy", linger_s=0.02, poll_s=0.02, wait=False)
    serving.batching = replace(serving.batching, backoff_s=0.01)
    scope = Scope("Op:col", journal=run_dir / "journal.sqlite")

    async def ask() -> None:
        await background.gathered(serving.ask(Request.of(p), scope) for p in ("a", "b", "c"))

    with pytest.raises(BatchesPending):
        background.run(ask())
    serving.cleanup()
    Journal.at(run_dir / "journal.sqlite").close()


def test_batches_are_listed_and_cancelled(tmp_path: Path) -> None:
    with BatchServer(work_s=30) as server:
        leave(server, tmp_path)
        (listed,) = json.loads(CliRunner().invoke(app, [str(tmp_path), "--json"]).stdout)
        assert (listed["state"], listed["requests"], listed["answered"]) == ("open", 3, 0)
        assert listed["batch"] in CliRunner().invoke(app, [str(tmp_path)]).stdout
        done = CliRunner().invoke(app, [str(tmp_path), "--cancel", listed["batch"]])
        assert "cancelled 1" in done.stdout
        assert [b.told["status"] for b in server.batches.values()] == ["cancelled"]
        unknown = CliRunner().invoke(app, [str(tmp_path), "--cancel", "batch-x"])
    assert isinstance(unknown.exception, UsageError)


def test_a_run_without_batches(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, [str(tmp_path)])
    assert isinstance(result.exception, UsageError)
    assert "has sent no batches" in str(result.exception)
