"""The storages as pipelines and their users call them."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

from dataflow.core import In, Map, Out
from dataflow.core.errors import ConfigError, MissingSource, StorageError
from dataflow.storage import (
    BatchedFileStorage,
    DataFlowStorage,
    DummyStorage,
    FileSource,
    FileStorage,
    LazyFileStorage,
    MemoryStorage,
    StreamBatchedFileStorage,
)


def stored(
    tmp_path: Path, rows: str = '{"a":1,"t":"007"}\n{"a":2,"t":null}\n', **settings: Any
) -> FileStorage:
    (tmp_path / "in.jsonl").write_text(rows)
    return FileStorage(str(tmp_path / "in.jsonl"), cache_path=str(tmp_path / "cache"), **settings)


def test_old_style_use(tmp_path: Path) -> None:
    storage = stored(tmp_path)
    now = storage.step()
    frame = now.read("dataframe")
    frame["b"] = frame["a"] * 2
    path = now.write(frame)
    assert path == str(tmp_path / "cache" / "dataflow_cache_step_step1.jsonl")
    assert storage.step().read("dict") == [{"a": 1, "t": "007", "b": 2}, {"a": 2, "t": None, "b": 4}]
    assert (now.operator_step, storage.operator_step, storage.reset().operator_step) == (0, 1, -1)
    assert storage.step().get_keys_from_dataframe() == ["a", "t"]
    assert storage.run_dir == tmp_path / "cache" / "dataflow_cache_step"


def test_before_step(tmp_path: Path) -> None:
    storage = stored(tmp_path)
    for call in (
        storage.read,
        storage.frame,
        storage.source,
        lambda: storage.write([]),
        storage.get_keys_from_dataframe,
    ):
        with pytest.raises(ValueError, match=r"You must call storage.step"):
            call()


def test_unknown_settings(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"jsonl, json, csv.*Did you mean 'parquet'"):
        FileStorage("", cache_type="parquets")
    with pytest.raises(ConfigError, match="run any code"):
        FileStorage("", cache_type="pickle")
    with pytest.raises(ValueError, match="'dataframe', 'dict' and 'polars'"):
        stored(tmp_path).step().read("list")


def test_missing_tables(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FileStorage(str(tmp_path / "no.jsonl")).step().read()
    storage = FileStorage("", cache_path=str(tmp_path))
    assert storage.step().read().shape == (0, 0)
    assert storage.reset().step().read("dict") == []
    with pytest.raises(MissingSource, match=r"step 1 reads .* the step before has written nothing"):
        storage.step().read()


def test_a_second_write_warns(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    now = stored(tmp_path).step()
    now.write([{"a": 1}])
    assert not caplog.records
    now.write([{"a": 1}, {"a": 2}])
    assert "1 rows, then 2; only the second" in caplog.text


def test_bad_lines_are_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    storage = stored(tmp_path, '{"a":1}\nx\ny\nz\nw\n')
    with caplog.at_level(logging.WARNING):
        assert storage.step().read("dict") == [{"a": 1}]
    [record] = caplog.records
    assert record.getMessage().startswith("4 lines of")
    assert record.getMessage().count("in.jsonl:") == 3


def test_what_cannot_be_written(tmp_path: Path) -> None:
    now = stored(tmp_path).step()
    for data in ("text", [1], 3, None):
        with pytest.raises(StorageError, match="is not a table"):
            now.write(data)
    with pytest.raises(StorageError, match="'a' more than once"):
        now.write(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(StorageError, match="cannot name a column"):
        now.write([{"\ud800": 1}])
    now.write({"a": 1})
    now.write(pl.LazyFrame({"a": [1]}))


def test_a_hint_never_changes_a_cell(tmp_path: Path) -> None:
    storage = FileStorage("", cache_path=str(tmp_path), cache_type="parquet")
    schema = {
        "v": pl.List(pl.Float32),
        "s": pl.Struct({"a": pl.Int64}),
        "l": pl.List(pl.String),
        "i": pl.Int64,
    }
    storage.step().write(pl.DataFrame({"v": [[0.5]], "s": [{"a": 1}], "l": [["x"]], "i": [1]}, schema=schema))
    storage.step().write([{"v": [0.1], "s": {"a": 1, "b": 2}, "l": [], "i": 1.5}])
    now = storage.step()
    assert now.read("dict") == [{"v": [0.1], "s": {"a": 1, "b": 2}, "l": [], "i": 1.5}]
    assert now.frame().schema["l"] == pl.List(pl.String)


def test_lazy(tmp_path: Path) -> None:
    storage = LazyFileStorage(str(tmp_path / "in.jsonl"), cache_path=str(tmp_path / "c"), save_on_exit=False)
    (tmp_path / "in.jsonl").write_text('{"a":[1]}')
    first = storage.step()
    path = first.write([{"a": [1]}])
    assert not Path(path).exists()
    second = storage.step()
    second.read("dict")[0]["a"].append(2)
    assert second.read("dict") == [{"a": [1]}]
    assert second.get_keys_from_dataframe() == ["a"]
    second.write([{"a": [2]}])
    storage.step().write([{"a": [3]}])
    with pytest.raises(MissingSource):
        storage.flush_step(1)
    assert [Path(p).name for p in storage.flush_all()] == ["dataflow_cache_step_step3.jsonl"]
    assert storage.step().read("dict") == [{"a": [3]}]


def test_lazy_that_keeps_all_steps(tmp_path: Path) -> None:
    storage = LazyFileStorage("", cache_path=str(tmp_path), flush_all_steps=True)
    for i in range(4):
        storage.step().write([{"a": i}])
    storage.flush_all()
    assert len(list(tmp_path.glob("*.jsonl"))) == 4


def test_lazy_writes_at_exit(tmp_path: Path) -> None:
    code = "import sys; from dataflow.utils.storage import LazyFileStorage as L; L('', cache_path=sys.argv[1]).step().write([{'a': 1}])"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, cwd=Path(__file__).parents[2])
    assert FileSource(tmp_path / "dataflow_cache_step_step1.jsonl").frame().rows() == [(1,)]


def test_batched_names(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="jsonl, csv"):
        BatchedFileStorage("", cache_type="parquet")
    (tmp_path / "in.jsonl").write_text('{"a":1}\n{"a":2}\n{"a":3}\n')
    storage = StreamBatchedFileStorage(str(tmp_path / "in.jsonl"), cache_path=str(tmp_path)).step()
    assert storage.get_record_count() == 3
    assert [len(c) for c in storage.iter_chunks(2)] == [2, 1]


def test_memory() -> None:
    storage = MemoryStorage([{"a": 1}])
    storage.step().write(pd.DataFrame({"a": [2]}))
    assert storage.step().read("dict") == [{"a": 2}]
    storage.step().put(pl.DataFrame({"__row__": ["0"], "a": [3]}))
    assert storage.result.rows() == [(3,)]
    assert (storage.get_keys_from_dataframe(), storage.source().height, storage.frame().height) == (
        ["a"],
        1,
        1,
    )


def test_dummy(tmp_path: Path) -> None:
    storage = DummyStorage()
    storage.set_data(data := [{"a": 1}])
    assert storage.read("dataframe") is data
    assert storage.write([{"a": 2}]) is None
    assert storage.frame().rows() == [(2,)]
    filed = DummyStorage(str(tmp_path), None, "jsonl")
    with pytest.raises(StorageError, match="file_name_prefix"):
        filed.write([{"a": 1}])
    filed.set_file_name_prefix("p")
    assert filed.put(pl.DataFrame({"a": [1]})) == str(tmp_path / "p.jsonl")
    assert filed.get_keys_from_dataframe() == ["a"]


class Own(DataFlowStorage):
    """A storage of a user's own, with only what is asked of it."""

    def __init__(self) -> None:
        self.tables: list[Any] = [[{"text": "a" * 500}]]

    def read(self, output_type: Any = "dataframe") -> Any:
        return self.tables[-1]

    def write(self, data: Any) -> None:
        self.tables.append(data)

    def get_keys_from_dataframe(self) -> list[str]:
        return list(self.tables[-1][0])


def test_a_storage_of_ones_own() -> None:
    storage = Own()
    now = storage.step()
    assert now.frame().shape == (1, 1)
    now.put(pl.DataFrame({"a": [1]}))
    assert now.read() == [{"a": 1}]
    assert (now.run_dir, now.operator_step) == (None, 0)
    assert len(repr(storage)) < 200


class Upper(Map):
    """Make a text upper case."""

    input_key = In("text", type="text")
    output_key = Out("text", type="text")

    def map(self, text: str) -> str:
        return text.upper()


def test_operators_run_on_any_storage(tmp_path: Path) -> None:
    own, memory, files = Own(), MemoryStorage([{"text": "a"}]), stored(tmp_path, '{"text":"a"}')
    for storage in (own, memory, files):
        Upper().run(storage.step())
        now = storage.step()
        assert now.read("dict")[0]["text"][0] == "A"


def test_importing_loads_no_polars() -> None:
    code = "import sys, dataflow.storage; sys.exit('polars' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
