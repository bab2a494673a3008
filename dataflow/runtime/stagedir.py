"""The parts of a stage on disk, and where they go while they are made."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from dataflow.core.frames import ROW
from dataflow.core.outcome import DROPPED, FAILED
from dataflow.runtime.files import as_json, write_atomically, write_json
from dataflow.runtime.stats import StepStats
from dataflow.storage.atomic import sync
from dataflow.storage.trailing import TrailingTable

_GONE = ".gone-"
_SYNCS = 8
"""Files flushed to the disk at once, which then takes them together."""


class StageDir:
    """The parts of one stage. A part is there whole, or not: its account is the last file written.

    Parts are Arrow files as they lie in memory: writing one costs no more than copying it, and reading one maps it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def _file(self, part: int, kind: str) -> Path:
        return self.path / f"part-{part:06d}.{kind}"

    def done(self) -> dict[int, dict[str, Any]]:
        """The accounts of the finished parts, by number."""
        found = sorted(self.path.glob("part-*.done.json"))
        return {int(f.name[5:11]): orjson.loads(f.read_bytes()) for f in found}

    @property
    def finished(self) -> bool:
        return (self.path / "finished").exists()

    def finish(self) -> None:
        write_atomically(self.path / "finished", b"")

    @property
    def lean(self) -> bool:
        """Whether the rows lie in the table that the stage leaves, and here at least their ids."""
        return (self.path / "lean").exists()

    @property
    def table(self) -> Path | None:
        """The table of a lean stage; null where it is gone or was changed."""
        kept = (self.path / "lean").read_bytes()
        table = Path(orjson.loads(kept)["table"]) if kept else None
        return table if table is not None and self.has_table(table) else None

    def make_lean(self) -> None:
        write_atomically(self.path / "lean", b"")

    def finish_lean(self, table: Path) -> None:
        """The stage is finished as long as its table stays as it is."""
        with ThreadPoolExecutor(_SYNCS, "dataflow-sync") as pool:
            list(pool.map(sync, self.path.iterdir()))
        write_json(self.path / "lean", _stamp(table))
        self.finish()

    def has_table(self, table: Path) -> bool:
        """Whether the table of a lean stage is there, unchanged."""
        return table.exists() and orjson.loads((self.path / "lean").read_bytes()) == _stamp(table)

    def keep(
        self,
        part: int,
        frame: pl.DataFrame,
        dropped: pl.DataFrame,
        failed: pl.DataFrame,
        stats: Mapping[int, StepStats],
    ) -> None:
        """Write one finished part; it counts once this returns, or of a lean stage once all of it is finished."""
        self.path.mkdir(parents=True, exist_ok=True)
        account, counts = self._file(part, "done.json"), not self.lean
        account.unlink(missing_ok=True)
        for kind, rows in {"rows": frame, "dropped": dropped, "failed": failed}.items():
            if rows.height or kind == "rows":
                _put(self._file(part, f"{kind}.arrow"), rows, at_once=counts)
        told = {"rows": frame.height, "steps": {str(step): s.to_part() for step, s in stats.items()}}
        if counts:
            write_json(account, told)
        else:
            account.write_bytes(as_json(told))

    def keep_step(self, part: int, step: int, frame: pl.DataFrame) -> None:
        """Write the table after one step, for a run that keeps every step."""
        self.path.mkdir(parents=True, exist_ok=True)
        _put(self._file(part, f"step{step:03d}.arrow"), frame, at_once=True)

    def rows(self) -> int:
        """The rows of the parts that are done."""
        return sum(int(told["rows"]) for told in self.done().values())

    def parts(self) -> list[int]:
        return sorted(self.done())

    def read(self, part: int, columns: Sequence[str] | None = None, step: int | None = None) -> pl.DataFrame:
        path = self._file(part, "rows.arrow" if step is None else f"step{step:03d}.arrow")
        wanted = None if columns is None else list(dict.fromkeys([ROW, *columns]))
        return pl.read_ipc(path, columns=wanted)

    def has_step(self, step: int) -> bool:
        return bool(self.parts()) and all(
            self._file(p, f"step{step:03d}.arrow").exists() for p in self.parts()
        )

    def frames(self, columns: Sequence[str] | None = None, step: int | None = None) -> Iterator[pl.DataFrame]:
        for part in self.parts():
            yield self.read(part, columns, step)

    def numbered(self) -> Iterator[tuple[int, pl.DataFrame]]:
        """Each part with its number."""
        return ((part, self.read(part)) for part in self.parts())

    def dropped(self) -> pl.DataFrame:
        return _all(self.path.glob("part-*.dropped.arrow"), STEP | DROPPED)

    def failed(self) -> pl.DataFrame:
        return _all(self.path.glob("part-*.failed.arrow"), STEP | FAILED)

    def parts_with_failures(self) -> list[int]:
        return sorted(int(f.name[5:11]) for f in self.path.glob("part-*.failed.arrow"))

    def forget(self, parts: Sequence[int]) -> None:
        """Take parts back, so that the next run makes them anew."""
        (self.path / "finished").unlink(missing_ok=True)
        for part in parts:
            self._file(part, "done.json").unlink(missing_ok=True)
            for file in self.path.glob(f"part-{part:06d}.*"):
                file.unlink(missing_ok=True)

    def remove(self) -> None:
        """Delete the stage: at once by its name, so that a kill leaves none that only looks finished."""
        if self.path.name.startswith(_GONE) or not self.path.exists():
            shutil.rmtree(self.path, ignore_errors=True)
            return
        gone = self.path.with_name(f"{_GONE}{self.path.name}")
        shutil.rmtree(gone, ignore_errors=True)
        self.path.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)


@dataclass(frozen=True)
class Place:
    """Where the parts of a stage go: its folder, and the table that is written meanwhile if there is one."""

    folder: StageDir
    table: TrailingTable | None = None

    def keep(
        self,
        part: int,
        frame: pl.DataFrame,
        dropped: pl.DataFrame,
        failed: pl.DataFrame,
        stats: Mapping[int, StepStats],
    ) -> None:
        """Keep a finished part; of a lean stage the ids alone, unless the table is far behind and must read it back."""
        held = self.table is not None and self.table.is_near(part)
        kept = frame.select(ROW) if held and self.folder.lean else frame
        self.folder.keep(part, kept, dropped, failed, stats)
        if self.table is not None:
            self.table.put(part, frame if held else None)


STEP: dict[str, Any] = {"step": pl.Int64(), "operator": pl.String()}


def _stamp(table: Path) -> dict[str, Any]:
    stat = table.stat()
    return {"table": str(table), "bytes": stat.st_size, "changed_ns": stat.st_mtime_ns}


def _put(path: Path, frame: pl.DataFrame, *, at_once: bool) -> None:
    """Write a file that counts only by what is written after it. One that is there may be mapped, so it is not changed."""
    path.unlink(missing_ok=True)
    frame.write_ipc(path)
    if at_once:
        sync(path)


def _all(files: Iterator[Path], schema: Mapping[str, Any]) -> pl.DataFrame:
    frames = [pl.read_ipc(f) for f in sorted(files)]
    return pl.concat(frames) if frames else pl.DataFrame(schema=dict(schema))


def stamped(frame: pl.DataFrame, step: int, operator: str) -> pl.DataFrame:
    """An account of rows with the step that it is about."""
    return frame.select(pl.lit(step, pl.Int64).alias("step"), pl.lit(operator).alias("operator"), pl.all())
