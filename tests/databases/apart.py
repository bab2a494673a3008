"""An engine that misbehaves as its statements say, in a process of its own."""

from __future__ import annotations

import ctypes
import datetime as dt
import os
import re
import signal
import time
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from dataflow.databases.connector import Connector, DatabaseInfo, Fault, Limits, QueryResult, Session
from dataflow.databases.results import failed, timed
from dataflow.databases.schema import Schema

VALUES = (Decimal("1.50"), dt.date(2024, 2, 29), [1, {"a": b"\0"}], "\udcff", float("inf"), 2**80, None)


class UnrulyConnector(Connector):
    name = "unruly"
    dialect = "sqlite"
    engine = "Unruly"
    apart = True

    def discover(self, config: Mapping[str, Any]) -> dict[str, DatabaseInfo]:
        return {"x": DatabaseInfo("x", self.name, {"when": dt.date(2024, 1, 1)})}

    def open(self, info: DatabaseInfo) -> Session:
        assert info.connection_info["when"] == dt.date(2024, 1, 1)
        return UnrulySession(self)


class UnrulySession(Session):
    def __init__(self, connector: Connector) -> None:
        self._connector = connector

    def execute(self, sql: str, limits: Limits) -> QueryResult:
        return timed(lambda: (("a",), self._rows(sql)), lambda error: (Fault.RUNTIME, repr(error)))

    def _rows(self, sql: str) -> tuple[tuple[Any, ...], ...]:
        what, _, number = sql.partition(" ")
        if what == "hang":
            re.match("(a+)+$", "a" * 60 + "b")  # holds the lock of the interpreter
        elif what == "crash":
            ctypes.string_at(0)
        elif what == "abort":
            os.abort()
        elif what == "leave":
            os._exit(1)
        elif what == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        elif what == "once":
            if not Path(number).exists():
                Path(number).touch()
                os.kill(os.getpid(), signal.SIGKILL)
        elif what == "fill":
            return ((len(bytearray(8 << 30)),),)
        elif what == "print":
            os.write(1, b"\xff" * 100)
        elif what == "wait":
            time.sleep(0.05)
        elif what == "values":
            return (VALUES,)
        elif what == "large":
            return (("a" * (1 << 20),),) * int(number)
        elif what == "embed":
            return tuple(
                map(tuple, self._connector.embedding_serving.generate_embedding_from_input([number]))
            )
        elif what == "process":
            return ((os.getpid(),),)
        return ((sql,),)

    def explain(self, sql: str, limits: Limits) -> QueryResult:
        return failed(Fault.RUNTIME, "it has no plans")

    def schema(self, *, examples: int = 3, samples: int = 2) -> Schema:
        return Schema("x", "sqlite")

    def close(self) -> None:
        """Nothing is open."""
