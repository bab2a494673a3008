"""How a plan is run, and when a run gives up: limits on rows, money and failures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from dataflow.core.errors import ConfigError, TooManyFailures
from dataflow.plan.trace import Call
from dataflow.runtime.stats import StepStats

SURE_AFTER = 50
"""Rows after which a share of failed ones is believed while the step goes on."""


@dataclass(frozen=True)
class Options:
    """How a plan is run."""

    limit: int | None = None
    """Source rows at most: a preview."""
    keep_steps: bool = False
    """Whether the table after every step is written where eager mode writes it."""
    retry_failed: bool = False
    """Whether rows set aside by an earlier run are tried again."""
    progress: bool = True
    target_rows: int | None = None
    """Rows wanted: the run begins no more source rows than it takes to have them."""
    max_candidates: int | None = None
    """Source rows at most, on the way to `target_rows`."""
    max_error_rate: float | None = None
    """The share of failed rows, 0-1, beyond which a step stops the run; null never stops it."""
    budget: float | None = None
    """US dollars that the run may cost."""
    replay: Path | None = None
    """A recording whose replies are used instead of calls."""
    on_rows: Callable[[pl.DataFrame], object] | None = None
    """Called with rows of the final table as they come through, in no fixed order."""

    def __post_init__(self) -> None:
        if self.target_rows is not None and (self.target_rows < 1 or self.limit is not None):
            raise ConfigError(f"target_rows={self.target_rows} must be at least 1, and goes without limit")
        if self.max_candidates is not None and (self.target_rows is None or self.max_candidates < 1):
            raise ConfigError(
                f"max_candidates={self.max_candidates} must be at least 1, and bounds the rows begun for target_rows"
            )
        if self.replay is not None and self.retry_failed:
            raise ConfigError("a replay makes no call, so there is nothing to retry_failed with")
        if self.max_error_rate is not None and not 0 <= self.max_error_rate <= 1:
            raise ConfigError(f"max_error_rate={self.max_error_rate} is a share, from 0 to 1")


def check_failures(call: Call, stats: StepStats, most: float | None, *, ended: bool) -> None:
    """Stop the run where more than that share of a step's rows failed.

    Raises:
        TooManyFailures: with the commonest error.
    """
    if most is None or not stats.failed or (stats.rows_in < SURE_AFTER and not ended):
        return
    if stats.failed > most * stats.rows_in:
        ((error, count),) = stats.errors.most_common(1)
        raise TooManyFailures(
            f"step {call.step} {call.name}: {stats.failed} of {stats.rows_in} rows failed, more than "
            f"max_error_rate={most:g} allows; {count} of them with {error}"
        )


def quotas(target: int, most: int) -> Quotas:
    """How many source rows to begin, round after round, until `target` rows have come through."""
    return Quotas(target, most, max(8, min(1024, target // 20)))


@dataclass
class Quotas:
    """Source rows begun so far, grown by what the share of rows that came through makes likely to be enough."""

    target: int
    most: int
    step: int
    """Rows are begun in multiples of this."""

    @property
    def facts(self) -> tuple[str, int, int, int]:
        """What decides how many rows are begun, beside how many come through."""
        return "target", self.target, self.most, self.step

    def first(self) -> int:
        return self._rounded(self.target)

    def after(self, begun: int, through: int) -> int | None:
        """The source rows to have begun next; null where there are enough rows, or no more to begin."""
        missing = self.target - through
        if missing <= 0 or begun >= self.most:
            return None
        rate = max(through, 0.5) / begun
        wanted = missing / rate
        return self._rounded(begun + (0.9 * wanted if wanted > 2 * self.step else wanted))

    def _rounded(self, rows: float) -> int:
        return min(self.most, -(-int(rows) // self.step) * self.step)
