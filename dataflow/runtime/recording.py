"""Recordings: the replies of a run in one file, from which it replays elsewhere without a model, at no cost."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import polars as pl

from dataflow import __version__
from dataflow.core.errors import StorageError
from dataflow.runtime.rundir import RunDir
from dataflow.runtime.runs import Run, load
from dataflow.serving.journal import Journal
from dataflow.storage.atomic import replacing

FORMAT = 1
"""Raised when a recording changes its form."""


@dataclass(frozen=True)
class Recording:
    """What a recording holds besides the replies."""

    name: str
    """Tells recordings apart."""
    pipeline: str
    rows: int
    """Source rows of the run that was recorded."""
    replies: int
    made: str
    dataflow: str
    failed: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The rows whose call failed for good: step number, row id, error. They have no reply, and fail again."""
    format: int = FORMAT


def record(run_dir: str | Path, path: str | Path) -> Recording:
    """Write the replies of a run, those of earlier runs of its directory included, to one portable file.

    It holds replies and the counts of their tokens, under hashes of what was asked: no prompt, no key, no address.

    Raises:
        StorageError: no run, or none that finished, or none that asked a model through this package's servings.
    """
    run = load(run_dir)
    if run.summary["status"] != "done":
        raise StorageError(f"the last run in {run_dir} is {run.summary['status']}; record one that is done")
    journal, replies = RunDir(Path(run_dir)).journal, int(run.summary["journal"]["calls"])
    if not replies:
        raise StorageError(
            f"{run_dir} holds no replies: no step asked a model, or none through a serving that keeps them"
        )
    made = _described(run, replies)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with replacing(Path(path)) as temporary:
        _copy(journal, temporary)
        _sign(temporary, made)
    return made


def read(path: str | Path) -> Recording:
    """What a recording says of itself.

    Raises:
        StorageError: it is no recording, or one of a later version.
    """
    if not Path(path).is_file():
        raise StorageError(f"there is no recording {path}; `dataflow record RUN FILE` makes one")
    told = _signature(Path(path))
    if told is None:
        raise StorageError(f"{path} is no recording; `dataflow record RUN FILE` makes one")
    if told.get("format") != FORMAT:
        raise StorageError(
            f"{path} was made by dataflow {told.get('dataflow')}; record it anew with this version"
        )
    return Recording(**told)


def install(path: str | Path, run_dir: str | Path) -> Recording:
    """Make the journal of a run directory a copy of a recording; where it is one already, nothing is done.

    Nobody else may have that journal open.

    Raises:
        StorageError: it is no recording, or the directory has replies of its own.
    """
    made, journal = read(path), RunDir(Path(run_dir)).journal
    if journal.exists() and (_signature(journal) or {}).get("name") == made.name:
        return made
    if _replies(journal):
        raise StorageError(
            f"{run_dir} has replies of its own, which a recording would hide; "
            "replay it under another cache_path or file_name_prefix"
        )
    journal.parent.mkdir(parents=True, exist_ok=True)
    _copy(Path(path), journal)
    return made


def _described(run: Run, replies: int) -> Recording:
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    rows = int(run.summary["source"]["rows"])
    return Recording(
        uuid4().hex, run.summary["pipeline"], rows, replies, moment, __version__, _unanswered(run)
    )


def _unanswered(run: Run) -> dict[str, dict[str, str]]:
    calls = run.failed.filter(pl.col("kind") == "CallError")
    found: dict[str, dict[str, str]] = {}
    for step, row, error in calls.select("step", "row", "error").iter_rows():
        found.setdefault(str(step), {})[row] = error
    return found


def _replies(journal: Path) -> int:
    """How many replies a journal holds; none where there is no file."""
    if not journal.exists():
        return 0
    with closing(Journal.at(journal)) as held:
        return len(held)


def _copy(source: Path, target: Path) -> None:
    """A database copied whole, also while somebody writes to it, without files beside it."""
    try:
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
            old.backup(new)
            new.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise StorageError(f"{source} cannot be copied to {target}: {error}") from error


def _sign(path: Path, made: Recording) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE IF EXISTS recording")
        connection.execute("CREATE TABLE recording (told TEXT)")
        connection.execute("INSERT INTO recording VALUES (?)", (json.dumps(vars(made)),))


def _signature(path: Path) -> dict[str, Any] | None:
    """What a recording, or a journal that began as one, says of itself; null for any other file."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            (told,) = connection.execute("SELECT told FROM recording").fetchone()
    except sqlite3.Error:
        return None
    found: dict[str, Any] = json.loads(told)
    return found
