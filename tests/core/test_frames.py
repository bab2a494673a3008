"""The types that columns get, and that no cell changes on its way through a frame."""

from __future__ import annotations

import datetime
import io
import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from dataflow.core.frames import (
    JSON,
    ROW,
    TYPES,
    accepts,
    as_text,
    clean,
    dumps,
    from_records,
    infer_series,
    is_json,
    loads,
    merge_types,
    numbered,
    records,
    series,
    shared_type,
    type_name,
    value_type,
    values,
    visible,
)

TEXT, INT, FLOAT, BOOL, NULL = pl.String(), pl.Int64(), pl.Float64(), pl.Boolean(), pl.Null()

# Two surrogates that make a pair are one character in JSON, so a text holding such a pair is left out.
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**80), 2**80)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.sampled_from(["", "007", "nan", "\x00", "a\ud800", "\udfff", "{x}", "\ufeff", "é\u0301"])
)
keys = st.text(st.characters(exclude_categories=["Cs"]), max_size=3) | st.just("\udc80")
json_values = st.recursive(
    scalars, lambda v: st.lists(v, max_size=4) | st.dictionaries(keys, v, max_size=3), max_leaves=12
)


def exactly(value: Any) -> str:
    """A text that differs between 1, 1.0 and True, and does not depend on the order of dict keys."""
    if isinstance(value, dict):
        return f"{{{sorted((ascii(k), exactly(v)) for k, v in value.items())}}}"
    return f"[{', '.join(map(exactly, value))}]" if isinstance(value, list) else ascii(value)


@pytest.mark.parametrize(
    ("cells", "dtype"),
    [
        ([], NULL),
        ([None, None], NULL),
        (["a", None], TEXT),
        (["007"], TEXT),
        (["a", "\ud800"], JSON),
        ([True, False], BOOL),
        ([True, 1], JSON),
        ([0, False], JSON),
        ([1, None, 2], INT),
        ([1, 1.0], JSON),
        ([1.5, math.nan, math.inf], FLOAT),
        ([2**63 - 1, -(2**63)], INT),
        ([2**63], JSON),
        ([-(2**63) - 1], JSON),
        ([1, "1"], JSON),
        ([[]], pl.List(NULL)),
        ([[], None, [1]], pl.List(INT)),
        ([[None]], pl.List(NULL)),
        ([[1], [1.5]], JSON),
        ([[1, 1.5]], JSON),
        ([[True, 1]], JSON),
        ([(1, 2)], pl.List(INT)),
        ([[1], 1], JSON),
        ([[["a"]], [[]]], pl.List(pl.List(TEXT))),
        ([{}], JSON),
        ([{"a": 1}, {"a": None}], pl.Struct({"a": INT})),
        ([{"a": 1}, {"a": 1.5}], JSON),
        ([{"a": 1}, {"b": 1}], JSON),
        ([{"a": 1, "b": 2}, {"b": 2, "a": 1}], JSON),
        ([{"a": None}], pl.Struct({"a": NULL})),
        ([{"a": {}}], JSON),
        ([{"a": {"b": [1]}}, {"a": {"b": []}}], pl.Struct({"a": pl.Struct({"b": pl.List(INT)})})),
        ([[{"a": 1}, {"b": 1}]], JSON),
        ([{1: "a"}], JSON),
        ([{"\ud800": 1}], JSON),
        ([np.float32(1)], pl.Float32()),
        ([np.float64(1), 2.0], FLOAT),
        ([np.int32(1), 2], INT),
        ([np.bool_(True)], BOOL),
        ([np.array([1, 2], np.float32)], pl.List(pl.Float32)),
        ([np.zeros((2, 2))], JSON),
        ([{1, 2}], JSON),
    ],
    ids=ascii,
)
def test_shared_type(cells: list[Any], dtype: pl.DataType) -> None:
    assert shared_type(cells) == dtype


