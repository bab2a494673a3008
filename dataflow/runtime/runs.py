"""Runs that have been: finding them, their tables, and what became of one row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from dataflow.core.errors import StorageError
from dataflow.core.frames import ROW, dumps, loads, records, visible
from dataflow.runtime.stagedir import StageDir
from dataflow.storage.source import FileSource


class Run:
    """What a run left: its table, its counts, its report."""

    def __init__(self, run_dir: Path, summary: dict[str, Any]) -> None:
        self.run_dir, self.summary = run_dir, summary

    @property
    def status(self) -> str:
        """`done`, `stopped` (run again to go on) or `failed`."""
        return str(self.summary["status"])

    @property
    def why(self) -> list[str]:
        """What had changed since the run before, so that something was computed again."""
        return list(self.summary["why"])

    @property
    def path(self) -> Path | None:
        """The file with the final table; null for a preview, and for a run that is not done."""
        name = self.summary["output"]["path"]
        if not name:
            return None
        return Path(name) if Path(name).exists() else self.run_dir.parent / Path(name).name

    @property
    def rows(self) -> int:
        return int(self.summary["output"]["rows"])

    @property
    def counts(self) -> dict[str, Any]:
        """Calls, cached calls, tokens, cost, rows dropped and failed, of all steps together."""
        return dict(self.summary["totals"])

    @property
    def report(self) -> Path:
        return self.run_dir / ("report.html" if self.summary.get("limit") is None else "preview.html")

    @cached_property
    def table(self) -> pl.DataFrame:
        """The final table, all of it in memory."""
        return pl.concat(list(self.batches()), how="vertical_relaxed")

    def head(self, rows: int = 5) -> pl.DataFrame:
        """The first rows of the final table."""
        return next(iter(self.batches())).head(rows)

    def batches(self) -> Iterator[pl.DataFrame]:
        """The final table, some rows at a time.

        Raises:
            StorageError: neither the run's own copy nor the file is there.
        """
        last = StageDir(self.run_dir / "stages" / self.summary["last_stage"])
        if last.finished and not last.lean:
            yield from map(visible, first_rows(last.frames(), self.rows))
        elif self.path is not None and self.path.exists():
            source = FileSource(self.path)
            yield from source.chunks() if source.height else [pl.DataFrame(schema=source.schema)]
        else:
            raise StorageError(f"{self.run_dir} holds no finished table; run the pipeline again")

    @property
    def stages(self) -> list[StageDir]:
        return [StageDir(self.run_dir / "stages" / name) for name in self.summary["stages"]]

    def frames_of(self, stage: StageDir) -> Iterator[pl.DataFrame]:
        """The rows of a stage with their ids; where it keeps the ids alone, the rows of its table."""
        if not stage.lean:
            yield from stage.frames()
        elif stage.table is not None:
            ids, first = pl.concat(list(stage.frames([])))[ROW], 0
            for frame in FileSource(stage.table).chunks():
                yield frame.insert_column(0, ids.slice(first, frame.height))
                first += frame.height

    @property
    def records(self) -> list[dict[str, Any]]:
        return records(self.table)

    @property
    def dropped(self) -> pl.DataFrame:
        """Each dropped row: step, operator, row, reason, value."""
        return self._account("dropped")

    @property
    def failed(self) -> pl.DataFrame:
        """Each failed row: step, operator, row, error, kind, and the row itself as JSON."""
        return self._account("failed")

    @property
    def lineage(self) -> pl.DataFrame:
        """Each row that ended: row, fate, step, operator, parent, source_row."""
        return self._account("lineage")

    def _account(self, name: str) -> pl.DataFrame:
        path = self.run_dir / f"{name}.parquet"
        if not path.exists():
            raise StorageError(f"{self.run_dir} has no account of rows yet: no run of it has come to its end")
        return pl.read_parquet(path)

    def trace(self, row: str) -> list[dict[str, Any]]:
        """A row's history from source to fate; see `dataflow.runtime.runs.trace`."""
        return trace(self.run_dir, row)

    def card(self, **given: Any) -> str:
        """A data-set card in Markdown; see `dataflow.runtime.card.card`."""
        from dataflow.runtime.card import card  # which reads runs

        return card(self, **given)

    def __repr__(self) -> str:
        done = f"{self.summary['status']}, {self.summary['source']['rows']} rows in, {self.rows} out"
        return f"<Run {self.summary['pipeline']}: {done}, {self.counts['calls']} calls; report {self.report}>"


