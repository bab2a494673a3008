"""The head of a data-set card: what a hub reads of it, as YAML that every parser takes for the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from dataflow.core.frames import clean, is_json

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
"""Bare words that a YAML parser takes for something else than text."""
_ODD = re.compile("[\x7f-\xa0\u2028\u2029\ufeff\ufffe\uffff]")
"""What JSON lets stand in a text, and YAML does not."""
_SIZES = ((1e3, "1K"), (1e4, "10K"), (1e5, "100K"), (1e6, "1M"), (1e7, "10M"), (1e8, "100M"), (1e9, "1B"))


def front_matter(values: Mapping[str, Any]) -> str:
    """The values between two rules of dashes; those that are null or empty are left out."""
    lines = _lines({k: v for k, v in values.items() if v not in (None, "", [], {})})
    return "\n".join(["---", *lines, "---"])


def size_category(rows: int) -> str:
    """The class of size by which the hub sorts data sets: `n<1K`, `1K<n<10K` … `n>1B`."""
    low = ""
    for limit, name in _SIZES:
        if rows < limit:
            return f"{low}<n<{name}" if low else f"n<{name}"
        low = name
    return f"n>{low}"


def features(schema: pl.Schema) -> list[dict[str, Any]] | None:
    """The columns as the hub declares them; null where one has a type that it does not know, so none is declared."""
    found = [_feature(dtype) for dtype in schema.values()]
    if None in found:
        return None
    return [{"name": n, **f} for n, f in zip(schema, found, strict=True) if f is not None]


def _feature(dtype: Any) -> dict[str, Any] | None:
    if is_json(dtype):
        return None
    if isinstance(dtype, (pl.List, pl.Array)):
        inner = _feature(dtype.inner)
        if inner is None:
            return None
        return {"list": inner.get("dtype") or inner.get("struct") or inner}
    if isinstance(dtype, pl.Struct):
        inside = features(pl.Schema({f.name: f.dtype for f in dtype.fields}))
        return {"struct": inside} if inside else None
    name = _scalar_name(dtype)
    return {"dtype": name} if name else None


def _scalar_name(dtype: Any) -> str | None:
    if dtype.is_integer() or dtype in (pl.Float32, pl.Float64):
        return str(dtype).lower()
    if isinstance(dtype, pl.Datetime):
        return f"timestamp[{dtype.time_unit}]" if dtype.time_zone is None else None
    names = {pl.String: "string", pl.Boolean: "bool", pl.Date: "date32", pl.Binary: "binary", pl.Null: "null"}
    return next((name for known, name in names.items() if dtype == known), None)


def _lines(values: Mapping[str, Any]) -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield f"{scalar(key)}:"
            yield from (f"  {line}" for line in _lines(value))
        elif isinstance(value, (list, tuple)) and value:
            yield f"{scalar(key)}:"
            yield from _items(value)
        else:
            yield f"{scalar(key)}: {scalar(value)}"


def _items(values: Sequence[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, Mapping) and value:
            first, *rest = _lines(value)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
        else:
            yield f"- {scalar(value)}"


def scalar(value: Any) -> str:
    """A single value in YAML: a text in quotes unless it is a harmless word."""
    if not isinstance(value, str):
        return json.dumps(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    text: str = clean(value)
    return _ODD.sub(lambda m: f"\\u{ord(m[0]):04x}", json.dumps(text, ensure_ascii=False))
