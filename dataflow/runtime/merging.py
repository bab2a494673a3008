"""Merging the tables of branches part by part: only the ids of their rows are held whole."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import lru_cache

import polars as pl

from dataflow.core.frames import ROW
from dataflow.core.merge import (
    KEY,
    Merge,
    joined,
    keys_among,
    not_in_branch,
    require_one_to_many,
    side,
    stacked,
)
from dataflow.core.outcome import FAILED, Outcome
from dataflow.plan.trace import Call
from dataflow.runtime.stagedir import STEP, StageDir, stamped
from dataflow.runtime.stats import StepStats


def run_merge(call: Call, before: Sequence[StageDir], to: StageDir, stats: StepStats) -> None:
    """Make the merged table of the branches' tables, and account for the rows that are not in all of them."""
    assert isinstance(call.operator, Merge)
    work = _stack if call.operator.how == "rows" else _join
    started = time.perf_counter()
    for part, (frame, done) in enumerate(work(call.operator, before)):
        mine, now = StepStats(), time.perf_counter()
        mine.saw(frame, done, now - started)
        started = now
        stats.add(mine)
        account = stamped(done.dropped, call.step, call.name)
        to.keep(part, done.frame, account, pl.DataFrame(schema=STEP | FAILED), {call.step: mine})


def _stack(merge: Merge, before: Sequence[StageDir]) -> Iterator[tuple[pl.DataFrame, Outcome]]:
    schema = merge.merged_schema([_schema(b) for b in before])
    for name, branch in zip(merge.names, before, strict=True):
        for frame in branch.frames():
            yield frame, Outcome(stacked(frame, name, schema))


def _join(merge: Merge, before: Sequence[StageDir]) -> Iterator[tuple[pl.DataFrame, Outcome]]:
    schemas = [_schema(b) for b in before]
    schema, chosen = merge.merged_schema(schemas), merge.taken(schemas)
    ids = [pl.concat([f[ROW] for f in b.frames([])]) for b in before]
    keys = keys_among(ids)
    first = require_one_to_many(keys, merge)
    every = [_Rows(b, c, k) for b, c, k in zip(before, chosen, keys, strict=True)]
    others = [(n, o) for i, (n, o) in enumerate(zip(merge.names, every, strict=True)) if i != first]
    surplus = _not_in(ids, keys, first, merge)
    for part in before[first].parts():
        frame = before[first].read(part)
        left = side(frame, chosen[first], every[first].keys_of(part), ids=True)
        found = [(n, o.of(left[KEY])) for n, o in others]
        table, lost = joined(left, found, merge.missing)
        yield frame, Outcome(table.select(ROW, *schema), pl.concat([surplus, lost]))
        surplus = surplus.clear()


def _not_in(ids: Sequence[pl.Series], keys: Sequence[pl.Series], first: int, merge: Merge) -> pl.DataFrame:
    """An account of the rows of other branches that the first one has lost."""
    have = keys[first].implode()
    gone = [i.filter(~k.is_in(have)) for at, (i, k) in enumerate(zip(ids, keys, strict=True)) if at != first]
    return not_in_branch(pl.concat(gone).unique(maintain_order=True), merge.names[first])


def _schema(branch: StageDir) -> pl.Schema:
    frame = branch.read(branch.parts()[0])
    return frame.drop(ROW).schema


class _Rows:
    """The rows of a branch by key, read from the parts they are in."""

    def __init__(self, branch: StageDir, columns: dict[str, str], keys: pl.Series) -> None:
        self.branch, self.columns = branch, columns
        heights = [(part, branch.read(part, []).height) for part in branch.parts()]
        parts = pl.concat([pl.repeat(part, height, eager=True).alias("part") for part, height in heights])
        self.at = pl.DataFrame([keys.alias(KEY), parts])
        self._read = lru_cache(maxsize=2)(self._part)

    def keys_of(self, part: int) -> pl.Series:
        """The keys of the rows of a part."""
        return self.at.filter(pl.col("part") == part)[KEY]

    def of(self, keys: pl.Series) -> pl.DataFrame:
        """The rows with these keys."""
        parts = self.at.filter(pl.col(KEY).is_in(keys.implode()))["part"].unique().sort()
        frames = [self._read(p) for p in parts.to_list()] or [self._read(self.branch.parts()[0]).clear()]
        return pl.concat(frames).filter(pl.col(KEY).is_in(keys.implode()))

    def _part(self, part: int) -> pl.DataFrame:
        return side(self.branch.read(part), self.columns, self.keys_of(part), ids=False)
