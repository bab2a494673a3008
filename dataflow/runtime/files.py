"""The small files of a run: accounts as JSON, tables of rows; each whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from dataflow.core.frames import clean
from dataflow.storage.atomic import replacing


def write_atomically(path: Path, data: bytes) -> None:
    """The whole file or none of it, on disk when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_json(path: Path, value: Any) -> None:
    """Write an account, whole or not at all."""
    write_atomically(path, as_json(value))


def as_json(value: Any) -> bytes:
    """An account; what JSON cannot hold of it (lone surrogates, integers too long) is written as near as it can."""
    option = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
    try:
        return orjson.dumps(value, default=str, option=option)
    except orjson.JSONEncodeError:
        text: str = clean(json.dumps(value, default=str, ensure_ascii=False))
        return orjson.dumps(json.loads(text, parse_int=_int, parse_constant=lambda _: None), option=option)


def _int(digits: str) -> int | float:
    return int(digits) if len(digits) < 19 else float(digits)


def write_table(path: Path, frame: pl.DataFrame) -> None:
    """A Parquet file, whole or not at all."""
    with replacing(path) as temporary:
        frame.write_parquet(temporary, compression="zstd", compression_level=1)
