"""The file formats, and which of them a file name asks for."""

from __future__ import annotations

from pathlib import Path

from dataflow.core.errors import StorageError
from dataflow.storage.formats.base import Format
from dataflow.storage.formats.columnar import Arrow, Parquet
from dataflow.storage.formats.csv import Csv
from dataflow.storage.formats.excel import Excel
from dataflow.storage.formats.json import Json
from dataflow.storage.formats.jsonl import Jsonl

FORMATS: tuple[Format, ...] = (Jsonl(), Json(), Csv(), Csv("\t", (".tsv",)), Parquet(), Arrow(), Excel())
COMPRESSIONS = {".gz": "gz", ".zst": "zst"}


def format_of(path: Path) -> tuple[Format, str]:
    """The format and the compression ("" for none) that a file name asks for.

    Raises:
        StorageError: no format has that suffix.
    """
    found = known_format(path)
    if found is None:
        known = " ".join(s for f in FORMATS for s in f.suffixes)
        raise StorageError(
            f"{path}: unknown kind of table {path.suffix!r}; there are {known}, the text ones also with .gz or .zst"
        )
    return found


def known_format(path: Path) -> tuple[Format, str] | None:
    suffixes = [s.lower() for s in path.suffixes]
    compression = COMPRESSIONS.get(suffixes[-1], "") if suffixes else ""
    suffix = "".join(suffixes[-2:-1] if compression else suffixes[-1:])
    for kind in FORMATS:
        if suffix in kind.suffixes and (kind.compresses or not compression):
            return kind, compression
    return None