@pytest.mark.parametrize(
    ("cells", "dtype"),
    [
        ([True], INT),
        ([True], FLOAT),
        ([1.0], INT),
        ([1.5], INT),
        (["1"], INT),
        (["1"], FLOAT),
        ([1], TEXT),
        ([b"a"], TEXT),
        ([[1]], TEXT),
        ([{"a": 1}], TEXT),
        ([1], BOOL),
        (["true"], BOOL),
        ([2**70], INT),
        ([5], NULL),
        (["abc"], pl.List(TEXT)),
        ([1], pl.List(INT)),
        ([{1, 2}], pl.List(INT)),
        ([[True]], pl.List(INT)),
        ([[1.5, True]], pl.List(FLOAT)),
        ([["1"]], pl.List(INT)),
        ([np.array([1.5])], pl.List(INT)),
        ([np.array([True])], pl.List(FLOAT)),
        ([pl.Series(["1"])], pl.List(INT)),
        ([[1]], pl.List(TEXT)),
        ([[1]], pl.List(BOOL)),
        ([[1]], pl.List(NULL)),
        ([{"a": 1, "b": 2}], pl.Struct({"a": INT})),
        ([{}], pl.Struct({"a": INT})),
        ([{"a": "1"}], pl.Struct({"a": INT})),
        ([{"a": 1}], pl.Struct({"a": TEXT})),
        ([{"a": 1.5}], pl.Struct({"a": INT})),
        ([{"a": True}], pl.Struct({"a": INT})),
        ([{"a": 2**70}], pl.Struct({"a": INT})),
        ([{"a": [1, True]}], pl.Struct({"a": pl.List(INT)})),
        ([[{"a": "1"}]], pl.List(pl.Struct({"a": INT}))),
        ([b"a"], JSON),
        ([object()], JSON),
    ],
    ids=ascii,
)
def test_no_cell_is_converted(cells: list[Any], dtype: pl.DataType) -> None:
    with pytest.raises(TypeError):
        series("x", cells, dtype)


@pytest.mark.parametrize(
    ("cells", "dtype", "kept"),
    [
        ([1, None], FLOAT, [1.0, None]),
        ([[1, 2.5], None, []], pl.List(FLOAT), [[1.0, 2.5], None, []]),
        ([[0.5], (1,)], pl.List(pl.Float32()), [[0.5], [1.0]]),
        ([np.array([0.5, 1.0])], pl.List(pl.Float32()), [[0.5, 1.0]]),
        ([np.array([1, 2]), None], pl.List(pl.Float32()), [[1.0, 2.0], None]),
        ([np.array(["a"], object), ["b"]], pl.List(TEXT), [["a"], ["b"]]),
        ([pl.Series([1, 2])], pl.List(INT), [[1, 2]]),
        ([{"a": 1}], pl.Struct({"a": FLOAT}), [{"a": 1.0}]),
        ([{"a": None}, None], pl.Struct({"a": NULL}), [{"a": None}, None]),
        ([datetime.date(2024, 1, 2)], pl.Date(), [datetime.date(2024, 1, 2)]),
        ([[datetime.date(2024, 1, 2)]], pl.List(pl.Date()), [[datetime.date(2024, 1, 2)]]),
        (["a\ud800b"], TEXT, ["a\ufffdb"]),
        ([["\ud800", 1]], JSON, [["\ud800", 1]]),
        ([["a\ud800"], None], pl.List(TEXT), [["a\ufffd"], None]),
        ([{"a": "\ud800"}], pl.Struct({"a": TEXT}), [{"a": "\ufffd"}]),
        ([None, 1], JSON, [None, 1]),
    ],
    ids=ascii,
)
def test_cells_of_the_type_are_kept(cells: list[Any], dtype: pl.DataType, kept: list[Any]) -> None:
    made = series("x", cells, dtype)
    assert (made.name, made.dtype) == ("x", dtype)
    assert exactly(values(made)) == exactly(kept)


