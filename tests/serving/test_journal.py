"""The journal: on disk before it counts, found again, never twice."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.core import background
from dataflow.core.errors import StorageError
from dataflow.serving.journal import Entry, Journal, key_of


def entry(i: int, body: bytes = b"reply", **more: Any) -> Entry:
    return Entry(i.to_bytes(16, "big"), body, **more)


def put(journal: Journal, *entries: Entry) -> None:
    background.run(journal.put(list(entries)))


def rows(path: Path) -> list[tuple[Any, ...]]:
    """What another process would find."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute("SELECT key, body FROM replies ORDER BY key").fetchall()
    finally:
        connection.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "journal.sqlite"


def test_what_was_put_is_on_disk(path: Path) -> None:
    journal = Journal(path)
    for i in range(3):
        put(journal, entry(i, b"%d" % i))
        assert [body for _, body in rows(path)] == [b"%d" % n for n in range(i + 1)]
    journal.close()


def test_everything_of_an_entry_comes_back(path: Path) -> None:
    journal = Journal(path)
    given = Entry(b"k" * 16, b"\x00\xff\xed\xa0\x80", "Op:col", "model", 3, 4, 0.25, 1.5)
    put(journal, given)
    assert journal.get(b"k" * 16) == given
    assert journal.get(b"x" * 16) is None
    assert len(journal) == 1
    journal.close()


def test_totals(path: Path) -> None:
    journal = Journal(path)
    assert journal.totals() == {"calls": 0, "prompt_tokens": 0, "completion_tokens": 0, "cost": 0}
    put(journal, *(entry(i, prompt_tokens=2, completion_tokens=i, cost=0.5) for i in range(3)))
    assert journal.totals() == {"calls": 3, "prompt_tokens": 6, "completion_tokens": 3, "cost": 1.5}
    journal.close()


def test_the_first_reply_stays(path: Path) -> None:
    journal = Journal(path)
    put(journal, entry(1, b"first"))
    put(journal, entry(1, b"second"), entry(2))
    assert journal.get(entry(1).key) == entry(1, b"first")
    assert len(journal) == 2
    journal.close()


def test_it_opens_again(path: Path) -> None:
    first = Journal.at(path)
    assert Journal.at(path) is first
    put(first, entry(1))
    first.close()
    second = Journal.at(path)
    assert second is not first
    assert second.get(entry(1).key) == entry(1)
    second.close()


def test_closing_one_of_two_leaves_the_other(path: Path) -> None:
    shared, own = Journal.at(path), Journal(path)
    own.close()
    assert Journal.at(path) is shared
    put(shared, entry(1))
    shared.close()
    assert len(rows(path)) == 1


def test_a_thousand_at_once(path: Path) -> None:
    journal = Journal(path)

    async def all_at_once() -> None:
        await asyncio.gather(*(journal.put([entry(i, b"x" * (i % 50))]) for i in range(1000)))

    background.run(all_at_once())
    assert len(rows(path)) == 1000
    assert all(journal.get(entry(i).key) == entry(i, b"x" * (i % 50)) for i in range(1000))
    journal.close()


def test_closing_writes_what_is_left(path: Path) -> None:
    journal = Journal(path)

    async def put_and_leave() -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(journal.put([entry(i)])) for i in range(200)]
        await asyncio.sleep(0)
        return tasks

    background.run(put_and_leave())
    journal.close()
    assert len(rows(path)) == 200


def test_a_closed_journal_takes_nothing(path: Path) -> None:
    journal = Journal(path)
    journal.close()
    with pytest.raises(StorageError, match="the journal is closed"):
        put(journal, entry(1))


