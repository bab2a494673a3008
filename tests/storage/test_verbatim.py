"""Lines are copied where they are what would be written of their rows, and only there."""

from __future__ import annotations

import io
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dataflow.core.errors import StorageError
from dataflow.core.frames import numbered, visible
from dataflow.storage import FileSource, write_frames
from dataflow.storage.formats import jsonl
from dataflow.storage.formats.line_text import lines
from dataflow.storage.remote.fetched import FetchedSource

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ['"\\/\b\f\n\r\t', "\x7f\u2028"]
)
CELLS = {
    "text": TEXTS,
    "whole": st.integers(-(2**63), 2**63 - 1),
    "number": st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(10**9), 10**9).map(lambda n: n / 1000),
    "truth": st.booleans(),
    "tags": st.lists(TEXTS | st.none(), max_size=3),
    "meta": st.fixed_dictionaries({"a": st.integers(-5, 5), "b": TEXTS}),
}
ROWS = st.lists(st.fixed_dictionaries({k: c | st.none() for k, c in CELLS.items()}), min_size=1, max_size=6)


def source_of(data: bytes, folder: Path) -> FileSource:
    path = folder / "t.jsonl"
    path.write_bytes(data)
    return FileSource(path)


@settings(max_examples=300, deadline=None)
@given(
    rows=ROWS,
    ascii_only=st.booleans(),
    separators=st.sampled_from([(",", ":"), (", ", ": ")]),
    end=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
)
@example(rows=[{"whole": 0, "number": -0.0}], ascii_only=False, separators=(",", ":"), end="\n", last=True)
@example(
    rows=[{"number": 1e16}, {"number": 1e-5}], ascii_only=False, separators=(",", ":"), end="\n", last=True
)
@example(rows=[{"a": "/"}, {"a": "x", "b": 1}], ascii_only=False, separators=(",", ":"), end="\n", last=True)
def test_lines_that_are_copied_are_what_would_be_written(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[dict[str, Any]],
    ascii_only: bool,
    separators: tuple[str, str],
    end: str,
    last: bool,
) -> None:
    texts = [json.dumps(row, ensure_ascii=ascii_only, separators=separators) for row in rows]
    data = (end.join(texts) + (end if last else "")).encode()
    source = source_of(data, tmp_path_factory.mktemp("lines"))
    if source.lines is not None:
        assert lines(source.frame()) == data


@settings(max_examples=150, deadline=None)
@given(rows=ROWS, mask=st.lists(st.booleans(), min_size=6, max_size=6))
def test_tables_that_were_written_here_are_copied(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], mask: list[bool]
) -> None:
    frame = pl.DataFrame(rows, infer_schema_length=None)
    path = tmp_path_factory.mktemp("lines") / "t.jsonl"
    write_frames(path, [frame], frame.schema)
    source = FileSource(path)
    assert source.lines is not None
    kept = numbered(source.frame()).filter(pl.Series(mask[: len(rows)]))
    source.lines.write(kept, made := io.BytesIO())
    assert made.getvalue() == lines(visible(kept))


def test_types_that_show_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "BLOCK", 64)
    nulls, texts = [b'{"a":1,"b":null}\n'] * 20, [b'{"a":1,"b":"x"}\n'] * 20
    assert source_of(b"".join(nulls + texts), tmp_path).lines is not None
    floats = [b'{"a":1.5,"b":"x"}\n']
    assert source_of(b"".join(nulls + texts + floats), tmp_path).lines is None, "1 would be written as 1.0"


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": 1}\n', b'{"a":1}', b'{"a":1}\r\n', b'{"a":-0}\n', b'{"a":1.50}\n', b'{"a":1e2}\n', b'{"a":"\\u00e9"}\n', b'{"a":"\\/"}\n',
        b'{"a":1}\n{}\n', b'{"a":1}\nnothing\n', b'{"a":1}\n\n', b'\xef\xbb\xbf{"a":1}\n', b'{"a":{"b":[1,"x"]}}\n', b'{"a":1,"b":2}\n{"b":1,"a":2}\n',
    ],
)  # fmt: skip
def test_other_lines_are_not(tmp_path: Path, data: bytes) -> None:
    assert source_of(data, tmp_path).lines is None