@pytest.mark.parametrize(
    ("cells", "dtype", "found"),
    [
        ([1], FLOAT, FLOAT),
        ([1], None, INT),
        ([1], NULL, INT),
        (["1"], INT, TEXT),
        ([{"a": 1, "b": 2}], pl.Struct({"a": INT}), pl.Struct({"a": INT, "b": INT})),
        (["x", 1], TEXT, JSON),
        ([2**70], INT, JSON),
        ([], TEXT, TEXT),
    ],
    ids=ascii,
)
def test_a_schema_holds_where_the_cells_fit(
    cells: list[Any], dtype: pl.DataType | None, found: pl.DataType
) -> None:
    assert infer_series("x", cells, dtype).dtype == found


@given(st.lists(st.fixed_dictionaries({"a": json_values, "b": json_values}), max_size=5))
def test_records_come_back_exactly(rows: list[dict[str, Any]]) -> None:
    assert exactly(records(from_records(rows))) == exactly(rows)


@given(st.lists(json_values, max_size=5))
def test_a_json_column_holds_anything(cells: list[Any]) -> None:
    column = series("x", cells, JSON)
    assert is_json(column.dtype)
    assert exactly(values(column)) == exactly(cells)


@given(json_values)
def test_json_text_and_back(value: Any) -> None:
    assert exactly(loads(dumps(value))) == exactly(value)
    assert dumps(value).encode().decode() == dumps(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_odd_floats_are_no_nulls(value: float) -> None:
    for held in (value, [1, value], {"a": (value, None)}, np.array([value]), np.float32(value)):
        assert "null" not in dumps(held).replace("null]", "")
    (row,) = records(from_records([{"a": [value, "text"]}]))
    assert ascii(row["a"]) == ascii([value, "text"])


@pytest.mark.parametrize("text", ["1e999", "[12345678901234567890123]", '"\\ud800"', "NaN", "[-Infinity]"])
def test_loads_what_orjson_cannot(text: str) -> None:
    import json

    assert ascii(loads(text)) == ascii(json.loads(text))


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert loads(dumps("\ud83d\ude00")) == "\U0001f600"


class Point(BaseModel):
    x: int


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.int64(3), "3"),
        (np.array([1, 2]), "[1,2]"),
        (pl.Series([1]), "[1]"),
        ({1}, "[1]"),
        (Point(x=1), '{"x":1}'),
        (datetime.date(2024, 1, 2), '"2024-01-02"'),
        ([Point(x=1), "\ud800"], '[{"x": 1}, "\\ud800"]'),
        ((np.float32(0.5), 2**70), "[0.5, 1180591620717411303424]"),
        ([pl.Series([2]), "\ud800"], '[[2], "\\ud800"]'),
        ([{2}, "\ud800"], '[[2], "\\ud800"]'),
        ([datetime.date(2024, 1, 2), "\ud800"], '["2024-01-02", "\\ud800"]'),
    ],
    ids=ascii,
)
def test_other_libraries_values_become_json(value: Any, text: str) -> None:
    assert dumps(value) == text


def test_a_value_without_json_is_refused() -> None:
    with pytest.raises(TypeError, match="type bytes cannot be kept"):
        dumps([b"x", "\ud800"])


def test_rows_without_columns_stay_rows() -> None:
    assert records(from_records([{}, {}])) == [{}, {}]
    assert from_records([]).shape == (0, 0)


def test_columns_are_named_as_the_keys() -> None:
    assert records(from_records([{"": 1, " a": 2}])) == [{"": 1, " a": 2}]
    assert records(from_records([{"a": 1}, {"b": 2}])) == [{"a": 1, "b": None}, {"a": None, "b": 2}]


def test_a_schema_orders_and_types_the_columns() -> None:
    schema = pl.Schema({"b": TEXT, "a": FLOAT})
    frame = from_records([{"a": 1, "c": None}], schema)
    assert frame.schema == pl.Schema({"b": TEXT, "a": FLOAT, "c": NULL})
    assert from_records([], schema).schema == schema


