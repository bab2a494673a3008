"""Filters that ask the database: whether a query can be planned, runs, and gives something."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from pydantic import Field

from dataflow.core.frames import as_text
from dataflow.core.outcome import Failure, Outcome
from dataflow.core.ports import Binding, In
from dataflow.core.rows import Filter, outcome
from dataflow.databases.connector import QueryResult
from dataflow.databases.manager import DatabaseManager
from dataflow.operators.text2sql._databases import Query, executed, explained, told

Verdict = bool | tuple[bool, str]


class _QueryFilter(Filter):
    """Keeps rows by what their database says of their query; the queries of a batch are put to it together."""

    database_manager: DatabaseManager
    """The databases."""

    input_sql_key = In("SQL", "the query")
    input_db_id_key = In("db_id", "its database", type="any")

    def answers(self, queries: Sequence[Query]) -> list[QueryResult | Failure]:
        """What the databases say."""
        return executed(self.database_manager, queries)

    def verdict(self, result: QueryResult) -> Verdict:
        """Whether a row stays, by the answer to its query."""
        return (True, "") if result.success else (False, told(result))

    def transform(self, frame: pl.DataFrame, binding: Binding) -> Outcome:
        rows = self.cells(frame, binding)
        asked = [(as_text(db_id), sql) for sql, db_id in rows if sql is not None and db_id is not None]
        answers = iter(self.answers(asked))
        verdicts = [(False, "null") if self.skips(row) else self._judged(next(answers)) for row in rows]
        return outcome(frame, verdicts, lambda kept, done: self._divide(kept, binding, done))

    def _judged(self, answer: QueryResult | Failure) -> Verdict | Failure:
        return answer if isinstance(answer, Failure) else self.verdict(answer)


class SQLExecutionFilter(_QueryFilter):
    """Keep the queries that run on their database, within its limits of time and size.

    Run read-only, by the database's own means: what would write is dropped as `forbidden`. The other reasons are `syntax`,
    `unknown name`, `timeout`, `too large`, `runtime` and `slow`, each with what the engine says. An empty result counts;
    `SQLResultFilter` drops those. A row whose database is not there, or cannot be reached, fails.
    """

    max_seconds: float | None = Field(None, gt=0)
    """The longest a query may take; the limits of the database manager hold in any case."""

    def verdict(self, result: QueryResult) -> Verdict:
        if result.success and self.max_seconds is not None and result.seconds > self.max_seconds:
            return False, f"slow: {result.seconds:.2f} s"
        return super().verdict(result)


class SQLExecutabilityFilter(_QueryFilter):
    """Keep the queries that their database can plan: cheaper than to run them.

    Faults that only show in a run, such as a division by zero or too long a time, are not found. The reasons are those of
    `SQLExecutionFilter`. A row whose database is not there, or cannot be reached, fails.
    """

    def answers(self, queries: Sequence[Query]) -> list[QueryResult | Failure]:
        return explained(self.database_manager, queries)


class SQLResultFilter(_QueryFilter):
    """Keep the queries whose result says something: enough rows, not too many, and values in them.

    Queries are run as by `SQLExecutionFilter`, and dropped for the same reasons; besides as `few rows`, `many rows`, and
    `no values` where every value is null.
    """

    min_rows: int = Field(1, ge=0)
    """The fewest rows."""
    max_rows: int | None = Field(None, ge=0)
    """The most rows; null for no limit."""
    drop_nulls: bool = True
    """Whether results of nothing but nulls are dropped."""

    def verdict(self, result: QueryResult) -> Verdict:
        if not result.success:
            return super().verdict(result)
        count = result.row_count
        if count < self.min_rows:
            return False, f"few rows: {count}"
        if self.max_rows is not None and count > self.max_rows:
            return False, f"many rows: {count}"
        if self.drop_nulls and count and all(value is None for row in result.rows for value in row):
            return False, "no values"
        return True
