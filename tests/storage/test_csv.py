"""CSV: which columns become numbers, and files of other makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dataflow.core.errors import StorageError
from dataflow.storage import FileSource


def put(path: Path, data: bytes) -> FileSource:
    path.write_bytes(data)
    return FileSource(path)


CSV = {
    "ints": (["1", "-5", "", "0"], pl.Int64()),
    "leading zero": (["007"], pl.String()),
    "plus": (["+1"], pl.String()),
    "minus zero": (["-0"], pl.String()),
    "spaces": ([" 1"], pl.String()),
    "too long": (["9223372036854775808"], pl.String()),
    "floats": (["1.5", "0.1", "-2.0"], pl.Float64()),
    "trailing zero": (["1.50"], pl.String()),
    "exponent": (["1e5"], pl.String()),
    "int and float": (["1", "1.5"], pl.String()),
    "nan": (["NaN", "1.5"], pl.String()),
    "inf": (["inf"], pl.String()),
    "bools": (["true", "", "false"], pl.Boolean()),
    "capital": (["True"], pl.String()),
    "dates": (["2024-01-05"], pl.String()),
    "nothing": (["", ""], pl.Null()),
}


@pytest.mark.parametrize(("cells", "dtype"), CSV.values(), ids=CSV.keys())
def test_csv_types_only_where_they_write_back(tmp_path: Path, cells: list[str], dtype: Any) -> None:
    source = put(tmp_path / "t.csv", ("k,a\n" + "".join(f"r,{c}\n" for c in cells)).encode())
    frame = source.frame()
    assert source.schema["a"] == dtype
    assert [c or None for c in cells] == [
        None if v is None else str(v).lower() if isinstance(v, bool) else str(v) for v in frame["a"]
    ]


def test_csv_of_other_makes(tmp_path: Path) -> None:
    source = put(tmp_path / "t.csv", '\ufeffa,"b\nc"\r\n"x\r\ny",""\r\n,\r\n'.encode())
    assert source.frame().to_dict(as_series=False) == {"a": ["x\r\ny", None], "b\nc": ["", None]}
    assert put(tmp_path / "e.csv", b"").frame().shape == (0, 0)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a,b,a\n1,2,3\n", "'a' more than once"),
        (b"a,b\n1,2,3\n", "2 columns"),
        (b"a\n\xff\n", "UTF-8"),
        (b"\xff\n1\n", "UTF-8"),
    ],
)
def test_csv_that_cannot_be_read(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(StorageError, match=message):
        put(tmp_path / "t.csv", data).frame()
