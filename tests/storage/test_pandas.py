"""What pandas frames become, and what becomes of them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from dataflow.storage import (
    FileStorage,
)


def stored(
    tmp_path: Path, rows: str = '{"a":1,"t":"007"}\n{"a":2,"t":null}\n', **settings: Any
) -> FileStorage:
    (tmp_path / "in.jsonl").write_text(rows)
    return FileStorage(str(tmp_path / "in.jsonl"), cache_path=str(tmp_path / "cache"), **settings)


def test_pandas_types(tmp_path: Path) -> None:
    storage = stored(
        tmp_path,
        '{"i":1,"n":null,"f":1.5,"t":"x","l":[1],"b":true,"j":1}\n{"i":2,"n":3,"f":null,"t":null,"l":null,"b":null,"j":"x"}\n',
    )
    frame = storage.step().read("dataframe")
    assert [str(d) for d in frame.dtypes] == [
        "int64",
        "Int64",
        "float64",
        "object",
        "object",
        "boolean",
        "object",
    ]
    assert frame["t"].tolist() == ["x", None]
    assert frame["l"].tolist() == [[1], None]
    assert frame["j"].tolist() == [1, "x"]


def test_pandas_cells_of_all_sorts(tmp_path: Path) -> None:
    storage = FileStorage("", cache_path=str(tmp_path), cache_type="parquet")
    frame = pd.DataFrame(
        {
            "v": [np.array([0.5, 1.0], dtype=np.float32), None],
            "o": [np.array(["a", "b"], dtype=object), None],
            "m": [np.array([[1, 2], [3, 4]]), None],
            "t": [("x", "y"), ()],
            "s": ["x", float("nan")],
            "x": pd.Series([1, float("nan")], dtype=object),
            "d": [pd.Timestamp("2024-01-05"), pd.NaT],
            "do": pd.Series([pd.Timestamp("2024-01-05"), pd.NaT], dtype=object),
            "z": [pd.Timestamp("2024-01-05", tz="UTC"), pd.NaT],
            "n": pd.array([1, None], dtype="Int64"),
            "c": pd.Categorical(["a", None]),
            "g": [np.int64(3), np.float64("nan")],
            "f32": np.array([0.1, np.nan], dtype=np.float32),
            7: [1, 2],
        }
    )
    storage.step().write(frame)
    got = storage.step().frame()
    day = dt.datetime(2024, 1, 5)
    assert got.drop("z").row(0) == (
        [0.5, 1.0],
        ["a", "b"],
        [[1, 2], [3, 4]],
        ["x", "y"],
        "x",
        1,
        day,
        day,
        1,
        "a",
        3.0,
        pytest.approx(0.1),
        1,
    )
    assert got.drop("z").row(1) == (None, None, None, [], None, None, None, None, None, None, None, None, 2)
    assert got.schema["v"] == pl.List(pl.Float32)
    assert got.schema["f32"] == pl.Float32
    assert got["z"][0] == day.replace(tzinfo=dt.UTC)
