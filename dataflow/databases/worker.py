"""A worker of a batch of queries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dataflow.core.errors import ConfigError, UnknownName
from dataflow.databases.connector import ConnectionLost, Fault, Limits, QueryResult, Session
from dataflow.databases.pool import Pool
from dataflow.databases.results import failed

Job = tuple[str, str, bool]
"""A database id, a statement, and whether it is only to be planned."""
_TRIES = 3
"""How often a query is tried whose connection was lost, as after the server was started again; the others of its
database are then taken to be lost too."""


class Worker:
    """Runs one query after the other; the session stays with it as long as they ask the same database."""

    def __init__(self, pool: Pool, check: Callable[[str], object], limits: Limits) -> None:
        self._pool, self._check, self.limits = pool, check, limits
        self._db_id = ""
        self._session: Session | None = None

    def __call__(self, job: Job) -> QueryResult:
        """What came of one query."""
        db_id, sql, explain = job
        if (wrong := no_text(sql)) is not None:
            return failed(Fault.SYNTAX, wrong)
        try:
            for _ in range(_TRIES):
                session = self._session if self._db_id == db_id else None
                try:
                    session = session or self._take(db_id)
                except ConnectionLost as error:
                    result = failed(Fault.CONNECTION, str(error))
                    continue
                result = (session.explain if explain else session.execute)(sql, self.limits)
                if session.usable:
                    break
                self.close()
                if result.fault is not Fault.CONNECTION:
                    break
                self._pool.close(db_id)
            return result
        except UnknownName as error:
            return failed(Fault.UNKNOWN, str(error))
        except ConfigError as error:
            return failed(Fault.CONNECTION, str(error))

    def _take(self, db_id: str) -> Session:
        self.close()
        self._check(db_id)
        self._session, self._db_id = self._pool.take(db_id), db_id
        self._session.hold()
        return self._session

    def close(self) -> None:
        """Give the session back."""
        if (session := self._session) is not None:
            self._session = None
            session.release()
            self._pool.put(self._db_id, session)


def no_text(sql: Any) -> str | None:
    """Why this is no statement of any engine."""
    if not isinstance(sql, str) or not sql.strip():
        return "there is no statement"
    if "\0" in sql:
        return "the statement has a null character"
    try:
        sql.encode()
    except UnicodeEncodeError:
        return "the statement is not valid Unicode"
    return None
