"""The ledger of batches: one batch a request, nothing counted twice, and reads that see what was written."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataflow.core.errors import StorageError
from dataflow.serving.batch_ledger import BatchLedger, Known, Sent

KEYS = [bytes([i]) * 16 for i in range(10)]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[BatchLedger]:
    ledger = BatchLedger(tmp_path / "journal.sqlite.batches")
    yield ledger
    ledger.close()


def sent(name: str) -> Sent:
    return Sent(name, "http://127.0.0.1/v1/batches", "toy")


def test_a_request_is_in_one_batch_at_a_time(ledger: BatchLedger) -> None:
    assert ledger.prepare(sent("a"), KEYS[:6]) == set(KEYS[:6])
    assert ledger.prepare(sent("b"), KEYS[4:]) == set(KEYS[6:])
    assert ledger.lines("b") == dict(enumerate(KEYS[6:], 1))
    assert ledger.prepare(sent("c"), KEYS[:3]) == set()
    assert [(s.name, s.requests) for s in ledger.batches()] == [("a", 6), ("b", 4)]


def test_an_answered_request_is_in_none(ledger: BatchLedger) -> None:
    ledger.prepare(sent("a"), KEYS[:2])
    ledger.answer("a", {KEYS[0]: b"one"})
    assert ledger.find(KEYS[0]) == Known(None, 0, b"one")
    assert ledger.left("a") == [KEYS[1]]
    assert ledger.prepare(sent("b"), KEYS[:2]) == set()


def test_answers_and_faults_count_once(ledger: BatchLedger) -> None:
    ledger.prepare(sent("a"), KEYS[:2])
    for _ in range(2):
        ledger.answer("a", {KEYS[0]: b"one"})
    assert ledger.free("a", KEYS[:2], 1) == {KEYS[1]: 1}
    assert ledger.free("a", KEYS[:2], 1) == {}
    (batch,) = ledger.batches()
    assert batch.answered == 1


def test_a_late_answer_of_an_earlier_batch_is_not_taken(ledger: BatchLedger) -> None:
    ledger.prepare(sent("a"), KEYS[:1])
    ledger.free("a", KEYS[:1], 1)
    ledger.prepare(sent("b"), KEYS[:1])
    ledger.answer("a", {KEYS[0]: b"late"})
    assert ledger.find(KEYS[0]) == Known("b", 1, None)


def test_requests_in_a_batch_are_not_forgotten(ledger: BatchLedger) -> None:
    ledger.prepare(sent("a"), KEYS[:2])
    ledger.answer("a", {KEYS[0]: b"one"})
    ledger.forget(KEYS)
    assert ledger.find(KEYS[0]) is None
    assert ledger.find(KEYS[1]) == Known("a", 0, None)


def test_what_was_written_is_seen_whoever_else_reads(ledger: BatchLedger) -> None:
    keys = [i.to_bytes(16) for i in range(100)]
    ledger.prepare(sent("a"), keys)
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            ledger.left("a")

    readers = [threading.Thread(target=look) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        for key in keys:
            ledger.answer("a", {key: b"answer"})
            assert ledger.find(key) == Known(None, 0, b"answer")
    finally:
        done.set()
        for reader in readers:
            reader.join()


def test_a_file_that_is_no_ledger_is_told(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("no database, but long enough to be looked at as one" * 20)
    with pytest.raises(StorageError, match="is no ledger of batches"):
        BatchLedger(tmp_path / "x")
