"""What happened at each step, gathered as rows pass: counts, reasons, times, calls, samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import polars as pl

from dataflow.core.frames import ROW, records
from dataflow.core.outcome import Outcome, shown
from dataflow.core.protocols import Usage

SAMPLES = 5
ERRORS = 20
_USAGE = (
    "calls", "cached", "retried", "repairs", "prompt_tokens", "completion_tokens", "cost",
    "saved_prompt_tokens", "saved_completion_tokens", "saved_cost", "saved_seconds",
)  # fmt: skip


@dataclass
class StepStats:
    """The account of one step; accounts of parts add up to that of the whole."""

    rows_in: int = 0
    rows_out: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    seconds: float = 0.0
    """Time by the clock in which the operator had rows to work on."""
    usage: Usage = field(default_factory=Usage)
    errors: Counter[str] = field(default_factory=Counter)
    metrics: dict[str, Any] = field(default_factory=dict)
    samples: list[dict[str, Any]] = field(default_factory=list)
    measures: dict[str, list[int]] = field(default_factory=dict)
    """How many rows were kept, and how many dropped, at each measure, rounded to two digits."""

    def saw(self, before: pl.DataFrame, done: Outcome, seconds: float) -> None:
        """Add one batch."""
        self.rows_in += before.height
        self.rows_out += done.frame.height
        self.seconds += seconds
        self.failed += done.failed.height
        self.metrics |= done.metrics
        if done.dropped.height:
            self.dropped.update(done.dropped["reason"].str.replace(r"(?s): .*", "").to_list())
        if done.measured is not None:
            self._count(_histogram(done.measured))
        if done.failed.height:
            kinds, errors = done.failed["kind"].to_list(), done.failed["error"].to_list()
            self.errors.update(f"{k}: {e}"[:300] for k, e in zip(kinds, errors, strict=True))
        if len(self.samples) < SAMPLES and before.height:
            self.samples += _samples(before, done)[: SAMPLES - len(self.samples)]

    def forget(self) -> None:
        """Count rows anew; calls stay, for they were made."""
        self.__init__(usage=self.usage)  # type: ignore[misc]

    def add(self, other: StepStats) -> None:
        """Add the account of another part."""
        self.rows_in += other.rows_in
        self.rows_out += other.rows_out
        self.dropped.update(other.dropped)
        self.failed += other.failed
        self.seconds += other.seconds
        self.errors.update(other.errors)
        self.metrics |= other.metrics
        self._count(other.measures)
        self.samples = (self.samples + other.samples)[:SAMPLES]

    def _count(self, measures: Mapping[str, Sequence[int]]) -> None:
        for measure, rows in measures.items():
            have = self.measures.setdefault(measure, [0, 0])
            self.measures[measure] = [a + b for a, b in zip(have, rows, strict=True)]

    def to_dict(self) -> dict[str, Any]:
        u = self.usage
        return {
            "rows_in": self.rows_in, "rows_out": self.rows_out, "dropped": dict(self.dropped.most_common()),
            "failed": self.failed, "seconds": round(self.seconds, 3), "metrics": self.metrics, "samples": self.samples,
            "measures": self.measures,
            "errors": [{"error": e, "count": n} for e, n in self.errors.most_common(ERRORS)],
            **{k: getattr(u, k) for k in _USAGE}, "failed_calls": u.failed, "models": sorted(u.models),
            "latency": _quantiles(u.latencies), "latencies": [round(x, 4) for x in u.latencies[:200]],
        }  # fmt: skip

    def to_part(self) -> dict[str, Any]:
        """What a finished part keeps of its account; calls are kept by the journal and the run."""
        kept = {k: v for k, v in asdict(self).items() if k != "usage"}
        return kept | {"dropped": dict(self.dropped), "errors": dict(self.errors.most_common(ERRORS))}

    @classmethod
    def from_part(cls, kept: Mapping[str, Any]) -> StepStats:
        return cls(**{**kept, "dropped": Counter(kept["dropped"]), "errors": Counter(kept["errors"])})


def _histogram(measured: pl.DataFrame) -> dict[str, list[int]]:
    """How many rows were kept and dropped at each measure; truth values count as 0 and 1, and what is no number not."""
    dtype = measured.schema["measure"]
    if not dtype.is_numeric() and dtype != pl.Boolean:
        return {}
    rounded = pl.col("measure").cast(pl.Float64).round_sig_figs(2)
    counts = measured.group_by(at=rounded).agg(kept=pl.col("kept").sum(), lost=(~pl.col("kept")).sum())
    found = counts.filter(pl.col("at").is_finite()).sort("at")
    return {f"{at:g}": [kept, lost] for at, kept, lost in found.iter_rows()}


def _quantiles(seconds: Sequence[float]) -> dict[str, float]:
    if not seconds:
        return {}
    ordered = sorted(seconds)
    at = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
    quantiles = {k: round(ordered[min(len(ordered) - 1, int(q * len(ordered)))], 4) for k, q in at.items()}
    return quantiles | {"mean": round(sum(ordered) / len(ordered), 4)}


def _samples(before: pl.DataFrame, done: Outcome) -> list[dict[str, Any]]:
    """A few rows before and after, and what became of them: one of each fate first."""
    fates = {r: f"dropped: {why}" for r, why in done.dropped.select("row", "reason").head(2).iter_rows()}
    fates |= {r: f"failed: {why}" for r, why in done.failed.select("row", "error").head(2).iter_rows()}
    kept = done.frame.head(2)
    after = dict(zip(kept[ROW].to_list(), map(_short, records(kept)), strict=True))
    parents = {r.rpartition("/")[0]: r for r in after if r.rpartition("/")[0]}
    wanted = [*fates, *(r for r in after if r not in parents.values()), *parents]
    rows = before.filter(pl.col(ROW).is_in(wanted)).head(4)
    return [
        {
            "row": r,
            "before": _short(b),
            "after": after.get(r) or after.get(parents.get(r, "")),
            "fate": fates.get(r, "kept"),
        }
        for r, b in zip(rows[ROW].to_list(), records(rows), strict=True)
    ]


def _short(record: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v if v is None or isinstance(v, (int, float, bool)) else _text(v) for k, v in record.items()}


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value if len(value) <= 1200 else value[:1199] + "…"
    return shown(value) or ""
