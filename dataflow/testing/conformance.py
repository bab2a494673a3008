"""What every operator promises, checked: `check_operator` is for this package's operators and everybody's."""

from __future__ import annotations

import inspect
import pickle
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from dataflow.core.frames import from_records, records
from dataflow.core.operator import Operator
from dataflow.core.rows import RowOperator
from dataflow.core.tables import Dataset
from dataflow.testing.cases import run_rows

AWKWARD = [
    None, "", " ", "\x00", "\ud800", "é", "e\u0301", "👩‍👩‍👧", "שלום", "日本語", "ไทย", "{question} {0} {", "a\r\nb\rc\n", "\ufeffx",
    "a" * 5000, "<text></text>", '{"a": 1}', "1e5", "007",
]  # fmt: skip
MEGABYTE = "ab cd ef, gh.\n" * 75_000
SECONDS = 3.0


def check_operator(op: Operator, rows: Sequence[dict[str, Any]] | None = None, **keys: Any) -> None:
    """Raise `AssertionError` unless the operator keeps every promise; the message says which and how to mend it.

    Args:
        op: the operator, with a serving that answers at once if it asks a model.
        rows: records that it can work on; made from awkward texts where left out.
        keys: the columns it is run with; its defaults where left out.
    """
    for name, promise in PROMISES.items():
        try:
            promise(op, list(rows) if rows is not None else _awkward(op, keys), keys)
        except AssertionError as error:
            raise AssertionError(f"{type(op).__name__} breaks the promise `{name}`: {error}") from error


def documented(op: Operator, rows: list[dict[str, Any]], keys: dict[str, Any]) -> None:
    cls = type(op)
    doc = inspect.cleandoc(cls.__doc__ or "")
    head = doc.partition("\n")[0]
    assert vars(cls).get("__doc__"), "give the class a docstring; its first line is the catalogue entry"
    assert head.endswith(".") and len(head) < 100, (
        f"end the first line with a full stop, under 100 characters: {head!r}"
    )
    bare = [n for n, f in cls.model_fields.items() if not f.description]
    assert not bare, f"put a string under each field: {', '.join(bare)}"


def empty_in_empty_out(op: Operator, rows: list[dict[str, Any]], keys: dict[str, Any]) -> None:
    if not op.makes_rows:
        done = run_rows(op, [], **keys)
        assert done.frame.height == 0, "an empty table must give an empty table"


def no_row_is_lost(op: Operator, rows: list[dict[str, Any]], keys: dict[str, Any]) -> None:
    done = run_rows(op, rows, **keys)
    gone = set(done.dropped["row"].to_list()) | set(done.failed["row"].to_list())
    alive = {str(r).split("/")[0] for r in done.frame["__row__"].to_list()}
    assert not (gone & set(done.frame["__row__"].to_list())), "a row is both kept and set aside"
    if isinstance(op, (RowOperator, Dataset)) and not op.makes_rows:
        missing = {str(i) for i in range(len(rows))} - gone - alive
        assert not missing, f"rows {sorted(missing)} are neither kept nor dropped nor failed"


def inputs_untouched(op: Operator, rows: list[dict[str, Any]], keys: dict[str, Any]) -> None:
    before = from_records(rows)
    run_rows(op, rows, **keys)
    assert before.equals(from_records(rows)), (
        "the kernel changed the rows it was given; build new values instead"
    )


def writes_only_its_outputs(op: Operator, rows: list[dict[str, Any]], keys: dict[str, Any]) -> None:
    if op.makes_rows:
        return
    binding = op.bind(**keys)
    allowed = (
        {k for r in rows for k in r} | {c for _, c in binding.columns_read()} | set(binding.writes.values())
    )
    done = run_rows(op, rows, **keys)
    extra = set(done.frame.columns) - allowed - {"__row__"}
    assert not extra, f"it writes {sorted(extra)}; declare an Out port for each column"
    absent = set(binding.writes.values()) - set(done.frame.columns)
    assert not absent, f"it declares {sorted(absent)} but does not write them"


def batch_size_does_not_matter(op: Operator, rows: list[dict[str, Any]], keys: dict[str, Any]) -> None:
    if not op.streams or op.makes_rows or op.calls_models or len(rows) < 2:
        return
    whole = records(run_rows(op, rows, **keys).frame)
    single = [r for row in rows for r in records(run_rows(op, [row], **keys).frame)]
    assert _shape(whole) == _shape(single), (
        "rows alone give something else than rows together; let the kernel keep no state"
    )


