"""Tables that are written while their parts are being made, and work done ahead of who takes it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from dataflow.core.ahead import ahead
from dataflow.core.errors import StorageError
from dataflow.storage import FileSource
from dataflow.storage.trailing import TrailingTable

PARTS = [pl.DataFrame({"__row__": [f"{i}"], "a": [i]}) for i in range(6)]


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_parts_come_in_any_order(tmp_path: Path, kind: str) -> None:
    read: list[int] = []

    def back(part: int) -> pl.DataFrame:
        read.append(part)
        return PARTS[part]

    table = TrailingTable(tmp_path / f"t.{kind}", back)
    for part in (5, 1, 4, 0, 3, 2):
        table.put(part, PARTS[part] if part % 2 else None)
    assert table.finish(6) == 6
    assert FileSource(tmp_path / f"t.{kind}").frame().equals(pl.DataFrame({"a": range(6)}))
    assert read == [0, 2, 4]


def test_what_was_there_stays_until_the_end(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"old":1}\n')
    table = TrailingTable(path, PARTS.__getitem__)
    table.put(0, PARTS[0])
    assert path.read_text() == '{"old":1}\n'
    table.discard()
    assert path.read_text() == '{"old":1}\n'
    assert [f.name for f in tmp_path.iterdir()] == ["t.jsonl"]


@pytest.fixture
def copied(tmp_path: Path) -> TrailingTable:
    """A table that copies lines of a source, in place of an old one."""
    (tmp_path / "from.jsonl").write_text("".join(f'{{"a":{i}}}\n' for i in range(9)))
    (tmp_path / "t.jsonl").write_text('{"old":1}\n')
    table = TrailingTable(tmp_path / "t.jsonl", PARTS.__getitem__, FileSource(tmp_path / "from.jsonl").lines)
    table.copy(np.array([1, 2, 8]))
    return table


def test_copied_lines_take_their_place_at_the_end(tmp_path: Path, copied: TrailingTable) -> None:
    time.sleep(0.2)
    assert (tmp_path / "t.jsonl").read_text() == '{"old":1}\n'
    copied.put(0, PARTS[0])  # of no account any more
    assert copied.is_near(99)
    assert copied.finish(1) == 3
    assert (tmp_path / "t.jsonl").read_text() == '{"a":1}\n{"a":2}\n{"a":8}\n'


def test_copied_lines_are_discarded_at_any_time(tmp_path: Path, copied: TrailingTable) -> None:
    time.sleep(0.2)
    copied.discard()
    assert (tmp_path / "t.jsonl").read_text() == '{"old":1}\n'
    assert not list(tmp_path.glob(".t*"))


def test_discarded_before_the_first_part(tmp_path: Path) -> None:
    TrailingTable(tmp_path / "t.jsonl", PARTS.__getitem__).discard()
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_does_not_fit_is_told_at_the_end(tmp_path: Path) -> None:
    table = TrailingTable(tmp_path / "t.jsonl", PARTS.__getitem__)
    table.put(0, PARTS[0])
    table.put(1, pl.DataFrame({"__row__": ["1"], "b": [1]}))
    with pytest.raises(StorageError, match="'b' are not in the schema"):
        table.finish(2)
    assert list(tmp_path.iterdir()) == []


def test_ahead_keeps_the_order_and_stays_near() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for i in range(20):
            taken.append(i)
            yield i

    got = ahead(lambda i: i * i, items(), workers=3)
    assert next(got) == 0
    assert len(taken) <= 5
    assert list(got) == [i * i for i in range(1, 20)]


def test_ahead_passes_errors_on_and_ends_its_threads() -> None:
    def work(i: int) -> int:
        if i == 3:
            raise ValueError("three")
        return i

    got = ahead(work, range(10))
    assert [next(got) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(got)
    closed = ahead(work, range(3))
    next(closed)
    closed.close()  # type: ignore[attr-defined]
    assert not [t for t in threading.enumerate() if t.name.startswith("dataflow-ahead")]
