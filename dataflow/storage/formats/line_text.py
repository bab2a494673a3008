"""Frames as lines of JSON."""

from __future__ import annotations

import io
import math
from typing import Any

import orjson
import polars as pl

from dataflow.core.frames import dumps, is_json, loads
from dataflow.storage.formats.base import as_stored
from dataflow.storage.shapes import table
from dataflow.storage.stored import applied


def lines(frame: pl.DataFrame) -> bytes:
    """The rows as JSON objects, a line each, keys in column order; the cells of `json` columns as they are."""
    write_lines(frame, made := io.BytesIO())
    return made.getvalue()


def write_lines(frame: pl.DataFrame, to: io.BytesIO) -> None:
    """The same, written to a buffer from where it stands."""
    columns = list(map(as_stored, frame.get_columns()))
    if not columns or not frame.height:
        to.write(b"{}\n" * frame.height)
    elif any(is_json(c.dtype) for c in columns):
        _joined(columns).write_csv(to, include_header=False, quote_style="never")
    else:
        table(columns, frame.height).write_ndjson(to)


def _joined(columns: list[pl.Series]) -> pl.DataFrame:
    """One column of whole objects: what polars encodes, and between it the texts that `json` cells are already."""
    parts = {f"{at}": _members(run) for at, run in enumerate(_runs(columns))}
    text = pl.concat_str([pl.lit("{"), pl.concat_str(pl.all(), separator=","), pl.lit("}")])
    return pl.DataFrame(parts).select(text)


def _runs(columns: list[pl.Series]) -> list[list[pl.Series]]:
    """Columns that are next to each other and can be encoded together; a `json` column is alone."""
    runs: list[list[pl.Series]] = [[]]
    for column in columns:
        if is_json(column.dtype):
            runs += [[column], []]
        else:
            runs[-1].append(column)
    return [run for run in runs if run]


def _members(run: list[pl.Series]) -> pl.Series:
    if not is_json(run[0].dtype):
        texts = table(run, len(run[0])).to_struct().struct.json_encode()
        return applied(texts, lambda c: c.str.strip_prefix("{").str.strip_suffix("}"))
    key = orjson.dumps(run[0].name).decode() + ":"
    cells = _standard(run[0].ext.storage())
    return applied(cells, lambda c: pl.lit(key) + c.str.replace_all(r"[\r\n]", " ").fill_null("null"))


def _standard(cells: pl.Series) -> pl.Series:
    """JSON texts with NaN and infinity, which JSON does not have, as null; as for columns of numbers."""
    odd = cells.str.contains("NaN|Infinity").fill_null(value=False).to_list()
    if not any(odd):
        return cells
    texts = [dumps(_finite(loads(c))) if o else c for c, o in zip(cells.to_list(), odd, strict=True)]
    return pl.Series(cells.name, texts, dtype=pl.String)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    return [_finite(v) for v in value] if isinstance(value, list) else value
