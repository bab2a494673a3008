"""Values that survive every step in every format that can hold them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from dataflow.core.errors import StorageError
from dataflow.core.frames import JSON, records
from dataflow.storage import FileSource, FileStorage, write_frames
from dataflow.storage.shapes import frame_of

ALL = ("jsonl", "json", "csv", "tsv", "parquet", "arrow", "xlsx")
UTC = dt.UTC

CASES: dict[str, list[object]] = {
    "leading zeros": ["007", "1", None],
    "number-like text": ["1e5", "+1", "1.50", "NaN", "null", "true", "None"],
    "dates as text": ["2024-01-05", "2024-01-05T01:02:03", None],
    "awkward text": [
        "😀\r\n",
        "a\tb",
        "a,b",
        'q"r',
        " lead",
        "\u2028",
        "עברית",
        "\ufeff",
        "=1+1",
        "'x",
        "\\n",
        "x\x00y",
    ],
    "empty and null": ["", None, "x", "", None],
    "all null": [None, None],
    "trailing nulls": ["a", None, None],
    "ints": [1, -(2**63), 2**63 - 1, None],
    "big ints": [2**64, -(10**30), 1],
    "floats": [0.1, 1e300, -0.0, 5e-324, 1.0, None],
    "bools": [True, None, False],
    "int and float": [1, 1.5],
    "int and text": [1, "1"],
    "lists": [["a", None], [], None],
    "lists of lists": [[[1, 2], []], [[]], None],
    "structs": [{"a": 1, "b": {"c": "x"}}, None, {"a": None, "b": None}],
    "conversations": [
        [{"role": "user", "content": "hi"}, {"role": "tool", "content": [1, {"x": None}], "id": 3}],
        [{"role": "user"}],
        [],
        None,
    ],
    "unlike structs": [{"a": 1}, {"b": "x"}, {}],
    "lone surrogate": ["\ud83d", "é😀", None],
    "lone surrogate inside": [{"a": "\udc00x"}, {"a": "é"}],
    "lone surrogate key inside": [{"\ud800": 1}, None],
    "newline in json": [{"a": "x\ny"}, [1]],
    "datetimes": [dt.datetime(2024, 1, 5, 1, 2, 3, 400), dt.datetime(1969, 12, 31), None],
    "zoned datetimes": [dt.datetime(2024, 1, 5, tzinfo=UTC), None],
    "dates": [dt.date(2024, 1, 5), None],
    "times": [dt.time(1, 2, 3, 4), None],
    "durations": [dt.timedelta(seconds=1.5), None],
    "decimals": [Decimal("1.50"), None],
    "nested dates": [[dt.date(2024, 1, 5)], []],
}


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("cells", CASES.values(), ids=CASES.keys())
def test_five_steps_change_nothing(tmp_path: Path, kind: str, cells: list[object]) -> None:
    start = frame_of([{"i": i, "x": c} for i, c in enumerate(cells)])
    storage = FileStorage("", cache_path=str(tmp_path), cache_type=kind)
    storage.step().write(start)
    for _ in range(5):
        now = storage.step()
        now.put(now.frame())
    got = storage.step().frame()
    assert got.schema == start.schema
    assert same(records(got), records(start))


@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet", "arrow"])
@pytest.mark.parametrize("cells", CASES.values(), ids=CASES.keys())
def test_dicts_and_pandas_keep_them_too(tmp_path: Path, kind: str, cells: list[object]) -> None:
    start = frame_of([{"i": i, "x": c} for i, c in enumerate(cells)])
    storage = FileStorage("", cache_path=str(tmp_path), cache_type=kind)
    storage.step().write(start)
    for output_type in ("dict", "dataframe", "polars"):
        now = storage.step()
        now.write(now.read(output_type))
    got = storage.step().frame()
    assert got.schema == start.schema
    assert same(records(got), records(start))


def same(a: object, b: object) -> bool:
    """Equal, and of the same Python types all the way down."""
    return repr(a) == repr(b)


@pytest.mark.parametrize("kind", ALL)
def test_float32_embeddings(tmp_path: Path, kind: str) -> None:
    start = pl.DataFrame(
        {"v": [[0.1, -1e-30, 3.4e38], [], None], "f": [0.1, None, 2.5]},
        schema={"v": pl.List(pl.Float32), "f": pl.Float32},
    )
    storage = FileStorage("", cache_path=str(tmp_path), cache_type=kind)
    storage.step().write(start)
    now = storage.step()
    assert now.frame().equals(start)
    now.write(now.read("dict"))
    assert storage.step().frame().schema == start.schema


@pytest.mark.parametrize("kind", ALL)
def test_no_rows_keep_their_columns(tmp_path: Path, kind: str) -> None:
    schema = pl.Schema({"a": pl.String(), "b": pl.List(pl.Float32()), "c": JSON})
    path = tmp_path / f"t.{kind}"
    assert write_frames(path, iter([]), schema) == 0
    assert (FileSource(path).schema, FileSource(path).height) == (schema, 0)
    assert FileSource(path).frame().schema == schema


def test_writing_no_rows_keeps_the_columns_read(tmp_path: Path) -> None:
    storage = FileStorage("", cache_path=str(tmp_path))
    storage.step().write([{"a": "x", "b": [1.5]}])
    storage.step().write([])
    assert storage.step().frame().schema == {"a": pl.String, "b": pl.List(pl.Float64)}


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "parquet", "arrow"])
def test_cells_of_ten_megabytes(tmp_path: Path, kind: str) -> None:
    start = pl.DataFrame({"a": ["é" * 5_000_000, "x"]})
    path = tmp_path / f"t.{kind}"
    write_frames(path, [start], start.schema)
    assert FileSource(path).frame().equals(start)


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "xlsx"])
def test_bytes_have_no_place_in_text(tmp_path: Path, kind: str) -> None:
    frame = pl.DataFrame({"b": [b"\xff"]})
    with pytest.raises(StorageError, match=r"column 'b'.*parquet"):
        write_frames(tmp_path / f"t.{kind}", [frame], frame.schema)


@pytest.mark.parametrize(
    "column",
    [
        pl.Series("x", ["a", None], dtype=pl.Categorical),
        pl.Series("x", ["a", None], dtype=pl.Enum(["a", "b"])),
        pl.Series("x", [2**64 - 1, None], dtype=pl.UInt64),
        pl.Series("x", [200, None], dtype=pl.UInt8),
        pl.Series("x", [[1.0, 2.0], None], dtype=pl.Array(pl.Float32, 2)),
        pl.Series("x", [[dt.datetime(2024, 1, 5)], None]),
        pl.Series("x", [{"d": dt.date(2024, 1, 5)}, None]),
        pl.Series("x", [dt.datetime(2024, 1, 5), None]).dt.replace_time_zone("Asia/Tokyo"),
        pl.Series("x", [dt.datetime(2024, 1, 5), None], dtype=pl.Datetime("ns")),
    ],
    ids=lambda s: str(s.dtype),
)
@pytest.mark.parametrize("kind", ALL)
def test_types_that_only_arrow_has(tmp_path: Path, kind: str, column: pl.Series) -> None:
    path = tmp_path / f"t.{kind}"
    write_frames(path, [column.to_frame()], pl.Schema({"x": column.dtype}))
    assert FileSource(path).frame().equals(column.to_frame())


def test_json_lines_are_raw_utf8_in_column_order(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    frame = frame_of([{"b": "é😀", "a": [1, "x"], "c": None}, {"b": None, "a": {"k": "é"}, "c": None}])
    write_frames(path, [frame], frame.schema)
    assert path.read_text("utf-8") == '{"b":"é😀","a":[1,"x"],"c":null}\n{"b":null,"a":{"k":"é"},"c":null}\n'


def test_long_cells_do_not_fit_excel(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": ["x", "y" * 32_768]})
    with pytest.raises(StorageError, match=r"row 2, column 'a'.*32,768.*32,767"):
        write_frames(tmp_path / "t.xlsx", [frame], frame.schema)
