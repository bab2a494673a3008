"""SQLite files with vectors, by the extension sqlite-vec."""

from __future__ import annotations

import re
import sqlite3
import struct
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dataflow.core.errors import ConfigError, MissingDependency
from dataflow.databases.connector import DatabaseInfo, Limits, QueryResult, Session
from dataflow.databases.connectors.sqlite import PATTERNS, SqliteConnector, SqliteSession
from dataflow.databases.connectors.sqlite_extension import opened_with
from dataflow.databases.files import find_files
from dataflow.databases.results import failed
from dataflow.databases.schema import Schema

_KEPT = 10_000
_EMBEDDED = re.compile(
    r"\blembed\s*\(\s*(?:(?:'(?:[^']|'')*'|\"[^\"]*\"|[\w.-]+)\s*,\s*)?'((?:[^']|'')*)'\s*\)", re.IGNORECASE
)
_UNQUOTED = re.compile(r"\b(lembed\s*\(\s*)([A-Za-z_][\w.-]*)(?=\s*,)", re.IGNORECASE)
"""A model called without quotes, as queries written for open-dataflow 1.x do."""
_RAISED = "user-defined function raised exception"


class SqliteVecConnector(SqliteConnector):
    """SQLite files whose tables may be of the kind `vec0`; a database is called as its file without the suffix.

    In a query `lembed('model', 'text')` is the embedding of the text by the manager's `embedding_serving`, whatever the
    model is called: the texts of a batch of queries are embedded by one call, each once. The settings `model_name`,
    `model_path` and `enable_lembed` of open-dataflow 1.x are accepted and mean nothing: no model is loaded into SQLite,
    and nothing is written to the files.
    """

    name = "sqlite-vec"
    engine = "SQLite"

    def __init__(self) -> None:
        self._vectors: OrderedDict[str, bytes | None] = OrderedDict()
        self._lock = threading.Lock()

    def discover(self, config: Mapping[str, Any]) -> dict[str, DatabaseInfo]:
        _extension()
        found = find_files(self.name, config, PATTERNS, by_stem=True)
        return {i: DatabaseInfo(i, self.name, {"path": str(p)}) for i, p in found.items()}

    def open(self, info: DatabaseInfo) -> Session:
        return SqliteVecSession(info.db_id, Path(info.connection_info["path"]), self)

    def prepare(self, queries: Sequence[str]) -> None:
        if self.embedding_serving is not None:
            texts = (
                t.replace("''", "'")
                for sql in queries
                if isinstance(sql, str)
                for t in _EMBEDDED.findall(sql)
            )
            self._embed(list(dict.fromkeys(texts)))

    def vector(self, text: str) -> bytes:
        """The embedding of a text as SQLite's vectors are: numbers of 32 bits.

        Raises:
            ConfigError: there is no serving.
            ValueError: the serving gave none for this text.
        """
        if self.embedding_serving is None:
            raise ConfigError("lembed needs DatabaseManager(embedding_serving=...)")
        self._embed([text])
        if (found := self._vectors.get(text)) is None:
            raise ValueError(f"no embedding came of {text[:80]!r}")
        return found

    def embed(self, texts: Sequence[str]) -> list[Any]:
        self._embed(texts)
        return [self._vectors.get(text) for text in texts]

    def _embed(self, texts: Sequence[str]) -> None:
        with self._lock:
            if not (new := [t for t in texts if self._vectors.get(t) is None]):
                return
            vectors = self.embedding_serving.generate_embedding_from_input(new)
            for text, vector in zip(new, vectors, strict=True):
                self._vectors[text] = _floats(vector)
            while len(self._vectors) > max(_KEPT, len(new)):
                self._vectors.popitem(last=False)

    def special_columns(self, schema: Schema) -> int:
        return sum(c.name.lower().endswith("_embedding") for t in schema.tables for c in t.columns)


class SqliteVecSession(SqliteSession):
    """A read-only connection that knows vectors."""

    def __init__(self, db_id: str, path: Path, connector: SqliteVecConnector) -> None:
        self._connector, self._said = connector, ""
        super().__init__(db_id, path)

    def _open(self, uri: str) -> sqlite3.Connection:
        path = _extension().loadable_path()
        connection = opened_with(path, "sqlite3_vec_init", lambda: super(SqliteVecSession, self)._open(uri))
        connection.create_function("lembed", 2, lambda _, text: self._lembed(text))
        connection.create_function("lembed", 1, self._lembed)
        return connection

    def _lembed(self, text: Any) -> bytes | None:
        try:
            return None if text is None else self._connector.vector(str(text))
        except Exception as error:
            self._said = str(error)
            raise

    def execute(self, sql: str, limits: Limits) -> QueryResult:
        result = super().execute(_UNQUOTED.sub(r"\1'\2'", sql), limits)
        if result.fault is not None and result.error == _RAISED and self._said:
            result, self._said = failed(result.fault, self._said), ""
        return result


def _floats(vector: Any) -> bytes | None:
    if vector is None or isinstance(vector, bytes):  # from the parent of this process, which has made them
        return vector
    return struct.pack(f"<{len(vector)}f", *vector)


def _extension() -> Any:
    try:
        import sqlite_vec
    except ImportError as error:
        raise MissingDependency("sqlite-vec", "text2sql", "Querying vectors in SQLite") from error
    return sqlite_vec