@pytest.mark.parametrize("form", ["parquet", "ipc", "concat", "filter", "sort", "slice"])
def test_the_json_type_travels(form: str) -> None:
    rows = [{"n": 1, "x": [1, "a"]}, {"n": 2, "x": None}, {"n": 3, "x": {"k": 2**70}}]
    frame, buffer = from_records(rows), io.BytesIO()
    match form:
        case "parquet":
            frame.write_parquet(buffer)
            back = pl.read_parquet(buffer.getvalue())
        case "ipc":
            frame.write_ipc(buffer)
            back = pl.read_ipc(buffer.getvalue())
        case "concat":
            back = pl.concat([frame[:1], frame[1:]])
        case "filter":
            back = frame.filter(pl.col("n") > 0)
        case "sort":
            back = frame.sort("n")
        case _:
            back = frame[[0, 1, 2]]
    assert is_json(back.schema["x"])
    assert records(back) == rows


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        (pl.String, "text"),
        (INT, "int"),
        (pl.UInt8, "int"),
        (FLOAT, "float"),
        (pl.Decimal(10, 2), "float"),
        (BOOL, "bool"),
        (NULL, "null"),
        (pl.Binary, "binary"),
        (JSON, "json"),
        (pl.Struct({"a": INT}), "struct"),
        (pl.Struct, "struct"),
        (pl.List(pl.Float32), "embedding"),
        (pl.Array(pl.Float32, 3), "embedding"),
        (pl.List(pl.List(pl.String)), "list[list[text]]"),
        (pl.Date, "date"),
    ],
    ids=str,
)
def test_type_name(dtype: pl.DataType, name: str) -> None:
    assert type_name(dtype) == name


@pytest.mark.parametrize(
    ("port", "yes", "no"),
    [
        ("text", [TEXT, JSON, NULL], [INT, BOOL, pl.List(TEXT)]),
        ("number", [INT, FLOAT, JSON], [TEXT, BOOL]),
        ("float", [INT, FLOAT], [TEXT]),
        ("int", [INT, JSON, NULL], [FLOAT, BOOL]),
        ("embedding", [pl.List(pl.Float32), pl.List(FLOAT), pl.List(INT), JSON], [TEXT, pl.List(TEXT)]),
        ("list[text]", [pl.List(TEXT), JSON], [TEXT, pl.List(INT)]),
        ("any", [TEXT, BOOL, pl.Struct({"a": INT}), pl.Binary()], []),
    ],
)
def test_accepts(port: str, yes: list[pl.DataType], no: list[pl.DataType]) -> None:
    assert [t for t in yes if not accepts(port, t)] == []
    assert [t for t in no if accepts(port, t)] == []
    assert port == "any" or accepts(port, TYPES[port])


type_pool = st.sampled_from([TEXT, INT, FLOAT, BOOL, NULL, JSON])
types = st.recursive(
    type_pool,
    lambda t: t.map(lambda x: JSON if x is JSON else pl.List(x)) | t.map(lambda x: pl.Struct({"a": x})),
    max_leaves=4,
)


@given(types, types)
def test_merging_has_no_order(a: pl.DataType, b: pl.DataType) -> None:
    assert merge_types(a, b) == merge_types(b, a)
    assert merge_types(a, a) == a


@given(json_values.filter(lambda v: v is not None))
def test_a_value_fits_its_own_type(value: Any) -> None:
    assert exactly(values(series("x", [value], value_type(value)))) == exactly([value])


def test_rows_are_numbered_out_of_sight() -> None:
    frame = numbered(pl.DataFrame({"a": ["x", "y"]}), first=5)
    assert frame[ROW].to_list() == ["5", "6"]
    assert numbered(frame)[ROW].to_list() == ["0", "1"]
    assert visible(frame).columns == ["a"]
    assert records(frame) == [{"a": "x"}, {"a": "y"}]


def test_words_of_a_prompt() -> None:
    assert as_text("a\n{b}") == "a\n{b}"
    assert as_text({"a": [1, None]}) == '{"a":[1,null]}'
    assert clean("é\ud800") == "é\ufffd"
    assert clean("é") == "é"
    assert clean(3) == 3
