"""The run directory: `cache_path/<run>/` with the journal, the stages' parts, and the account of the last run."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from dataflow.core.errors import RunStopped
from dataflow.plan.reasons import why
from dataflow.runtime.files import write_json
from dataflow.runtime.stagedir import StageDir


class RunDir:
    """The files of one pipeline's runs."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def journal(self) -> Path:
        return self.path / "journal.sqlite"

    def stage(self, number: int, fingerprint: str) -> StageDir:
        return StageDir(self.path / "stages" / f"{number:02d}-{fingerprint[:16]}")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from running the same pipeline here.

        Raises:
            RunStopped: one already does.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise RunStopped(
                    f"another process is running in {self.path}; wait for it, or name another file_name_prefix"
                ) from None
            yield

    def spent_by_others(self, spent: float) -> float:
        """Of what replies here cost, that which earlier runs paid, not the unfinished one that now goes on."""
        file = self.path / "unfinished.json"
        if file.exists():
            return float(orjson.loads(file.read_bytes())["spent_before"])
        write_json(file, {"spent_before": spent})
        return spent

    def conclude(self) -> None:
        """Note down that a run is complete: the next one is another."""
        (self.path / "unfinished.json").unlink(missing_ok=True)

    def begun(self, wanted: str) -> int:
        """The source rows that an earlier run for the same rows had begun."""
        file = self.path / "target.json"
        kept = orjson.loads(file.read_bytes()) if file.exists() else {}
        return int(kept.get("begun", 0)) if kept.get("wanted") == wanted else 0

    def keep_begun(self, wanted: str, begun: int) -> None:
        """Keep how many source rows are being begun, so that a run that is killed goes on alike."""
        write_json(self.path / "target.json", {"wanted": wanted, "begun": begun})

    def changes(self, now: Mapping[str, Any]) -> list[str]:
        """Why a run computes what an earlier one had: what has changed since, a sentence each. Keeps what is now."""
        file = self.path / "what.json"
        before = orjson.loads(file.read_bytes()) if file.exists() else None
        write_json(file, now)
        return why(before, now) if before is not None else []

    def prune(self, used: Sequence[StageDir]) -> None:
        """Delete the stages of earlier runs that this one did not use."""
        keep = {s.path.name for s in used}
        for folder in (self.path / "stages").glob("*"):
            if folder.name not in keep:
                StageDir(folder).remove()
