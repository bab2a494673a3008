"""What may be done in another order, or at once, and give the same table: each rewrite rests on what steps declare.

A step may be moved only where everything about it is known: it looks at one row at a time, with the kernels of its
kind and not its own `apply` or `transform`, and its class does not say `deterministic = False`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from dataflow.core.errors import ConfigError, did_you_mean
from dataflow.core.generate import Embed, Generate, Judge
from dataflow.core.operator import Operator
from dataflow.core.rows import Expand, Filter, Map
from dataflow.plan.trace import Call

REWRITES = {
    "filters_first": "a filter goes ahead of model calls that it does not depend on",
    "together": "model calls that do not depend on each other are made at the same time",
    "columns": "columns that no step of a stage reads or writes do not travel with its rows",
}
"""Each rewrite, by the name that turns it off."""
_KERNELS = (Map, Filter, Expand, Generate, Embed)

Wave = tuple[Call, ...]
"""Steps that work on a row at the same time."""


@dataclass(frozen=True)
class Rewritten:
    """The steps of a stage as they will run, and what was done to them."""

    waves: tuple[Wave, ...]
    notes: tuple[str, ...] = ()


def chosen(optimise: bool | Collection[str]) -> frozenset[str]:
    """The rewrites to make: all, none, or those named.

    Raises:
        ConfigError: there is no rewrite of that name.
    """
    if isinstance(optimise, bool):
        return frozenset(REWRITES) if optimise else frozenset()
    for name in optimise:
        if name not in REWRITES:
            have = ", ".join(REWRITES)
            raise ConfigError(
                f"optimise: there is no rewrite {name!r}; there are {have}.{did_you_mean(name, REWRITES)}"
            )
    return frozenset(optimise)


def rewritten(calls: Sequence[Call], rewrites: Collection[str]) -> Rewritten:
    """The steps of one streaming stage in the order and grouping in which they cost least."""
    ordered, notes = list(calls), []
    if "filters_first" in rewrites:
        for call in calls:
            notes += _ahead(call, ordered)
    waves: list[Wave] = [(c,) for c in ordered]
    if "together" in rewrites:
        waves = _joined(waves)
        notes += [_together(w) for w in waves if len(w) > 1]
    return Rewritten(tuple(waves), tuple(notes))


def _ahead(call: Call, ordered: list[Call]) -> list[str]:
    """Move a filter before the earliest model call that it can pass."""
    if not (isinstance(call.op, Filter) and is_row_local(call.op) and not call.binding.writes):
        return []
    at = ordered.index(call)
    target, passed = at, 0
    for i in range(at - 1, -1, -1):
        if not (is_row_local(ordered[i].op) and not _writes(ordered[i]) & _reads(call)):
            break
        if ordered[i].op.calls_models:  # type: ignore[union-attr]
            target, passed = i, passed + 1
    if not passed:
        return []
    before = ordered[target]
    ordered.insert(target, ordered.pop(at))
    return [
        f"step {call.step} {call.name} runs before step {before.step} {before.name}: fewer rows to ask about"
    ]


def _joined(waves: list[Wave]) -> list[Wave]:
    """Let each model step that keeps every row join the earliest wave of such steps that it does not depend on."""
    made: list[Wave] = []
    for wave in waves:
        (call,) = wave
        at = _place(call, made)
        if at is None:
            made.append(wave)
        else:
            made[at] = (*made[at], call)
    return made


def _place(call: Call, made: Sequence[Wave]) -> int | None:
    if not _asks_of_each_row(call):
        return None
    found = None
    for i in range(len(made) - 1, -1, -1):
        if any(_depend(call, other) for other in made[i]):
            break
        if all(map(_asks_of_each_row, made[i])):
            found = i
        elif not all(isinstance(other.op, Map) and is_row_local(other.op) for other in made[i]):
            break
    return found


def _together(wave: Wave) -> str:
    names = " and ".join(f"step {c.step} {c.name}" for c in wave)
    return f"{names} ask at the same time: neither reads what another writes"


def _depend(a: Call, b: Call) -> bool:
    """Whether the order of two steps matters to the columns they write."""
    return bool(_writes(a) & (_reads(b) | _writes(b)) or _writes(b) & _reads(a))


def _asks_of_each_row(call: Call) -> bool:
    """Whether a step calls a model and hands on exactly the rows that did not fail."""
    op = call.op
    if op is None or not op.calls_models or not is_row_local(op):
        return False
    if isinstance(op, Generate) and type(op).finish not in (Generate.finish, Judge.finish):
        return False
    return not (getattr(op, "expands", False) or (isinstance(op, Judge) and op.filters))


def is_row_local(op: Operator | None) -> bool:
    """Whether what becomes of a row hangs on that row and the settings alone, as far as can be known."""
    if op is None or not op.streams or op.makes_rows or not op.deterministic:
        return False
    own = type(op)
    return any(
        issubclass(own, kind) and own.apply is kind.apply and own.transform is kind.transform
        for kind in _KERNELS
    )


def _reads(call: Call) -> set[str]:
    return {column for _, column in call.binding.columns_read()}


def _writes(call: Call) -> set[str]:
    return set(call.binding.writes.values())


def needed(calls: Iterable[Call]) -> set[str] | None:
    """The columns that steps read or write; null where that is not known of all."""
    columns: set[str] = set()
    for call in calls:
        if not is_row_local(call.op):
            return None
        columns |= _reads(call) | _writes(call)
    return columns
