"""Source files as cells: a text, a list of lines, or a record that holds either, with a language or a file name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from dataflow.core.frames import is_json, type_name, values
from dataflow.core.outcome import Failure, shown

TEXTS = ("text", "content", "code")
LINES = "lines"
LANGUAGES = ("language", "lang")
FILES = ("filename", "file_name", "file_path", "path")
_LINE_END = re.compile(r"\r?\n\Z")
Cell = tuple[str | None, str | None, str | None]
"""The text of a source file, its language, and its name."""


def source_texts(column: pl.Series) -> tuple[pl.Series, list[Failure | None]]:
    """The source file of each cell as text, and for each cell why there is none, where it is no source file.

    A line of a list may have its line feed or not; it is given one. A record has the text in `text`, `content` or
    `code`, or the lines in `lines`.
    """
    if column.dtype == pl.String:
        return column, []
    if column.dtype == pl.Null:
        return column.cast(pl.String), []
    if column.dtype == pl.List(pl.String):
        return _joined(column), []
    if isinstance(column.dtype, pl.Struct) and (found := _of_records(column)) is not None:
        return found, []
    if isinstance(column.dtype, pl.Struct) or is_json(column.dtype) or isinstance(column.dtype, pl.List):
        return _of_values(column)
    fault = f"{column.name} is a column of {type_name(column.dtype)}: a source file is text, lines, or a record of these"
    lost = [None if cell is None else Failure(fault, "Misfit") for cell in column.to_list()]
    return pl.Series(column.name, [None] * len(column), dtype=pl.String), lost


def _joined(lines: pl.Series) -> pl.Series:
    element = pl.element().fill_null("").str.replace(r"\r?\n$", "") + "\n"
    return lines.list.eval(element).list.join("")


def _of_records(column: pl.Series) -> pl.Series | None:
    """The texts of structs, where their fields are of the types that they should have."""
    fields = column.struct.schema
    parts = []
    for name in TEXTS:
        if name in fields:
            if fields[name] not in (pl.String, pl.Null):
                return None
            parts.append(column.struct.field(name).cast(pl.String))
    if LINES in fields:
        if fields[LINES] not in (pl.List(pl.String), pl.Null):
            return None
        lines = column.struct.field(LINES)
        parts.append(lines.cast(pl.String) if lines.dtype == pl.Null else _joined(lines))
    if not parts:
        return None
    first = pl.DataFrame([p.alias(str(i)) for i, p in enumerate(parts)]).select(pl.coalesce(pl.all()))
    return first.to_series().alias(column.name)


def _of_values(column: pl.Series) -> tuple[pl.Series, list[Failure | None]]:
    texts: list[str | None] = []
    faults: list[Failure | None] = []
    for cell in values(column):
        text = None if cell is None else text_of(cell)
        readable = cell is None or text is not None or _is_empty(cell)
        texts.append(text)
        faults.append(
            None if readable else Failure(f"{column.name}={shown(cell)} is no source file", "Misfit")
        )
    clean = [None if t is None else t.encode("utf-8", "replace").decode() for t in texts]
    return pl.Series(column.name, clean, dtype=pl.String), faults if any(faults) else []


def _is_empty(cell: Any) -> bool:
    """Whether a record has the field of a source file, and that is null."""
    return isinstance(cell, Mapping) and any(k in cell and cell[k] is None for k in (*TEXTS, LINES))


def text_of(cell: Any) -> str | None:
    """The source file in a Python value, null where there is none."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Mapping):
        found = (cell.get(name) for name in (*TEXTS, LINES))
        return next(
            (text for value in found if value is not None and (text := text_of(value)) is not None), None
        )
    if isinstance(cell, Sequence) and all(line is None or isinstance(line, str) for line in cell):
        return "".join(_LINE_END.sub("", line or "") + "\n" for line in cell)
    return None


def record_field(cell: Any, names: Sequence[str]) -> str | None:
    """The first of some fields of a record that holds text."""
    if not isinstance(cell, Mapping):
        return None
    return next((v for name in names if isinstance(v := cell.get(name), str) and v.strip()), None)