def test_files_of_a_folder_end_to_end(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.jsonl").write_text("".join(f'{{"id":"{name}{i}"}}\n' for i in range(5)))
    source = FileSource(tmp_path)
    assert source.lines is not None
    frame = numbered(source.frame())
    source.lines.write(frame[[3, 4, 5, 9, 10, 14]], made := io.BytesIO())
    assert made.getvalue() == b"".join(
        b'{"id":"%s"}\n' % i for i in (b"a3", b"a4", b"b0", b"b4", b"c0", b"c4")
    )
    source.lines.write(frame[[5, 3, 3]], made := io.BytesIO())
    assert made.getvalue() == b'{"id":"b0"}\n{"id":"a3"}\n{"id":"a3"}\n'
    (tmp_path / "c.jsonl").write_text('{"id":"c0","more":1}\n')
    assert FileSource(tmp_path).lines is None


def test_parts_hold_the_cells_of_the_rows_to_look_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataflow.storage import verbatim

    monkeypatch.setattr(verbatim, "PART_ROWS", 10)
    source = source_of(b"".join(b'{"n":%d}\n' % i for i in range(25)), tmp_path)
    assert source.lines is not None
    dropped = {3, 4, 12}
    kept = np.array([i for i in range(25) if i not in dropped])
    parts = list(source.lines.parts(kept, told=[-2, 8, 24]))
    assert [(number, first, frame.height) for number, first, frame in parts] == [
        (0, 0, 10),
        (1, 10, 10),
        (2, 20, 5),
    ]
    whole = pl.concat([frame for *_, frame in parts])
    assert whole["__row__"].to_list() == [str(i) for i in range(25)]
    seen = {0, 1, 3, 4, 8, 10, 11, 12, 20, 21, 24}
    assert whole["n"].to_list() == [i if i in seen else None for i in range(25)]


def test_parts_are_cut_where_many_rows_must_be_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataflow.storage import verbatim

    monkeypatch.setattr(verbatim, "PART_BYTES", 3 * len(b'{"n":10}\n'))
    source = source_of(b"".join(b'{"n":%d}\n' % i for i in range(10, 40)), tmp_path)
    assert source.lines is not None
    kept = np.array([0, 1, 2, 3, 4, 15, 16, *range(20, 30)])
    parts = list(source.lines.parts(kept, told=[]))
    assert [first for _, first, _ in parts] == [0, 8, 11, 14, 19]
    assert sum(frame.height for *_, frame in parts) == 30


def test_a_file_that_changes_meanwhile(tmp_path: Path) -> None:
    source = source_of(b'{"n":10}\n{"n":11}\n', tmp_path)
    assert source.lines is not None
    frame = numbered(source.frame())
    (tmp_path / "t.jsonl").write_bytes(b'{"n":1}\n{"n":2}\n{"')
    with pytest.raises(StorageError, match="has changed since it was looked through"):
        source.lines.write(frame, io.BytesIO())


def test_a_file_that_changed_before_its_lines_were_asked_for(tmp_path: Path) -> None:
    source = source_of(b'{"n":10}\n{"n":11}\n', tmp_path)
    frame = numbered(source.frame())
    (tmp_path / "t.jsonl").write_bytes(b'{"n":1}\n{"n":112}\n')
    os.utime(tmp_path / "t.jsonl", ns=(1, 1))
    assert source.lines is not None
    with pytest.raises(StorageError, match="has changed since it was looked through"):
        source.lines.write(frame, io.BytesIO())


def test_lines_of_a_table_that_was_written_here(tmp_path: Path) -> None:
    frame = pl.DataFrame({"n": range(3000), "x": ["y" * (i % 7) for i in range(3000)]})
    write_frames(tmp_path / "t.jsonl", frame.iter_slices(700), frame.schema)
    source, some = FileSource(tmp_path / "t.jsonl"), frame.with_row_index().filter(pl.col("n") % 3 > 0)
    assert source.lines is not None
    for _ in range(2):
        source.lines.write(
            some.select(pl.col("index").cast(pl.String).alias("__row__")), made := io.BytesIO()
        )
        assert made.getvalue() == lines(some.drop("index"))


def test_lines_of_a_file_that_was_fetched(tmp_path: Path) -> None:
    @dataclass
    class Fetched:
        name: str = "far.jsonl"
        size: int = 18
        version: str = "1"

        def kept(self) -> Path | None:
            return None

        def fetch(self) -> Path:
            (tmp_path / "near.jsonl").write_bytes(b'{"n":10}\n{"n":11}\n')
            return tmp_path / "near.jsonl"

        def tail(self, length: int) -> bytes:
            raise NotImplementedError

    source = FetchedSource("hf://far", [Fetched()])
    assert source.lines is not None
    source.lines.write(numbered(source.frame())[1:], made := io.BytesIO())
    assert made.getvalue() == b'{"n":11}\n'
