"""What an engine is to the manager: a connector finds databases and opens sessions; a session runs one query at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from dataflow.core.errors import ConfigError
from dataflow.core.inside import limit_memory

if TYPE_CHECKING:
    from dataflow.databases.schema import Schema

_BESIDE = 256 << 20
"""What a process apart may take besides the memory of its engine and the results."""
_COPIES = 6
"""How often the bytes of a result are in memory: as values of Python, larger than they count, and as what is sent."""


class Fault(StrEnum):
    """Why a query gave no result."""

    SYNTAX = "syntax"
    UNKNOWN = "unknown name"
    """A table, column, function or database that is not there."""
    FORBIDDEN = "forbidden"
    """It would write, attach, read files, or is more than one statement."""
    TIMEOUT = "timeout"
    TOO_LARGE = "too large"
    """Its result or the memory it needs is over the limit."""
    RUNTIME = "runtime"
    """Anything else the engine refuses: a division by zero, a bad cast."""
    CONNECTION = "connection"


class ConnectionLost(ConfigError):
    """A connection that ended while it was opened, as when an administrator ends all there are: another try may do."""


@dataclass(frozen=True)
class Limits:
    """What one query may take."""

    seconds: float = 5.0
    rows: int = 100_000
    bytes: int = 64 << 20
    """Of the values that come back."""
    memory_mb: int = 512
    """Of the engine, where it can be told."""


@dataclass(frozen=True)
class DatabaseInfo:
    """A database that a connector has found."""

    db_id: str
    db_type: str
    connection_info: Mapping[str, Any] = field(repr=False)
    """What `open` needs; may hold a password, and is therefore never shown."""
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The rows of a query, or why there are none.

    `rows` keeps the order of the engine and columns of the same name; `data` is the same as dictionaries, for
    pipelines written for open-dataflow 1.x.
    """

    success: bool
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    error: str = ""
    """In the words of the engine, without passwords; empty after success."""
    fault: Fault | None = None
    seconds: float = 0.0

    @property
    def data(self) -> list[dict[str, Any]]:
        """Rows as dictionaries; of columns of the same name the last one remains."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    @property
    def row_count(self) -> int:
        """How many rows came back."""
        return len(self.rows)


class Session(ABC):
    """An open, read-only connection; used by one thread at a time, and by one query at a time.

    Read-only is the engine's own doing (how it was opened, its role, its transaction, its authorizer), never a test
    of the text. After a fault the session is either as good as new or says so by `usable`.
    """

    usable: bool = True
    """False after a fault that the connection did not survive; the pool then opens another."""

    @abstractmethod
    def execute(self, sql: str, limits: Limits) -> QueryResult:
        """Run one statement. Never raises for what the query does: a fault is a result."""

    @abstractmethod
    def explain(self, sql: str, limits: Limits) -> QueryResult:
        """Let the engine plan one statement without running it."""

    @abstractmethod
    def schema(self, *, examples: int = 3, samples: int = 2) -> Schema:
        """Tables with columns, keys, comments, `examples` values a column, and `samples` rows a table."""

    def hold(self) -> None:  # noqa: B027
        """More queries follow at once; until `release` a session may keep from one to the next what it needs for each."""

    def release(self) -> None:  # noqa: B027
        """No query follows for now."""

    def heard(self) -> None:  # noqa: B027
        """Called after each statement of `schema`; replaced by who watches its time."""

    @abstractmethod
    def close(self) -> None:
        """End the connection; may be called more than once."""


class Connector(ABC):
    """One kind of engine."""

    name: ClassVar[str]
    """The `db_type` that chooses it: `sqlite`."""
    dialect: ClassVar[str]
    """sqlglot's name of its SQL."""
    engine: ClassVar[str]
    """What prompts call it: `SQLite`."""

    apart: ClassVar[bool] = False
    """Whether its queries run in processes of their own, which are ended when they hang; for engines that are libraries.

    Such a process makes a connector of this class anew, with `limits` and an `embedding_serving` that asks `embed` here.
    The class must be one that can be imported, and what `open` needs and results hold must be what pickles.
    """

    embedding_serving: Any = None
    """Turns the texts of vector queries into vectors by `generate_embedding_from_input`; set by the manager."""

    limits: Limits = Limits()
    """What a query may take, for what an engine is told when a session is opened; set by the manager."""

    @abstractmethod
    def discover(self, config: Mapping[str, Any]) -> dict[str, DatabaseInfo]:
        """The databases that `config` names, by id.

        Raises:
            ConfigError: `config` lacks what it needs, or names nothing that is there.
        """

    @abstractmethod
    def open(self, info: DatabaseInfo) -> Session:
        """A new session.

        Raises:
            ConfigError: the database is not there, or refuses the connection.
            ConnectionLost: it ended at once; the query is tried again.
        """

    def stamp(self, info: DatabaseInfo) -> Any:
        """Plain data that changes when the database does; part of the fingerprint of what is made from it.

        Here the schema alone, which is what can be told of a server at a fair price.
        """
        session = self.open(info)
        try:
            schema = session.schema(examples=0, samples=0)
        finally:
            session.close()
        return [[t.name, [[c.name, c.type] for c in t.columns], t.row_count] for t in schema.tables]

    def version(self, info: DatabaseInfo) -> Any:
        """What is quick to tell and changes when the schema may have; null where nothing is."""
        return None

    def prepare(self, queries: Sequence[str]) -> None:  # noqa: B027
        """What is best done once for many queries before they run, such as embedding the texts in them."""

    def embed(self, texts: Sequence[str]) -> list[Any]:
        """The vectors of texts, for a session in a process apart."""
        vectors: list[Any] = self.embedding_serving.generate_embedding_from_input(list(texts))
        return vectors

    def enclose(self) -> None:
        """Bound the memory of the process apart in which this connector is now; called before it opens a session."""
        limit_memory((self.limits.memory_mb << 20) + _COPIES * self.limits.bytes + _BESIDE, data_only=True)

    def special_columns(self, schema: Schema) -> int:
        """How many columns `SQLByColumnGenerator` asks queries about; here all of them."""
        return sum(len(table.columns) for table in schema.tables)
