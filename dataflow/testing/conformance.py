"""What every operator promises, checked: `check_operator` is for this package's operators and everybody's."""

from __future__ import annotations

import inspect
import pickle
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

from dataflow.core.errors import STOPPING, BindError
from dataflow.core.frames import ROW, clean, dumps, forget, records, values
from dataflow.core.operator import Operator
from dataflow.core.rows import RowOperator
from dataflow.core.tables import Dataset
from dataflow.core.written import field_docs
from dataflow.testing.cases import run_rows
from dataflow.testing.trial import Rows, Trial, awkward_rows

MEGABYTE = "ab cd ef, gh.\n" * 75_000
SECONDS = 3.0
"""CPU time that a megabyte of text may always take, however it grew."""
GROWTH = 22
"""How many times longer than an eighth of it a megabyte may take: between 8, which is linear, and 64, which is the square."""
WRONG_TYPE = (pl.exceptions.SchemaError, pl.exceptions.InvalidOperationError, pl.exceptions.ComputeError)


def check_operator(op: Operator, rows: Sequence[Mapping[str, Any]] | None = None, **keys: Any) -> None:
    """Raise `AssertionError` unless the operator keeps every promise; the message says which and how to mend it.

    Args:
        op: the operator, with a serving that answers at once if it asks a model.
        rows: records that it can work on; made from awkward texts where left out.
        keys: the columns it is run with; its defaults where left out.

    Raises:
        BindError: the keys or the rows are not such as the operator reads.
        AssertionError: it breaks a promise.
    """
    op.bind(**keys)
    trial = Trial(op, awkward_rows(op, keys) if rows is None else [dict(r) for r in rows], keys)
    for name, promise in PROMISES.items():
        try:
            promise(trial)
        except AssertionError as broken:
            raise AssertionError(f"{type(op).__name__} breaks the promise `{name}`: {broken}") from broken
        except (BindError, *STOPPING):
            raise
        except Exception as error:
            raise AssertionError(
                f"{type(op).__name__} breaks the promise `{name}`: {_raised(op, error)}"
            ) from error


def _raised(op: Operator, error: Exception) -> str:
    advice = "nulls and awkward texts are among the rows; give each its value, or let only its row fail"
    if isinstance(error, WRONG_TYPE):
        advice = (
            "a text column with a lone surrogate in it comes as `json`, which no column kernel reads; "
            f"define {op.kernel} too, which is then used instead"
        )
    return f"it raises {type(error).__name__}: {_short(error)}; {advice}"


def documented(trial: Trial) -> None:
    """The class has a docstring whose first line is a sentence, and each field has a description."""
    cls = type(trial.op)
    assert vars(cls).get("__doc__"), "give the class a docstring; its first line is the catalogue entry"
    head = inspect.cleandoc(cls.__doc__ or "").partition("\n")[0]
    assert head.endswith("."), f"end the first line of the docstring with a full stop; it is {head!r}"
    assert len(head) < 100, f"cut the first line of the docstring to under 100 characters; it has {len(head)}"
    bare = [name for name, doc in field_docs(cls).items() if not doc]
    assert not bare, f"put a string that describes it under each field: {', '.join(bare)}"


def keys_are_checked(trial: Trial) -> None:
    """A key that the operator does not have is refused before anything runs."""
    if trial.op.open_inputs:
        return
    try:
        trial.op.bind(**trial.keys, no_such_key="x")
    except BindError:
        return
    raise AssertionError(
        "bind took the unknown key no_such_key; call super().bind, or set open_inputs if any key is a column"
    )


def empty_in_empty_out(trial: Trial) -> None:
    """An empty table gives an empty table."""
    if trial.op.makes_rows:
        return
    made = trial.run([]).frame.height
    assert made == 0, f"{made} rows came of none; if rows are to be made of nothing, derive from Source"


def no_row_is_lost(trial: Trial) -> None:
    """Each row is kept, dropped with a reason, or failed with an error; none is two of these."""
    set_aside = {*trial.done.dropped["row"], *trial.done.failed["row"]}
    kept = set(trial.done.frame[ROW])
    twice = sorted(set_aside & kept)
    assert not twice, f"rows {_some(twice)} are kept and set aside; take them out of Outcome.frame"
    if isinstance(trial.op, (RowOperator, Dataset)) and not trial.op.makes_rows:
        seen = set_aside | {row.split("/")[0] for row in kept}
        gone = [row for row in trial.given[ROW] if row not in seen]
        assert not gone, (
            f"rows {_some(gone)} are neither kept nor dropped nor failed; say so in Outcome.dropped, with a reason"
        )


def inputs_untouched(trial: Trial) -> None:
    """Columns that it does not write come out as they went in."""
    if trial.op.makes_rows:
        return
    frame = trial.done.frame
    sources = [int(row.split("/")[0]) for row in frame[ROW]]
    for column in trial.given.columns:
        if column in (ROW, *trial.binding.writes.values()):
            continue
        assert column in frame.columns, f"column {column!r} is gone; add to the frame with with_columns"
        same = dumps(values(frame[column])) == dumps(values(trial.given[column][sources]))
        assert same, f"column {column!r} has changed; declare an Out port for it, or leave it as it is"


def writes_only_its_outputs(trial: Trial) -> None:
    """It writes the columns of its output ports, all of them and no other."""
    if trial.op.makes_rows:
        return
    written, declared = set(forget(trial.done.frame).columns), set(trial.binding.writes.values())
    extra = sorted(written - declared - set(trial.given.columns))
    assert not extra, f"it writes {_some(extra)}; declare an Out port for each column"
    absent = sorted(declared - written)
    assert not absent, f"it declares {_some(absent)} but does not write them; take the ports away"


