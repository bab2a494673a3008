"""Databases by id: what they hold, and what queries give; many queries at once."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from dataflow.core.errors import ConfigError, RowError, UnknownName, did_you_mean
from dataflow.databases.comparison import Comparison, Convention, compare
from dataflow.databases.connector import Connector, DatabaseInfo, Fault, Limits, QueryResult, Session
from dataflow.databases.crew import Crew
from dataflow.databases.engines import ApartSession, Engines, runs_apart
from dataflow.databases.frames import What
from dataflow.databases.pool import Pool
from dataflow.databases.registry import connector_class
from dataflow.databases.render import FORMS, ddl, inserts
from dataflow.databases.results import failed
from dataflow.databases.schema import Schema
from dataflow.databases.worker import Job, Worker, no_text

Query = tuple[str, str]
"""A database id and a statement."""


class DatabaseManager:
    """Runs queries on the databases that a `config` names, read-only, each within `limits`.

    `db_type` names a connector (`sqlite`, `sqlite-vec`, `duckdb`, `postgresql`, `mysql`, or one of another package),
    `config` holds what it needs, `embedding_serving` embeds the texts of vector queries. `workers` queries of a batch
    run at once; of equal ones only the first is run.

    Connections, and the processes in which SQLite and DuckDB run, are opened when they are needed, kept, and ended by
    `close`. The manager can be used by many threads, again after `close`, pickled, and passed to other processes.

    Raises:
        ConfigError: `db_type` is not known, or `config` names no database.
        MissingDependency: the package of the engine is not installed.
    """

    def __init__(
        self,
        db_type: str = "sqlite",
        config: Mapping[str, Any] | None = None,
        embedding_serving: Any = None,
        *,
        limits: Limits | None = None,
        workers: int = 8,
    ) -> None:
        if workers < 1:
            raise ConfigError(f"DatabaseManager: workers={workers} must be at least 1")
        self.db_type, self.workers = db_type, workers
        self.embedding_serving = embedding_serving
        self.limits = limits or Limits()
        self._config = dict(config or {})
        self._set_up()
        self.databases  # noqa: B018  # a config that names nothing is told of at once

    def _set_up(self) -> None:
        self.connector: Connector = connector_class(self.db_type)()
        self.connector.embedding_serving, self.connector.limits = self.embedding_serving, self.limits
        self._engines = Engines(self.connector, self._known) if runs_apart(self.connector) else None
        self._pool = Pool(self._open)
        self._schemas: dict[str, tuple[Any, Schema]] = {}
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {k: getattr(self, k) for k in ("db_type", "_config", "embedding_serving", "limits", "workers")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._set_up()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DatabaseManager) and self.__getstate__() == other.__getstate__()

    def __hash__(self) -> int:
        return hash((self.db_type, *self._config))

    def __repr__(self) -> str:
        return f"DatabaseManager({self.db_type!r}, {len(self.databases)} databases)"

    def __enter__(self) -> DatabaseManager:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections and end the processes; those that a query runs on, when it ends."""
        self._pool.close()
        if self._engines is not None:
            self._engines.close()
        with self._lock:
            self._schemas.clear()

    @cached_property
    def databases(self) -> dict[str, DatabaseInfo]:
        """What was found when the manager was made, by id."""
        return self.connector.discover(self._config)

    @property
    def dialect(self) -> str:
        """sqlglot's name of the SQL that these databases speak."""
        return self.connector.dialect

    @property
    def engine(self) -> str:
        """The name of the engine, as prompts say it."""
        return self.connector.engine

    @property
    def fingerprint(self) -> dict[str, Any]:
        """What decides the results besides the queries; a changed database changes it, a password does not."""
        stamps = {i: self.connector.stamp(info) for i, info in sorted(self.databases.items())}
        limits = dataclasses.asdict(self.limits)
        return {
            "db_type": self.db_type,
            "databases": stamps,
            "limits": limits,
            "embeds": self.embedding_serving,
        }

    def list_databases(self) -> list[str]:
        """The ids of all databases."""
        return list(self.databases)

    def database_exists(self, db_id: str) -> bool:
        """Whether there is a database of that id."""
        return db_id in self.databases

    @contextmanager
    def get_connection(self, db_id: str) -> Iterator[Session]:
        """A session on a database, of the caller's own until the block is left.

        Raises:
            UnknownName: there is no such database.
            ConfigError: it cannot be opened.
        """
        self._known(db_id)
        with self._pool.session(db_id) as session:
            yield session

    def execute(self, db_id: str, sql: str) -> QueryResult:
        """Run one query; never raises for what it does."""
        return self.batch_execute_queries([(db_id, sql)])[0]

    def batch_execute_queries(self, queries: Sequence[Query]) -> list[QueryResult]:
        """Run queries side by side, in their order; one that fails, or names no database, fails alone."""
        return self._batch(queries, explain=False)

    def batch_explain_queries(self, queries: Sequence[Query]) -> list[QueryResult]:
        """Let the engine plan queries without running them: whether they can be run at all."""
        return self._batch(queries, explain=True)

    def batch_compare_queries(
        self, queries: Sequence[tuple[str, str, str]], convention: Convention | str = Convention.DATAFLOW
    ) -> list[Comparison]:
        """Run pairs of queries, `(db_id, query, gold query)`, and compare their results; true where they are the same.

        The order of rows counts where both queries order them; a gold query that comes many times is run once.
        """
        pairs = [((db_id, sql), (db_id, gold)) for db_id, sql, gold in queries]
        results = self.batch_execute_queries([query for pair in pairs for query in pair])
        return [
            compare(
                results[2 * i],
                results[2 * i + 1],
                convention=convention,
                orders=(self._orders(pair[0][1]), self._orders(pair[1][1])),
            )
            for i, pair in enumerate(pairs)
        ]

    def compare_queries(
        self, db_id: str, sql: str, gold: str, convention: Convention | str = Convention.DATAFLOW
    ) -> Comparison:
        """Run two queries and compare their results."""
        return self.batch_compare_queries([(db_id, sql, gold)], convention)[0]

    def compare_results(
        self, result: QueryResult, gold: QueryResult, convention: Convention | str = Convention.DATAFLOW
    ) -> Comparison:
        """Compare two results, whatever their order."""
        return compare(result, gold, convention=convention)

    def get_schema(self, db_id: str) -> Schema:
        """What a database holds; read again when the database has changed, or after `close`.

        Raises:
            UnknownName: there is no such database.
            ConfigError: it cannot be opened.
        """
        info = self._known(db_id)
        version = self.connector.version(info)
        known = self._schemas.get(db_id)
        if known is None or known[0] != version:
            with self.get_connection(db_id) as session:
                known = version, session.schema()
            with self._lock:
                self._schemas[db_id] = known
        return known[1]

    def get_create_statements_and_insert_statements(self, db_id: str) -> tuple[list[str], list[str]]:
        """The statements that make the tables, and some that put the sample rows into them."""
        schema = self.get_schema(db_id)
        return [ddl(table, schema.dialect) for table in schema.tables], inserts(schema)

    def get_db_details(self, db_id: str, form: str = "m-schema") -> str:
        """The schema as text for a model: as `m-schema`, `ddl`, or `compact`, a line a table."""
        if form not in FORMS:
            raise ConfigError(f"form={form!r} is not known; there are {', '.join(FORMS)}")
        return FORMS[form](self.get_schema(db_id))

    def get_number_of_special_column(self, db_id: str) -> int:
        """How many columns queries can be asked about: all, or those of vectors where the engine is for them."""
        return self.connector.special_columns(self.get_schema(db_id))

    def _known(self, db_id: str) -> DatabaseInfo:
        try:
            return self.databases[db_id]
        except KeyError:
            hint = did_you_mean(db_id, self.databases)
            raise UnknownName(
                f"no database {db_id!r} among the {len(self.databases)} of {self.db_type}.{hint}"
            ) from None

    def _open(self, db_id: str) -> Session:
        if self._engines is not None:
            return ApartSession(self._engines, db_id)
        return self.connector.open(self.databases[db_id])

    def _batch(self, queries: Sequence[Query], *, explain: bool) -> list[QueryResult]:
        if self._engines is not None and queries:
            self._engines.warm()
        jobs = _by_database(queries, explain)
        self.connector.prepare([sql for _, sql, _ in jobs])
        results = self._run(jobs) if self._engines is None else self._run_apart(jobs, self._engines)
        done = dict(zip(jobs, results, strict=True))
        return [done[db_id, sql, explain] for db_id, sql in queries]

    def _run(self, jobs: Sequence[Job]) -> list[QueryResult]:
        crew = Crew(
            lambda: Worker(self._pool, self._known, self.limits),
            self._lost,
            jobs,
            self.workers,
            self.limits.seconds,
        )
        return crew.run()

    def _run_apart(self, jobs: Sequence[Job], engines: Engines) -> list[QueryResult]:
        results = [self._refused(db_id, sql) for db_id, sql, _ in jobs]
        good = [i for i, refused in enumerate(results) if refused is None]
        asked = [(db_id, sql, What.EXPLAIN if explain else What.EXECUTE) for db_id, sql, explain in jobs]
        for i, result in zip(
            good, engines.run([asked[i] for i in good], self.limits, self.workers), strict=True
        ):
            results[i] = result
        return [result for result in results if result is not None]

    def _refused(self, db_id: str, sql: str) -> QueryResult | None:
        """Why a query is not run at all."""
        if (wrong := no_text(sql)) is not None:
            return failed(Fault.SYNTAX, wrong)
        try:
            self._known(db_id)
        except UnknownName as error:
            return failed(Fault.UNKNOWN, str(error))
        return None

    def _orders(self, sql: str) -> bool:
        """Whether a query orders its rows; not for one that cannot be parsed, which the engine may still have run."""
        from dataflow.databases.queries.features import orders

        try:
            return "order" in sql.lower() and orders(sql, self.dialect)
        except RowError:
            return False

    def _lost(self, job: Job) -> QueryResult:
        return failed(Fault.TIMEOUT, f"given up after {self.limits.seconds:g} s: the engine did not stop it")


def _by_database(queries: Sequence[Query], explain: bool) -> list[Job]:
    """The different queries, those of one database together."""
    jobs: dict[str, dict[Job, None]] = {}
    for db_id, sql in queries:
        jobs.setdefault(db_id, {})[db_id, sql, explain] = None
    return [job for of_one in jobs.values() for job in of_one]