def first_rows(frames: Iterable[pl.DataFrame], rows: int | None) -> Iterator[pl.DataFrame]:
    """The first rows of a table that comes in frames, the first frame in any case; all where no number is given."""
    left = rows
    for number, frame in enumerate(frames):
        if left == 0 and number:
            return
        yield frame if left is None else frame.head(left)
        left = None if left is None else max(0, left - frame.height)


def find(cache_path: str | Path = ".") -> list[Path]:
    """The run directories under a folder, latest first."""
    found = {f.parent for name in ("run.json", "preview.json") for f in Path(cache_path).rglob(name)}
    real = [d for d in found if (d / "stages").is_dir()]
    return sorted(real, key=lambda d: max(f.stat().st_mtime for f in d.glob("*.json")), reverse=True)


def load(run_dir: str | Path) -> Run:
    """The last run of a directory, or its last preview where nothing else has run.

    Raises:
        StorageError: there is no run.
    """
    folder = Path(run_dir)
    for name in ("run.json", "preview.json"):
        if (folder / name).exists():
            return Run(folder, orjson.loads((folder / name).read_bytes()))
    raise StorageError(f"{folder} holds no run; `dataflow runs` lists those there are")


def trace(run_dir: str | Path, row: str) -> list[dict[str, Any]]:
    """A row's history from source to fate: what each step wrote to it, and where it or a row made of it was lost.

    Each event has `step`, `operator`, `row`, `fate` and `values`. Step 0 is the source; of a row that was lost there
    is the event of its loss, and what finished stages before it know.
    """
    events: list[dict[str, Any]] = []
    run = load(run_dir)
    for stage in run.stages:
        events += _lost(stage, row)
        events += _seen(stage, row, run)
    return sorted(events, key=lambda e: (e["step"], e["row"]))


def _lost(stage: StageDir, row: str) -> Iterator[dict[str, Any]]:
    for frame, fate, why in ((stage.dropped(), "dropped", "reason"), (stage.failed(), "failed", "error")):
        for found in frame.filter(_related(pl.col("row"), row)).to_dicts():
            values = loads(found["record"]) if "record" in found else {"value": found["value"]}
            yield {
                "step": found["step"],
                "operator": found["operator"],
                "row": found["row"],
                "fate": f"{fate}: {found[why]}",
                "values": values,
            }


def _seen(stage: StageDir, row: str, run: Run) -> Iterator[dict[str, Any]]:
    """An event for each step of a stage that the row, or a row made of it, passed: the columns that it wrote."""
    mine = {int(s) for account in stage.done().values() for s in account["steps"]}
    steps = [s for s in run.summary["steps"] if s["step"] in mine]
    wrote: list[tuple[int, str, list[str]]] = [
        (s["step"], s["operator"], list(s["writes"].values())) for s in steps
    ]
    if steps and steps[0]["step"] == run.summary["steps"][0]["step"]:
        wrote.insert(0, (0, "source", list(run.summary["source"]["columns"])))
    told: set[tuple[int, str]] = set()
    for frame in run.frames_of(stage):
        hit = frame.filter(_related(pl.col(ROW), row))
        for identifier, values in zip(hit[ROW].to_list(), records(hit), strict=True):
            for step, operator, columns in wrote:
                shown = {c: values[c] for c in columns if c in values}
                if (step, dumps(shown)) not in told:
                    told.add((step, dumps(shown)))
                    yield {
                        "step": step,
                        "operator": operator,
                        "row": identifier,
                        "fate": "passed",
                        "values": shown,
                    }


def _related(column: pl.Expr, row: str) -> pl.Expr:
    """The row itself, those it was made from, and those made from it."""
    parts = row.split("/")
    ancestors = ["/".join(parts[: i + 1]) for i in range(len(parts))]
    return column.is_in(ancestors) | column.str.starts_with(row + "/")
