"""Schema side files: the column types that a text format cannot hold, kept beside a table that we wrote.

`{folder}/.dataflow/{file}.schema.json` holds `{"size", "mtime_ns", "columns", "rows", "blocks"}`. It counts only
while the table's size and time of change are those it was written for; an edited table is read from scratch.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from dataflow.core.frames import JSON, is_json
from dataflow.storage.atomic import replacing


class Block(NamedTuple):
    """A run of whole lines in a JSONL file."""

    offset: int
    """In bytes, of the text when it is not compressed."""
    length: int
    rows: int
    clean: bool = True
    """Whether every line is an object of plain UTF-8 JSON, so that any parser reads it alike."""
    as_written: bool = False
    """Whether every line is, to the byte, what we would write of its row."""


@dataclass(frozen=True)
class Known:
    """What the side file of a table says."""

    schema: pl.Schema
    rows: int
    blocks: tuple[Block, ...] = ()


def beside(path: Path) -> Path:
    return path.parent / ".dataflow" / f"{path.name}.schema.json"


def remember(path: Path, known: Known) -> None:
    """Write the side file of a table that was just put in place."""
    stat = path.stat()
    columns = {name: encoded(dtype) for name, dtype in known.schema.items()}
    facts = {
        "size": stat.st_size,
        "mtime_ns": stat.st_mtime_ns,
        "columns": columns,
        "rows": known.rows,
        "blocks": known.blocks,
    }
    beside(path).parent.mkdir(exist_ok=True)
    with replacing(beside(path)) as temporary:
        temporary.write_text(json.dumps(facts), encoding="utf-8")


def recall(path: Path) -> Known | None:
    """What is known of a table; null where it was not written by us, or has been changed since."""
    try:
        facts = json.loads(beside(path).read_text(encoding="utf-8"))
        stat = path.stat()
        if (facts["size"], facts["mtime_ns"]) != (stat.st_size, stat.st_mtime_ns):
            return None
        schema = pl.Schema({name: decoded(dtype) for name, dtype in facts["columns"].items()})
        return Known(schema, facts["rows"], tuple(Block(*b) for b in facts["blocks"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def encoded(dtype: Any) -> Any:
    """A polars type as JSON: its class name, or a list of that name and its parameters."""
    if is_json(dtype):
        return "json"
    name = type(dtype).__name__ if isinstance(dtype, pl.DataType) else dtype.__name__
    parameters = _parameters(dtype)
    return [name, *parameters] if parameters else name


def _parameters(dtype: Any) -> Sequence[Any]:
    match dtype:
        case pl.List():
            return (encoded(dtype.inner),)
        case pl.Array():
            return (encoded(dtype.inner), dtype.size)
        case pl.Struct():
            return ({f.name: encoded(f.dtype) for f in dtype.fields},)
        case pl.Datetime():
            return (dtype.time_unit, dtype.time_zone)
        case pl.Duration():
            return (dtype.time_unit,)
        case pl.Decimal():
            return (dtype.precision, dtype.scale)
        case pl.Enum():
            return (dtype.categories.to_list(),)
    return ()


def decoded(text: Any) -> pl.DataType:
    """The polars type that `encoded` wrote.

    Raises:
        AttributeError: polars has no such type.
    """
    if text == "json":
        return JSON
    name, *parameters = text if isinstance(text, list) else [text]
    if name in ("List", "Array"):
        parameters[0] = decoded(parameters[0])
    elif name == "Struct":
        parameters[0] = {field: decoded(inner) for field, inner in parameters[0].items()}
    made: pl.DataType = getattr(pl, name)(*parameters)
    return made