def columns_equal_rows(trial: Trial) -> None:
    """Where an operator has both a column kernel and a row kernel, they agree."""
    cls = type(trial.op)
    fast = next((name for name in ("expr", "map_batch") if hasattr(cls, name)), None)
    if fast is None or not _has_row_kernel(cls):
        return
    # a column with a lone surrogate is `json`, which is left to the row kernel anyway
    rows = [{column: clean(cell) for column, cell in row.items()} for row in trial.rows]
    made = records(trial.run(rows).frame)
    expected = records(run_rows(_row_by_row(trial.op), rows, **trial.keys).frame)
    assert made == expected, (
        f"{fast} and {cls.kernel} differ ({_first_difference(made, expected)}); "
        f"mend one of them, or take {cls.kernel} away"
    )


def _has_row_kernel(cls: type[Operator]) -> bool:
    """Whether a class, or a base of it outside the core, defines the kernel that takes one row."""
    of_kind = [vars(b).get(cls.kernel) for b in cls.__mro__ if b.__module__ == "dataflow.core.rows"]
    return bool(cls.kernel) and getattr(cls, cls.kernel) not in of_kind


def _row_by_row(op: Operator) -> Operator:
    """The same operator, made to use its row kernel."""
    cls = type(op)
    forced = {"by_rows": lambda *_: True, "__doc__": cls.__doc__, "__module__": cls.__module__}
    twin: Any = type(cls.__name__, (cls,), forced)
    made: Operator = twin.model_construct(**dict(op))
    return made


def batch_size_does_not_matter(trial: Trial) -> None:
    """Rows one by one give what they give together; for operators that stream and ask no model."""
    op = trial.op
    if not op.streams or op.makes_rows or op.calls_models:
        return
    together = [_filled(r) for r in records(trial.done.frame)]
    alone = [_filled(r) for row in trial.rows for r in records(trial.run([row]).frame)]
    assert together == alone, (
        f"rows alone give something else than rows together ({_first_difference(together, alone)}); "
        "keep nothing between rows, or derive from Dataset to see whole columns"
    )


def fast_enough(trial: Trial) -> None:
    """Time grows with the length of a text, not with its square; for row operators without a model."""
    op = trial.op
    if not isinstance(op, RowOperator) or op.makes_rows or not trial.rows:
        return
    if op.calls_models or op.runs_model:
        return
    took = _cpu_seconds(trial, MEGABYTE)
    if took < SECONDS:
        return
    eighth = _cpu_seconds(trial, MEGABYTE[: len(MEGABYTE) // 8])
    assert took < GROWTH * eighth, (
        f"1 MB of text took {took:.1f} s, {took / eighth:.0f} times what an eighth of it takes; "
        "look for a regex that backtracks, or work in a loop that grows with its square"
    )


def _cpu_seconds(trial: Trial, text: str) -> float:
    """What the first row costs with this in all its text columns."""
    row = {column: trial.rows[0].get(column) for column in trial.given.columns if column != ROW}
    for column in _text_columns(trial):
        if row[column] is None or isinstance(row[column], str):
            row[column] = text
    started = time.process_time()
    trial.run([row])
    return time.process_time() - started


def _text_columns(trial: Trial) -> list[str]:
    ports = trial.op.inputs
    return [c for p, c in trial.binding.columns_read() if p in ports and ports[p].type in ("text", "any")]


def config_round_trip(trial: Trial) -> None:
    """It is frozen, can be made again from its own settings, and can be pickled where they can."""
    op, cls = trial.op, type(trial.op)
    assert cls.model_config.get("frozen"), (
        "leave operators frozen; what changes between runs is an Arg of run"
    )
    settings = {name: value for name, value in op if name in op.model_fields_set}
    assert cls(**settings) == op, (
        f"made again from its own settings it is another operator: {cls(**settings)!r}, not {op!r}; "
        "let validators leave a value alone that they have seen before"
    )
    if not op.calls_models and not any(map(_holds_code, settings.values())):
        assert _pickled(op) == op, "unpickled it is another operator; keep all that it is in its fields"


def _holds_code(value: Any) -> bool:
    return callable(value) or (isinstance(value, (list, tuple)) and any(map(callable, value)))


def _pickled(op: Operator) -> Any:
    try:
        return pickle.loads(pickle.dumps(op))  # noqa: S301
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise AssertionError(
            f"it cannot be pickled ({error}); define it at the top of a module, and keep no locks or open files in it"
        ) from error


def _filled(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row without its nulls: a column that is null throughout is another column in a table of one row."""
    return {name: value for name, value in row.items() if value is not None}


def _first_difference(made: Rows, expected: Rows) -> str:
    if len(made) != len(expected):
        return f"{len(expected)} rows against {len(made)}"
    return next(f"{_short(e)} against {_short(m)}" for m, e in zip(made, expected, strict=True) if m != e)


def _short(value: object, chars: int = 150) -> str:
    text = str(value)
    return text if len(text) <= chars else f"{text[:chars]}…"


def _some(names: Sequence[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


PROMISES: dict[str, Callable[[Trial], None]] = {
    f.__name__: f
    for f in (
        documented, keys_are_checked, empty_in_empty_out, no_row_is_lost, inputs_untouched, writes_only_its_outputs,
        columns_equal_rows, batch_size_does_not_matter, fast_enough, config_round_trip,
    )
}  # fmt: skip


def promises() -> dict[str, str]:
    """Each promise by its name, in words."""
    return {name: inspect.getdoc(f) or "" for name, f in PROMISES.items()}
