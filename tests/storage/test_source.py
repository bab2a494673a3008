"""Reading files as they come: broken lines, compression, folders, batches, CSV types."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.core.errors import MissingSource, StorageError
from dataflow.core.frames import JSON, records
from dataflow.storage import FileSource, FrameSource, write_frames
from dataflow.storage.formats import jsonl
from dataflow.storage.shapes import frame_of

BROKEN = {
    "not JSON": (b"{oops", "not JSON"),
    "cut": (b'{"a":1', "not JSON"),
    "two objects": (b'{"a":1}{"a":2}', "not JSON"),
    "a list": (b"[1]", "not an object but a list"),
    "null": (b"null", "not an object but null"),
    "text": (b'"x"', "not an object but a text"),
    "bad bytes": (b'{"a":"\xff"}', "not UTF-8: invalid start byte at byte 7"),
    "deep": (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
    "huge": (b'{"a":' + b"9" * 5000 + b"}", "not JSON"),
    "key": (b'{"\\ud800":1}', "a key that UTF-8 cannot hold"),
}


def put(path: Path, data: bytes) -> FileSource:
    path.write_bytes(data)
    return FileSource(path)


@pytest.mark.parametrize(("line", "reason"), BROKEN.values(), ids=BROKEN.keys())
def test_bad_lines_are_set_aside(tmp_path: Path, line: bytes, reason: str) -> None:
    source = put(tmp_path / "t.jsonl", b'{"a":1}\n\n' + line + b'\n{"a":2}')
    assert records(source.frame()) == [{"a": 1}, {"a": 2}]
    [bad] = source.bad_lines
    assert (bad.file, bad.line, source.bad_count) == (str(tmp_path / "t.jsonl"), 3, 1)
    assert bad.reason.startswith(reason)
    assert len(bad.text) <= 200


def test_a_thousand_bad_lines_are_kept_and_all_counted(tmp_path: Path) -> None:
    source = put(tmp_path / "t.jsonl", b"x\n" * 1500)
    assert (source.bad_count, len(source.bad_lines), source.height, source.bad_lines[-1].line) == (
        1500,
        1000,
        0,
        1000,
    )


FORGIVEN = {
    "BOM": b'\xef\xbb\xbf{"a":1}\n{"a":2}\n',
    "CRLF": b'{"a":1}\r\n{"a":2}\r\n',
    "no last newline": b'{"a":1}\n{"a":2}',
    "blank lines": b'\n{"a":1}\n  \n\r\n{"a":2}\n\n\n',
    "BOM and blank": b'\xef\xbb\xbf\n{"a":1}\n{"a":2}',
    "spaces": b'  {"a" : 1 }\n\t{ "a":2}',
}


@pytest.mark.parametrize("data", FORGIVEN.values(), ids=FORGIVEN.keys())
def test_forms_of_jsonl_that_are_fine(tmp_path: Path, data: bytes) -> None:
    source = put(tmp_path / "t.jsonl", data)
    assert (records(source.frame()), source.bad_count) == ([{"a": 1}, {"a": 2}], 0)


TYPED: dict[str, tuple[list[str], Any]] = {
    "text": (['{"a":"007"}', '{"a":"2024-01-05"}'], pl.String()),
    "int": (['{"a":1}', "{}"], pl.Int64()),
    "int then float": (['{"a":1}', '{"a":1.0}'], JSON),
    "int then text": (['{"a":1}', '{"a":"1"}'], JSON),
    "big int": (['{"a":1}', '{"a":123456789012345678901234567890}'], JSON),
    "unsigned": (['{"a":18446744073709551615}'], JSON),
    "float of many digits": (['{"a":0.0012345678901234567890123}'], pl.Float64()),
    "NaN": (['{"a":1.5}', '{"a":NaN}'], pl.Float64()),
    "surrogate": (['{"a":"x"}', '{"a":"\\ud800"}'], JSON),
    "structs": (['{"a":{"x":1}}', '{"a":{"x":null}}'], pl.Struct({"x": pl.Int64()})),
    "other keys": (['{"a":{"x":1}}', '{"a":{"y":1}}'], JSON),
    "other order": (['{"a":{"x":1,"y":1}}', '{"a":{"y":1,"x":1}}'], JSON),
    "null": (['{"a":null}'], pl.Null()),
    "empty lists": (['{"a":[]}', '{"a":[1]}'], pl.List(pl.Int64())),
    "mixed list": (['{"a":[1,"x"]}'], JSON),
}


@pytest.mark.parametrize("block", [8, 1 << 20])
@pytest.mark.parametrize(("lines", "dtype"), TYPED.values(), ids=TYPED.keys())
def test_jsonl_types_are_exact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[str], dtype: Any, block: int
) -> None:
    monkeypatch.setattr(jsonl, "BLOCK", block)
    source = put(tmp_path / "t.jsonl", "\n".join(lines).encode())
    assert source.schema == {"a": dtype}
    want = [json.loads(line).get("a") for line in lines]
    assert repr([r["a"] for r in records(source.frame())]) == repr(want)


def test_columns_come_in_order_of_first_appearance(tmp_path: Path) -> None:
    source = put(tmp_path / "t.jsonl", b'{"b":1}\n{"c":1,"a":2}\n{"a":3,"b":4}\n')
    assert list(source.schema) == ["b", "c", "a"]


def test_rows_without_columns_are_rows(tmp_path: Path) -> None:
    assert put(tmp_path / "t.jsonl", b"{}\n{}\n").frame().height == 2


@pytest.mark.parametrize("suffix", ["jsonl", "json", "csv", "tsv"])
@pytest.mark.parametrize("packed", ["gz", "zst"])
def test_compressed_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, packed: str) -> None:
    monkeypatch.setattr(jsonl, "BLOCK", 64)
    frame = pl.DataFrame({"a": range(100), "b": ["é😀"] * 100})
    write_frames(tmp_path / f"t.{suffix}.{packed}", frame.iter_slices(9), frame.schema)
    source = FileSource(tmp_path / f"t.{suffix}.{packed}")
    assert source.frame().equals(frame)
    assert pl.concat(source.batches(7, first=50)).equals(frame.slice(50))


def test_foreign_compressed_text(tmp_path: Path) -> None:
    lines = b'{"a":1}\n{"a":2}\n'
    assert put(tmp_path / "t.jsonl.gz", gzip.compress(lines)).height == 2
    assert put(tmp_path / "u.jsonl.zst", zstandard.compress(lines) * 2).height == 4
    assert put(tmp_path / "v.csv.zst", zstandard.compress(b"a,b\n1,x\n")).frame().rows() == [(1, "x")]


@pytest.mark.parametrize("name", ["t.jsonl.gz", "t.jsonl.zst", "t.json.gz"])
def test_damaged_compression_is_an_error(tmp_path: Path, name: str) -> None:
    data = json.dumps([{"a": i} for i in range(5000)]).encode()
    packed = gzip.compress(data) if name.endswith("gz") else zstandard.compress(data)
    with pytest.raises(StorageError, match="damaged"):
        put(tmp_path / name, packed[:-20]).frame()


def test_folders_and_globs(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text('{"a":2,"x":"t"}')
    (tmp_path / "a.csv").write_text("a,y\n1,007\n")
    (tmp_path / "c.jsonl.gz").write_bytes(gzip.compress(b'{"a":3}'))
    (tmp_path / ".hidden.jsonl").write_text("{oops")
    (tmp_path / "README.md").write_text("hello")
    (tmp_path / "sub").mkdir()
    source = FileSource(tmp_path)
    assert source.frame().rows() == [(1, "007", None), (2, None, "t"), (3, None, None)]
    assert source.schema == {"a": pl.Int64, "y": pl.String, "x": pl.String}
    assert [f.rows() for f in source.batches(2, first=1)] == [[(2, None, "t"), (3, None, None)]]
    assert [f.rows() for f in source.batches(3, columns=["x"])] == [[(None,), ("t",), (None,)]]
    assert FileSource(str(tmp_path / "*.jsonl*")).height == 2
    assert FileSource(str(tmp_path / "[ab]*")).height == 2


def test_csv_files_that_disagree_stay_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a\n1\n")
    (tmp_path / "b.csv").write_text("a\n007\n")
    assert FileSource(tmp_path).frame()["a"].to_list() == ["1", "007"]
    (tmp_path / "c.jsonl").write_text('{"a":3}')
    assert records(FileSource(tmp_path).frame()) == [{"a": "1"}, {"a": "007"}, {"a": 3}]


@pytest.mark.parametrize("name", ["none.jsonl", "*.jsonl", "."])
def test_nothing_to_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(MissingSource):
        FileSource(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        FileSource(tmp_path / name)


def test_unknown_kinds(tmp_path: Path) -> None:
    for name in ("t.pickle", "t", "t.parquet.gz", "t.gz"):
        with pytest.raises(StorageError, match="unknown kind"):
            put(tmp_path / name, b"x")


@pytest.mark.parametrize("data", [b"[1]", b"{", b"3", b'{"a":1}\n{"a":2}'])
def test_json_that_is_no_table(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(StorageError, match=r"t\.json"):
        put(tmp_path / "t.json", data).frame()


def test_one_json_object_is_one_row(tmp_path: Path) -> None:
    assert records(put(tmp_path / "t.json", b'{"a":[1,"x"]}').frame()) == [{"a": [1, "x"]}]


@pytest.mark.parametrize("name", ["t.parquet", "t.arrow", "t.xlsx"])
def test_files_that_are_not_what_they_say(tmp_path: Path, name: str) -> None:
    with pytest.raises(StorageError, match="cannot be read"):
        put(tmp_path / name, b"hello world, hello world").frame()


@pytest.mark.parametrize(
    "kind", ["jsonl", "json", "csv", "tsv", "parquet", "arrow", "xlsx", "jsonl.gz", "csv.zst"]
)
@settings(max_examples=8, deadline=None)
@given(
    rows=st.integers(1, 60),
    first=st.integers(0, 60),
    part=st.integers(1, 30),
    columns=st.none() | st.lists(st.integers(0, 3), min_size=1, unique=True),
)
def test_batches_are_slices(
    tmp_path_factory: pytest.TempPathFactory,
    kind: str,
    rows: int,
    first: int,
    part: int,
    columns: list[int] | None,
) -> None:
    path = tmp_path_factory.mktemp("b") / f"t.{kind}"
    odd = "odd" if kind == "xlsx" else "^.*$"  # of which polars' reader of workbooks makes a pattern
    whole = frame_of([{"i": i, "x": f"é{i}", "m": [i] if i % 2 else {"k": i}, odd: i / 4} for i in range(50)])
    write_frames(path, whole.iter_slices(part), whole.schema)
    frame = whole if columns is None else whole[[whole.columns[i] for i in columns]]
    got = list(FileSource(path).batches(rows, first, frame.columns if columns else None))
    assert [g.height for g in got] == [f.height for f in frame.slice(first).iter_slices(rows) if f.height]
    assert all(g.equals(f) for g, f in zip(got, frame.slice(first).iter_slices(rows), strict=False))


def test_batches_of_a_frame() -> None:
    source = FrameSource(pl.DataFrame({"__row__": ["0", "1"], "a": [1, 2]}))
    assert [f.rows() for f in source.batches(2, columns=["a"])] == [[(1,), (2,)]]
    assert [f.rows() for f in source.batches(1, first=1)] == [[(2,)]]
    assert list(source.batches(1, first=9)) == []
    assert source.fingerprint != FrameSource(pl.DataFrame({"a": [1, 3]})).fingerprint


def test_fingerprint_and_table_follow_the_rows(tmp_path: Path) -> None:
    source = put(tmp_path / "t.jsonl", b'{"a":1}\n')
    assert source.fingerprint == FileSource(tmp_path / "t.jsonl").fingerprint
    other = put(tmp_path / "t.jsonl", b'{"a":22}\n')
    assert other.fingerprint != source.fingerprint
    assert other.frame().rows() == [(22,)]


def test_an_edited_table_is_read_from_scratch(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    write_frames(path, [pl.DataFrame({"a": [1.5]}, schema={"a": pl.Float32})], pl.Schema({"a": pl.Float32}))
    assert FileSource(path).schema == {"a": pl.Float32}
    path.write_text('{"a":1.5}\n{"b":"x"}\n')
    assert FileSource(path).schema == {"a": pl.Float64, "b": pl.String}
