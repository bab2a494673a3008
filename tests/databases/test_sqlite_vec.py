"""Vectors in SQLite: nearest neighbours by `lembed`, with nothing written to the file."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataflow.core.errors import ConfigError
from dataflow.databases.connector import Fault
from dataflow.databases.manager import DatabaseManager

sqlite_vec = pytest.importorskip("sqlite_vec", reason="sqlite-vec is not installed")


class Lengths:
    """Embeds a text as its length."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def generate_embedding_from_input(self, texts: list[str]) -> list[list[float] | None]:
        self.asked.append(list(texts))
        return [None if text == "unwell" else [float(len(text)), 0.0, 0.0] for text in texts]


def embedded(*numbers: float) -> bytes:
    return struct.pack(f"<{len(numbers)}f", *numbers)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    from dataflow.databases.connectors.sqlite_extension import opened_with

    path = tmp_path / "texts" / "words.db"
    path.parent.mkdir()
    try:
        connection = opened_with(
            sqlite_vec.loadable_path(), "sqlite3_vec_init", lambda: sqlite3.connect(path)
        )
    except ConfigError as error:
        pytest.skip(str(error))
    connection.execute("CREATE TABLE words (id INTEGER PRIMARY KEY, word TEXT, word_embedding BLOB)")
    connection.execute("CREATE VIRTUAL TABLE nearest USING vec0(word_embedding float[3])")
    for i, word in enumerate(("a", "bb", "it's", "five5"), 1):
        connection.execute("INSERT INTO words VALUES (?, ?, ?)", (i, word, embedded(len(word), 0, 0)))
        connection.execute(
            "INSERT INTO nearest (rowid, word_embedding) VALUES (?, ?)", (i, embedded(len(word), 0, 0))
        )
    connection.commit()
    connection.close()
    return path


@pytest.fixture
def words(file: Path) -> Iterator[DatabaseManager]:
    before = file.read_bytes()
    with DatabaseManager("sqlite-vec", {"root_path": str(file.parent.parent)}, Lengths()) as manager:
        yield manager
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def knn(text: str, model: str = "'all-MiniLM-L6-v2'") -> tuple[str, str]:
    quoted = text.replace("'", "''")
    return (
        "words",
        f"SELECT rowid, distance FROM nearest WHERE word_embedding MATCH lembed({model}, '{quoted}') AND k = 1",
    )


def test_texts_of_a_batch_are_embedded_by_one_call(words: DatabaseManager) -> None:
    results = words.batch_execute_queries([knn("x"), knn("it's"), knn("x", "all-MiniLM-L6-v2"), knn("12345")])
    assert [r.rows for r in results] == [((1, 0.0),), ((3, 0.0),), ((1, 0.0),), ((4, 0.0),)]
    assert words.embedding_serving.asked == [["x", "it's", "12345"]]
    assert words.execute(*knn("it's")).success
    assert len(words.embedding_serving.asked) == 1


def test_texts_that_a_query_makes_are_embedded_too(words: DatabaseManager) -> None:
    sql = "SELECT word FROM words ORDER BY vec_distance_l2(word_embedding, lembed('m', 'x' || 'y')) LIMIT 1"
    assert words.execute("words", sql).rows == (("bb",),)
    assert words.embedding_serving.asked == [["xy"]]


def test_a_text_without_an_embedding_fails_alone(words: DatabaseManager) -> None:
    bad, good = words.batch_execute_queries([knn("unwell"), knn("x")])
    assert bad.fault is Fault.RUNTIME
    assert "no embedding came of 'unwell'" in bad.error
    assert good.success


def test_without_a_serving(file: Path) -> None:
    with DatabaseManager(
        "sqlite-vec", {"root_path": str(file), "model_name": "m", "enable_lembed": True}
    ) as manager:
        assert "embedding_serving" in manager.execute(*knn("x")).error
        assert manager.execute("words", "SELECT vec_length(word_embedding) FROM words").rows[0] == (3,)


def test_schema_and_samples(words: DatabaseManager) -> None:
    assert [t.name for t in words.get_schema("words").tables] == ["words", "nearest"]
    assert words.get_number_of_special_column("words") == 2
    creates, inserts = words.get_create_statements_and_insert_statements("words")
    assert "USING vec0" in creates[1]
    assert inserts[0] == """INSERT INTO "words" ("id", "word", "word_embedding") VALUES (1, 'a', NULL);"""


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM nearest",
        "INSERT INTO nearest (rowid, word_embedding) VALUES (9, '[1, 2, 3]')",
        "UPDATE nearest_rowids SET id = 1",
        "DELETE FROM nearest_vector_chunks00",
        "DROP TABLE nearest",
    ],
)
def test_nothing_is_written(words: DatabaseManager, sql: str) -> None:
    assert words.execute("words", sql).fault is Fault.FORBIDDEN