def test_callers_on_several_loops(path: Path) -> None:
    journal = Journal(path)

    def from_a_loop_of_its_own(i: int) -> None:
        async def some() -> None:
            await asyncio.gather(*(journal.put([entry(100 * i + n)]) for n in range(20)))

        asyncio.run(some())

    threads = [threading.Thread(target=from_a_loop_of_its_own, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(rows(path)) == 120
    journal.close()


def test_a_caller_that_went_away(path: Path) -> None:
    journal = Journal(path)

    async def leave_at_once() -> None:
        task = asyncio.create_task(journal.put([entry(1)]))
        await asyncio.sleep(0)
        task.cancel()

    for _ in range(20):
        asyncio.run(leave_at_once())
    put(journal, entry(2))
    assert len(rows(path)) == 2
    journal.close()


@pytest.mark.parametrize(
    "bad",
    [
        entry(1, operator="\ud800"),
        entry(1, model="\udfff"),
        entry(1, prompt_tokens=2**70),
        entry(1, body=object()),
    ],  # type: ignore[arg-type]
    ids=["operator", "model", "tokens", "body"],
)
def test_what_cannot_be_written_is_an_error_of_its_caller(path: Path, bad: Entry) -> None:
    journal = Journal(path)
    with pytest.raises(StorageError, match="cannot be written"):
        background.run(asyncio.wait_for(journal.put([bad]), 10))
    put(journal, entry(2))
    assert [key for key, _ in rows(path)] == [entry(2).key]
    journal.close()


def test_a_table_of_another_shape(path: Path) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE replies (key BLOB PRIMARY KEY)")
    connection.close()
    with pytest.raises(StorageError, match="is no journal"):
        Journal(path)


def test_a_journal_of_the_first_release_is_taken_over(path: Path) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute(
        "CREATE TABLE replies (key BLOB PRIMARY KEY, operator TEXT, model TEXT, body BLOB, prompt_tokens INTEGER,"
        " completion_tokens INTEGER, cost REAL, seconds REAL, row TEXT, at REAL) WITHOUT ROWID"
    )
    old = [(entry(i).key, f"Op{i % 2}:x", "m", b"b%d" % i, i, 2, 0.5, 1.5, str(i), 0.0) for i in range(5)]
    connection.executemany("INSERT INTO replies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", old)
    connection.commit()
    connection.close()
    for _ in range(2):
        journal = Journal(path)
        assert [journal.get(entry(i).key) for i in range(5)] == [
            Entry(entry(i).key, b"b%d" % i, f"Op{i % 2}:x", "m", i, 2, 0.5, 1.5) for i in range(5)
        ]
        journal.close()
    journal = Journal(path)
    journal.set_aside("Op1:x", ["1", "2"])
    assert [journal.get(entry(i).key) is None for i in range(5)] == [False, True, False, False, False]
    assert journal.totals() == {"calls": 5, "prompt_tokens": 10, "completion_tokens": 10, "cost": 2.5}
    journal.close()


def test_a_journal_of_a_later_release(path: Path) -> None:
    Journal(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StorageError, match="written by a later release"):
        Journal(path)


@pytest.mark.parametrize("row", ["0", "17", "17/2", "6:0", "007", "-1", "", "9" * 40, "٣", "#3"])
def test_rows_are_set_aside_by_any_id(path: Path, row: str) -> None:
    journal = Journal(path)
    put(journal, entry(1, operator="Op", row=row), entry(2, operator="Op", row="other"))
    journal.set_aside("Op", [row])
    assert journal.get(entry(1).key) is None
    assert journal.get(entry(2).key) is not None
    journal.close()


def test_the_file_is_little_larger_than_the_replies(path: Path) -> None:
    body = b"x" * 500
    journal = Journal(path)
    keys = [key_of("a request", i) for i in range(20_000)]
    operator, model = "PromptedGenerator:" + "a" * 100, "a-model-with-a-long-name"
    for first in range(0, len(keys), 500):
        put(
            journal,
            *(Entry(k, body, operator, model, 100, 100, 1e-5, 1.2, "7") for k in keys[first : first + 500]),
        )
    journal.close()
    size = sum(file.stat().st_size for file in path.parent.iterdir())
    assert size <= 1.5 * len(keys) * len(body)


def test_a_file_that_is_no_journal(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database at all" * 100)
    for _ in range(2):
        with pytest.raises(StorageError, match=r"journal\.sqlite is no journal .*; move it away"):
            Journal.at(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(StorageError, match="is no journal"):
        Journal.at(path)


def test_a_deleted_journal_is_made_anew(path: Path) -> None:
    put(Journal.at(path), entry(1))
    for file in path.parent.iterdir():
        file.unlink()
    path.parent.rmdir()
    journal = Journal.at(path)
    assert journal.get(entry(1).key) is None
    put(journal, entry(2))
    assert [key for key, _ in rows(path)] == [entry(2).key]
    journal.close()


# ---- keys

plain = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(st.characters(exclude_categories=[]))
)
values = st.recursive(
    plain, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(), v, max_size=3), max_leaves=8
)


def reordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: reordered(v) for k, v in reversed(value.items())}
    return [reordered(v) for v in value] if isinstance(value, list) else value


@given(values)
def test_the_order_of_dict_keys_is_irrelevant(value: Any) -> None:
    assert key_of(value) == key_of(reordered(value))


MESSAGES = ({"role": "user", "content": "a"},)
BASE = ({"model": "m", "sampling": {"temperature": 1}}, MESSAGES, None, "Op:col", "3", 0)


@pytest.mark.parametrize(
    "parts",
    [
        ({"model": "n", "sampling": {"temperature": 1}}, *BASE[1:]),
        ({"model": "m", "sampling": {"temperature": 1, "top_p": 1}}, *BASE[1:]),
        ({"model": "m", "sampling": {"temperature": 0.5}}, *BASE[1:]),
        (BASE[0], ({"role": "system", "content": "a"},), *BASE[2:]),
        (BASE[0], ({"role": "user", "content": "a "},), *BASE[2:]),
        (BASE[0], (*MESSAGES, *MESSAGES), *BASE[2:]),
        (*BASE[:2], {"type": "object"}, *BASE[3:]),
        (*BASE[:3], "Op:other", *BASE[4:]),
        (*BASE[:4], "33", 0),
        (*BASE[:4], "3", 1),
        BASE[:5],
        (*BASE[:4], 3, 0),
    ],
    ids=str,
)
def test_every_part_of_a_key_matters(parts: tuple[Any, ...]) -> None:
    assert key_of(*parts) != key_of(*BASE)
    assert key_of(*BASE) == key_of(*BASE)


def test_awkward_texts_have_keys_of_their_own() -> None:
    texts = ["", "a", "\ud800", "\udfff", "\\ud800", "\x00", "é", "e\u0301", "{}", '"']
    assert len({key_of(t) for t in texts}) == len(texts)
    assert len({key_of([{"b": 1, "a": t}]) for t in texts}) == len(texts)


def test_parts_that_are_no_json_have_keys() -> None:
    import numpy as np

    assert key_of({"x": np.int64(3), "y": "\ud800"}) == key_of({"y": "\ud800", "x": 3})
