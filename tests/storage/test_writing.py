"""Tables appear whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dataflow.core.errors import StorageError
from dataflow.core.frames import JSON
from dataflow.storage import (
    FileSource,
    write_frames,
)
from dataflow.storage.sidecar import beside


def test_atomic(tmp_path: Path) -> None:
    def failing() -> Any:
        yield pl.DataFrame({"a": [2]})
        raise RuntimeError("midway")

    for kind in ("jsonl", "json", "csv", "parquet", "arrow", "xlsx", "jsonl.gz", "csv.zst"):
        path = tmp_path / f"t.{kind}"
        write_frames(path, [pl.DataFrame({"a": [1]})], pl.Schema({"a": pl.Int64}))
        with pytest.raises(RuntimeError, match="midway"):
            write_frames(path, failing(), pl.Schema({"a": pl.Int64}))
        assert FileSource(path).frame()["a"].to_list() == [1]
    assert len([f for f in tmp_path.iterdir() if f.name != ".dataflow"]) == 8
    assert all(f.name.endswith(".schema.json") for f in beside(path).parent.iterdir())


def test_big_tables_pass_through_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataflow.storage.formats import columnar

    monkeypatch.setattr(columnar, "SPOOL", 100)
    frame = pl.DataFrame(
        {"__row__": ["x"] * 100, "i": range(100), "j": pl.Series(["[1]"] * 100).ext.to(JSON)}
    )
    for kind in ("parquet", "arrow"):
        assert write_frames(tmp_path / f"t.{kind}", frame.iter_slices(7), frame.schema) == 100
        assert FileSource(tmp_path / f"t.{kind}").frame().equals(frame.drop("__row__"))
    assert {f.name for f in tmp_path.iterdir()} == {"t.parquet", "t.arrow"}


def test_frames_that_do_not_fit_the_schema(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="'b' are not in the schema"):
        write_frames(tmp_path / "t.jsonl", [pl.DataFrame({"b": [1]})], pl.Schema({"a": pl.Int64}))
    with pytest.raises(StorageError, match="do not fit"):
        write_frames(tmp_path / "t.jsonl", [pl.DataFrame({"a": ["x"]})], pl.Schema({"a": pl.Int64}))
