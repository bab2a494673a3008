"""A block of lines is taken as proven only where a parse would have found the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dataflow.core.frames import JSON, records
from dataflow.storage import FileSource, write_frames
from dataflow.storage.formats import jsonl, line_skeleton
from dataflow.storage.formats.line_pattern import MOST_ORDERS, MOST_VALUES, Orders, Patterns, prove

TYPES: dict[str, pl.DataType] = {
    "id": pl.String(),
    "n": pl.Int64(),
    "x": pl.Float64(),
    "ok": pl.Boolean(),
    "tags": pl.List(pl.String),
    "meta": pl.Struct({"a": pl.Int64, "b": pl.List(pl.Float64)}),
    "none": pl.Null(),
    "any": JSON,
}
ROW = (
    b'{"id":"007","n":-12,"x":1.5e-3,"ok":true,"tags":["a","\\ud83d\\ude00"],'
    b'"meta":{"a":1,"b":[0.5,null]},"none":null,"any":[1,{"k":"v"}]}'
)
GOOD = {
    "the row": ROW,
    "spaces": ROW.replace(b",", b" ,\t").replace(b":", b" : "),
    "nulls": b'{"id":null,"n":null,"x":null,"ok":null,"tags":null,"meta":null,"none":null,"any":null}',
    "missing keys": b'{"id":"x","any":1}',
    "CRLF": ROW + b"\r",
    "longest integers": ROW.replace(b"-12", b"-9199999999999999999"),
    "text beyond ASCII": ROW.replace(b"007", "é😀\u2028\x7f".encode()),
}
BAD = {
    "an integer in a column of floats": ROW.replace(b"1.5e-3", b"15"),
    "a float in a column of integers": ROW.replace(b"-12", b"-12.0"),
    "a power in a column of integers": ROW.replace(b"-12", b"1e2"),
    "an integer beyond 64 bits": ROW.replace(b"-12", b"9223372036854775808"),
    "a number as text": ROW.replace(b"-12", b'"12"'),
    "a text as number": ROW.replace(b'"007"', b"7"),
    "a float out of range": ROW.replace(b"1.5e-3", b"1.5e999"),
    "a leading zero": ROW.replace(b"-12", b"012"),
    "a plus": ROW.replace(b"-12", b"+12"),
    "no digit after the point": ROW.replace(b"1.5e-3", b"1."),
    "no digit before the point": ROW.replace(b"1.5e-3", b".5"),
    "NaN": ROW.replace(b"1.5e-3", b"NaN"),
    "a lone surrogate": ROW.replace(b"\\ud83d\\ude00", b"\\ud83d"),
    "a low surrogate first": ROW.replace(b"\\ud83d\\ude00", b"\\ude00\\ud83d"),
    "a control character": ROW.replace(b"007", b"\x01"),
    "no such escape": ROW.replace(b"007", b"\\x41"),
    "not UTF-8": ROW.replace(b"007", b"\xff"),
    "a surrogate in UTF-8": ROW.replace(b"007", b"\xed\xa0\x80"),
    "a key twice": ROW.replace(b'{"id"', b'{"id":"1","id"'),
    "a key twice, apart": ROW.replace(b'"none"', b'"id":"1","none"'),
    "a field twice": ROW.replace(b'"a":1', b'"a":1,"a":2'),
    "a field missing": ROW.replace(b'"a":1,', b""),
    "fields in another order": ROW.replace(b'"a":1,"b":[0.5,null]', b'"b":[],"a":1'),
    "an unknown key": ROW.replace(b'"none"', b'"new"'),
    "an escaped key": ROW.replace(b'"none"', b'"n\\u006fne"'),
    "a value where none was": ROW.replace(b'"none":null', b'"none":1'),
    "a comma at the end": ROW[:-1] + b",}",
    "a comma at the start": ROW.replace(b"{", b"{,", 1),
    "a comma at the end of a list": ROW.replace(b"null]", b"null,]"),
    "cut": ROW[:-1],
    "two on a line": ROW + ROW,
    "text after it": ROW + b" x",
    "a blank line": ROW + b"\n",
    "a list": b"[1]",
    "a line feed inside": ROW.replace(b":", b":\n", 1),
}


def pattern(types: dict[str, pl.DataType] = TYPES) -> Patterns:
    orders = Orders()
    orders.note(tuple(types))
    orders.note(("id", "any"))
    return orders.patterns(types)


@pytest.mark.parametrize("line", GOOD.values(), ids=GOOD.keys())
def test_proven(line: bytes) -> None:
    assert prove(b"\n".join([ROW, line, ROW]), pattern()).rows
    assert prove(line + b"\n", pattern()).rows


@pytest.mark.parametrize("line", BAD.values(), ids=BAD.keys())
def test_not_proven(line: bytes) -> None:
    assert not prove(b"\n".join([ROW, line, ROW]), pattern()).rows
    assert not prove(line + b"\n", pattern()).rows


@pytest.mark.parametrize("line", {**GOOD, **BAD}.values(), ids={**GOOD, **BAD}.keys())
def test_what_is_not_proven_is_read_exactly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: bytes
) -> None:
    monkeypatch.setattr(jsonl, "BLOCK", 2 * len(ROW))
    lines = [ROW] * 5 + [line] + [ROW] * 5
    (tmp_path / "t.jsonl").write_bytes(b"\n".join(lines))
    source = FileSource(tmp_path / "t.jsonl")
    want = [row for part in b"\n".join(lines).split(b"\n") if (row := _row(part)) is not None]
    keys = dict.fromkeys(k for row in want for k in row)
    got = records(source.frame())
    assert repr(got) == repr([{k: row.get(k) for k in keys} for row in want])
    assert source.height + source.bad_count == len([p for p in b"\n".join(lines).split(b"\n") if p.strip()])


def _row(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line.decode())
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


CELLS = {
    "id": st.text(max_size=6),
    "n": st.integers(-(2**63), 2**63 - 1),
    "x": st.floats(allow_nan=False, allow_infinity=False),
    "ok": st.booleans(),
    "tags": st.lists(st.text(max_size=3), max_size=3),
    "meta": st.fixed_dictionaries({"a": st.integers(0, 9), "b": st.lists(st.floats(0, 1), max_size=2)}),
    "any": st.integers(0, 9) | st.text(max_size=3) | st.lists(st.integers(-(2**70), 2**70), max_size=2),
}
TYPED_ROWS = st.lists(
    st.fixed_dictionaries(
        {"id": CELLS["id"]}, optional={k: st.none() | v for k, v in CELLS.items() if k != "id"}
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(
    rows=TYPED_ROWS, ascii_only=st.booleans(), dense=st.booleans(), block=st.sampled_from([30, 200, 1 << 20])
)
@example([{"id": "x", "n": 2**63 - 1}] * 9, True, True, 30)
def test_rows_of_one_kind(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[dict[str, Any]],
    ascii_only: bool,
    dense: bool,
    block: int,
) -> None:
    path = tmp_path_factory.mktemp("h") / "t.jsonl"
    separators = (",", ":") if dense else None
    texts = [json.dumps(r, ensure_ascii=ascii_only, separators=separators) for r in rows]
    path.write_bytes("\n".join(texts).encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonl, "BLOCK", block)
        keys = dict.fromkeys(k for r in rows for k in r)
        got = records(FileSource(path).frame())
    assert repr(got) == repr([{k: r.get(k) for k in keys} for r in rows])


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_a_damaged_line_is_proven_only_if_it_is_a_row(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(ROW) - 1))
    put = data.draw(
        st.sampled_from([b"", b'"', b"\\", b",", b"{", b"}", b"]", b"0", b"9", b"e", b".", b"-", b" "])
    )
    line = ROW[:at] + put + ROW[at + data.draw(st.integers(0, 2)) :]
    if not prove(line, pattern()).rows:
        return
    typed = pl.Schema({n: d for n, d in TYPES.items() if n != "any"})
    [row] = pl.read_ndjson(line, schema=typed).to_dicts()
    pairs = json.loads(line, object_pairs_hook=_unique)
    assert repr(row) == repr({k: pairs.get(k) for k in typed})


PIECES = [
    b'"',
    b"\\",
    b'\\"',
    b"\\\\",
    b"\\n",
    b"\\u00e9",
    b"\\ud83d",
    b"\\u12",
    b"u",
    b"n",
    b"x",
    b"\xc3\xa9",
    b"\xff",
    b"\x01",
    b"\n",
    b" ",
    b":",
    b",",
    b"}",
    b"{",
    b"1",
]


@settings(max_examples=600, deadline=None)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=12))
@example([b"\\"] * 3 + [b'"'])
@example([b"\\"] * 4 + [b"n"] + [b"\\"] * 5 + [b'"'])
@example([b"\\u00"])
def test_what_stands_in_texts_is_proven_as_the_expression_would(pieces: list[bytes]) -> None:
    orders = Orders()
    orders.note(("a", "b"))
    proven = orders.patterns({"a": pl.String(), "b": pl.String()})
    for block in (
        b'{"a":"' + b"".join(pieces) + b'","b":"x"}\n{"a":"y","b":"z"}',
        b'{"a":"y","b":' + b"".join(pieces) + b"}\n",
    ):
        try:
            whole = pl.Series([block], dtype=pl.Binary).cast(pl.String).str.contains(proven.rows).item()
        except pl.exceptions.PolarsError:
            whole = False
        assert bool(prove(block, proven).rows) == whole
        if whole:
            bare = line_skeleton.skeleton(block)
            assert len(bare.lines if bare else block) <= len(block)


def test_long_texts_are_taken_out_before_the_expression_sees_them() -> None:
    row = b'{"a b":"' + b'x\\n\\"\\u00e9' * 1000 + b'", "c" : ["' + b"\xc3\xa9" * 1000 + b'",null]}'
    bare = line_skeleton.skeleton(row + b"\n" + row)
    assert bare is not None
    assert bare.lines == b'{"a b":"", "c" : ["",null]}\n{"a b":"", "c" : ["",null]}'
    assert bare.controls.tolist() == [len(row)]
    assert not bare.as_written


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len({k for k, _ in pairs}) == len(pairs)
    return dict(pairs)


def test_orders_that_contradict_each_other() -> None:
    orders, types = Orders(), dict.fromkeys("abcd", pl.Int64())
    for keys in ("ab", "ac", "acb", "ba", "d"):
        orders.note(tuple(keys))
    proven = orders.patterns(types)
    assert prove(b'{"a":1,"c":1,"b":1}\n{"b":1,"a":1}\n{"d":1}\n{"a":1,"c":2}', proven).rows
    assert not prove(b'{"c":1,"a":1}', proven).rows
    assert not prove(b'{"a":1,"a":1}', proven).rows


def test_no_pattern_where_it_would_be_slow() -> None:
    wide = {f"k{i}": pl.Int64() for i in range(MOST_VALUES + 1)}
    orders = Orders()
    orders.note(tuple(wide))
    assert orders.patterns(wide) == Patterns()
    many = Orders()
    names = "abcdef"[: MOST_ORDERS + 2]
    for i in range(MOST_ORDERS + 1):
        many.note(tuple(names[i:] + names[:i])[::-1] if i % 2 else tuple(names[i:] + names[:i]))
    assert many.patterns(dict.fromkeys(names, pl.Int64())) == Patterns()
    assert not prove(b"{}", Patterns()).rows


def test_a_key_twice_is_read_as_everywhere(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_bytes(b'{"a":1,"a":2,"b":{"x":1,"x":2}}\n{"a":3,"b":{"x":3}}\n')
    assert records(FileSource(tmp_path / "t.jsonl").frame()) == [
        {"a": 2, "b": {"x": 2}},
        {"a": 3, "b": {"x": 3}},
    ]


def test_a_json_cell_that_the_fast_parser_refuses(tmp_path: Path) -> None:
    huge = 10**400
    frame = pl.DataFrame({"a": [1, 2], "j": pl.Series([f'{{"n":{huge}}}', "[1]"]).ext.to(JSON)})
    write_frames(tmp_path / "t.jsonl", [frame], frame.schema)
    assert records(FileSource(tmp_path / "t.jsonl").frame()) == [
        {"a": 1, "j": {"n": huge}},
        {"a": 2, "j": [1]},
    ]