def _shape(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in sorted(r.items()) if v is not None} for r in rows]


def columns_equal_rows(op: Operator, rows: list[dict[str, Any]], keys: dict[str, Any]) -> None:
    """Where a kind has both a row kernel and a column kernel, they agree."""
    cls = type(op)
    row_kernel = getattr(cls, cls.kernel, None) if cls.kernel else None
    fast = next((n for n in ("expr", "map_batch") if hasattr(cls, n)), None)
    base = (
        next(
            (getattr(b, cls.kernel, None) for b in cls.__mro__ if b.__module__ == "dataflow.core.rows"), None
        )
        if cls.kernel
        else None
    )
    if fast is None or row_kernel is None or row_kernel is base:
        return
    slow = type(cls.__name__, (cls,), {"__doc__": cls.__doc__, "__module__": cls.__module__})
    assert records(run_rows(op, rows, **keys).frame) == records(_without(slow, fast, op, rows, keys)), (
        f"{fast} and {cls.kernel} differ"
    )


def _without(cls: Any, fast: str, op: Operator, rows: list[dict[str, Any]], keys: dict[str, Any]) -> Any:
    def hidden(self: Any, name: str) -> Any:
        if name == fast:
            raise AttributeError(name)
        return object.__getattribute__(self, name)

    cls.__getattribute__ = hidden
    return run_rows(cls.model_construct(**dict(op)), rows, **keys).frame


def fast_enough(op: Operator, rows: list[dict[str, Any]], keys: dict[str, Any]) -> None:
    if not isinstance(op, RowOperator) or op.makes_rows or op.calls_models or not rows:
        return
    text = {
        c
        for p, c in op.bind(**keys).columns_read()
        if op.inputs.get(p) and op.inputs[p].type in ("text", "any")
    }
    big = {
        k: MEGABYTE if k in text and (v is None or isinstance(v, str)) else v
        for k, v in (rows[0] | dict.fromkeys(text)).items()
    }
    started = time.process_time()
    run_rows(op, [big], **keys)
    assert (took := time.process_time() - started) < SECONDS, (
        f"1 MB of text took {took:.1f} s; look for a regex that backtracks"
    )


def config_round_trip(op: Operator, rows: list[dict[str, Any]], keys: dict[str, Any]) -> None:
    cls = type(op)
    settings = {k: v for k, v in op if k in op.model_fields_set}
    assert cls(**settings) == op, "making it again from its own settings gives another operator"
    assert cls.model_config.get("frozen"), "operators are frozen"
    if not op.calls_models and not any(
        callable(v) or (isinstance(v, (list, tuple)) and any(map(callable, v))) for v in settings.values()
    ):
        assert pickle.loads(pickle.dumps(op)) == op, "it does not survive pickling"  # noqa: S301


def keys_are_checked(op: Operator, rows: list[dict[str, Any]], keys: dict[str, Any]) -> None:
    if op.open_inputs:
        return
    try:
        op.bind(**keys, no_such_key="x")
    except ValueError:
        return
    raise AssertionError("an unknown key must raise BindError")


def _awkward(op: Operator, keys: dict[str, Any]) -> list[dict[str, Any]]:
    if op.makes_rows:
        return []
    columns = dict.fromkeys(c for _, c in op.bind(**keys).columns_read())
    types = {c: op.inputs[p].type if p in op.inputs else "text" for p, c in op.bind(**keys).columns_read()}
    return [{c: _cell(types[c], text) for c in columns} for text in AWKWARD]


def _cell(port_type: str, text: str | None) -> Any:
    if text is None:
        return None
    samples: dict[str, Any] = {
        "int": len(text), "float": len(text) / 2, "number": len(text) / 2, "bool": bool(text), "embedding": [float(len(text)), 1.0],
        "list[text]": [text], "list[float]": [1.0, 2.0], "list[int]": [1, 2], "json": {"text": text},
    }  # fmt: skip
    return samples.get(port_type, text)


PROMISES: dict[str, Callable[[Operator, list[dict[str, Any]], dict[str, Any]], None]] = {
    f.__name__: f
    for f in (
        documented, keys_are_checked, empty_in_empty_out, no_row_is_lost, inputs_untouched, writes_only_its_outputs,
        batch_size_does_not_matter, columns_equal_rows, fast_enough, config_round_trip,
    )
}  # fmt: skip


def promises() -> Iterator[str]:
    """The names of all promises."""
    yield from PROMISES
