"""What the full run will take, from what a preview of its first rows took."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataflow.plan.plan import Flow, Stage
    from dataflow.plan.trace import Call

_Z = 1.96
"""For intervals that hold in 95 of 100 cases."""
_SURE = ("Map", "Generate", "Judge", "Embed", "Source")
"""Kinds that let every row through but those that fail."""


@dataclass(frozen=True)
class Range:
    """A number that is expected, and between which two it most likely is."""

    expected: float
    low: float
    high: float

    @classmethod
    def exactly(cls, number: float) -> Range:
        return cls(number, number, number)

    def times(self, factor: float) -> Range:
        return Range(self.expected * factor, self.low * factor, self.high * factor)

    @classmethod
    def total(cls, parts: Sequence[Range]) -> Range:
        """The sum; since all parts follow the same rows, their low ends come together, and their high ends."""
        return cls(sum(p.expected for p in parts), sum(p.low for p in parts), sum(p.high for p in parts))


@dataclass(frozen=True)
class StepEstimate:
    """What one step will take for all rows."""

    step: int
    operator: str
    rows_in: Range
    rows_out: Range
    selectivity: Range
    """Rows out a row in."""
    calls: Range
    prompt_tokens: Range
    completion_tokens: Range
    cost: Range
    """US dollars, replies that the journal holds already included."""
    latency: float | None
    """Seconds a call; null where no call was made or timed."""
    seconds: float | None
    """By the clock, were it alone; null where the preview could not tell."""


@dataclass(frozen=True)
class Estimate:
    """What a run will take. `str(estimate)` is one line."""

    rows: int
    """Source rows of the preview that it rests on."""
    steps: dict[int, StepEstimate] = field(default_factory=dict)
    seconds: float | None = None
    """By the clock; null where the time of a step is not known."""

    @property
    def calls(self) -> Range:
        return self._sum("calls")

    @property
    def tokens(self) -> Range:
        return Range.total([self._sum("prompt_tokens"), self._sum("completion_tokens")])

    @property
    def cost(self) -> Range:
        return self._sum("cost")

    def _sum(self, name: str) -> Range:
        return Range.total([getattr(s, name) for s in self.steps.values()])

    def to_dict(self) -> dict[str, Any]:
        """Plain values: `{"rows", "calls", "tokens", "cost", "seconds", "steps": {number: …}}`."""
        sums = {k: asdict(getattr(self, k)) for k in ("calls", "tokens", "cost")}
        steps = {number: asdict(step) for number, step in self.steps.items()}
        return {"rows": self.rows, **sums, "seconds": self.seconds, "steps": steps}

    def __str__(self) -> str:
        took = (
            f"about {_duration(self.seconds)}" if self.seconds is not None else "for a time that is not known"
        )
        if not self.calls.expected:
            return f"expected no model calls, {took} (from a preview of {self.rows:,} rows)"
        told = f"{_count(self.calls)} calls, {_tokens(self.tokens.expected)} tokens, {_dollars(self.cost)}"
        return f"expected {told}, {took} (from a preview of {self.rows:,} rows)"

    def line(self, step: int) -> str:
        """A step's rows, calls and cost, as they stand behind it in a plan; nothing for one that is not known."""
        if (found := self.steps.get(step)) is None:
            return ""
        rows = f"{_count(found.rows_in)} -> {_count(found.rows_out)} rows"
        if not found.calls.expected:
            return f"[{rows}]"
        return f"[{rows}, {found.calls.expected:,.0f} calls, {_dollars(found.cost)}]"


def estimate(preview: Mapping[str, Any], flow: Flow) -> Estimate | None:
    """What all rows will take, from the account of a preview (`preview.json`); null where that is of other steps."""
    seen = {s["step"]: s for s in preview["steps"]}
    order = [c for stage in flow.stages for c in stage.calls]
    if {k: s["operator"] for k, s in seen.items()} != {c.step: c.name for c in order} or not seen:
        return None
    sampled, full = seen[order[0].step]["rows_in"], _height(flow)
    if not sampled:
        return None
    steps: dict[int, StepEstimate] = {}
    sure = True
    for call in order:
        steps[call.step] = _step(call, seen[call.step], sampled, full, sure=sure)
        sure = sure and _is_sure(call, seen[call.step])
    return Estimate(sampled, dict(sorted(steps.items())), _seconds(flow, steps))


def _height(flow: Flow) -> int:
    """Rows that the first step will be given, or will make out of nothing."""
    first = flow.calls[0].op
    if first is not None and first.makes_rows:
        return int(first.total())  # type: ignore[attr-defined]
    return int(flow.source.height)


def _is_sure(call: Call, seen: Mapping[str, Any]) -> bool:
    """Whether as many rows come out as go in, whatever the rows are."""
    kind = call.op.kind if call.op is not None else ""
    return kind in _SURE and seen["rows_in"] == seen["rows_out"]


def _step(call: Call, seen: Mapping[str, Any], sampled: int, full: int, *, sure: bool) -> StepEstimate:
    rows_in = _scaled(seen["rows_in"], sampled, full, sure=sure)
    rows_out = _scaled(seen["rows_out"], sampled, full, sure=sure and _is_sure(call, seen))
    selectivity = _scaled(seen["rows_out"], seen["rows_in"], 1, sure=_is_sure(call, seen))
    made = seen["calls"] + seen["cached"]
    each = rows_in.times(1 / seen["rows_in"]) if seen["rows_in"] else Range.exactly(0)
    sums = {
        k: each.times(seen[k] + seen[f"saved_{k}"]) for k in ("prompt_tokens", "completion_tokens", "cost")
    }
    latency, calls = _latency(seen), each.times(made)
    seconds = _alone(call, seen, calls.expected, latency, each.expected)
    return StepEstimate(
        call.step, call.name, rows_in, rows_out, selectivity, calls, **sums, latency=latency, seconds=seconds
    )


def _latency(seen: Mapping[str, Any]) -> float | None:
    """Seconds a call, those of replies from the journal as long as they once took."""
    timed = seen["calls"] if seen["latency"] else 0
    saved = seen.get("saved_seconds", 0.0)
    spent = timed * seen["latency"].get("mean", 0.0) + saved
    made = timed + (seen["cached"] if saved else 0)
    return spent / made if made else None


def _alone(
    call: Call, seen: Mapping[str, Any], calls: float, latency: float | None, factor: float
) -> float | None:
    """Seconds by the clock of a step by itself: its calls over the workers of its serving, or its time a row."""
    if not seen["calls"] + seen["cached"]:
        return float(seen["seconds"] * factor)
    if latency is None:
        return None
    return math.ceil(calls / _workers(call)) * latency


def _serving(call: Call) -> Any:
    names = ("llm_serving", "embedding_serving", *getattr(call.operator, "__dict__", ()))
    found = (getattr(call.operator, n, None) for n in names)
    return next((s for s in found if hasattr(s, "generate_from_input") or hasattr(s, "embed")), None)


def _workers(call: Call) -> int:
    return max(1, int(getattr(getattr(_serving(call), "policy", None), "workers", 1)))


def _seconds(flow: Flow, steps: Mapping[int, StepEstimate]) -> float | None:
    """By the clock: one stage after the other, each as long as its busiest serving or its own work takes."""
    took = [_of_stage(stage, steps) for stage in flow.stages]
    return None if None in took else sum(t for t in took if t is not None)


def _of_stage(stage: Stage, steps: Mapping[int, StepEstimate]) -> float | None:
    """The longest of: the calls of each serving over its workers, the work without calls, one row's way through."""
    servings: dict[int, float] = {}
    work = one_row = 0.0
    for wave in stage.waves:
        asking = [c for c in wave if steps[c.step].calls.expected]
        if any(steps[c.step].seconds is None for c in wave):
            return None
        for call in asking:
            key, found = id(_serving(call)), steps[call.step]
            took = found.calls.expected * (found.latency or 0.0) / _workers(call)
            servings[key] = servings.get(key, 0.0) + took
        one_row += max((steps[c.step].latency or 0.0 for c in asking), default=0.0)
        work += sum(steps[c.step].seconds or 0.0 for c in wave if c not in asking)
    return max([work, one_row, *servings.values()])


def _scaled(part: int, whole: int, full: int, *, sure: bool) -> Range:
    """What `part` of `whole` makes of `full`: as a share (Wilson's interval), or as a count where it is no share."""
    if not whole:
        return Range.exactly(0)
    expected = full * part / whole
    if sure:
        return Range.exactly(expected)
    low, high = _wilson(part, whole) if part <= whole else _poisson(part, whole)
    return Range(expected, full * low, full * high)


def _wilson(part: int, whole: int) -> tuple[float, float]:
    share, z2 = part / whole, _Z * _Z / whole
    middle = share + z2 / 2
    half = _Z * math.sqrt(share * (1 - share) / whole + z2 / whole / 4)
    return max(0.0, (middle - half) / (1 + z2)), min(1.0, (middle + half) / (1 + z2))


def _poisson(count: int, whole: int) -> tuple[float, float]:
    """The score interval of a count, a row: for steps that make several rows of one."""
    middle, half = count + _Z * _Z / 2, _Z * math.sqrt(count + _Z * _Z / 4)
    return (middle - half) / whole, (middle + half) / whole


def _count(number: Range) -> str:
    return f"{number.expected:,.0f}"


def _tokens(number: float) -> str:
    for size, unit in ((1e9, " B"), (1e6, " M"), (1e4, " k")):
        if number >= size:
            return f"{number / (1e3 if unit == ' k' else size):,.1f}{unit}"
    return f"{number:,.0f}"


def _dollars(cost: Range) -> str:
    """`$1.23 ($1.10-1.40)`; without an interval where that says no more."""
    shown = f"${_money(cost.expected)}"
    low, high = _money(cost.low), _money(cost.high)
    return shown if low == high else f"{shown} (${low}-{high})"


def _money(dollars: float) -> str:
    return f"{dollars:.2g}" if 0 < dollars < 0.01 else f"{dollars:,.2f}"


def _duration(seconds: float) -> str:
    units = ((86400, "d"), (3600, "h"), (60, "min"))
    for size, unit in units:
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:,.0f} s" if seconds >= 1 else "a second"
