"""What the manager does besides passing queries on."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from dataflow.core.errors import ConfigError, DefinitionError, UnknownName
from dataflow.databases import registry
from dataflow.databases.connector import (
    ConnectionLost,
    Connector,
    DatabaseInfo,
    Fault,
    Limits,
    QueryResult,
    Session,
)
from dataflow.databases.manager import DatabaseManager
from dataflow.databases.schema import Column, Schema, Table
from dataflow.plan import fingerprint
from dataflow.utils.text2sql.database_manager import DatabaseManager as OldPath

WAIT_S = 30


class Recorded(Session):
    """Answers by a script: `sleep` never returns in time, `die` loses the connection, anything else is its own result."""

    def __init__(self, owner: Scripted, number: int) -> None:
        self.owner, self.number, self.closed = owner, number, False
        self.calls: list[str] = []

    def hold(self) -> None:
        self.calls.append("hold")

    def release(self) -> None:
        self.calls.append("release")

    def execute(self, sql: str, limits: Limits) -> QueryResult:
        self.owner.ran.append(sql)
        if sql.startswith("meet"):
            self.owner.meeting.wait(WAIT_S)
        if sql.startswith("stuck"):
            self.owner.release.wait(WAIT_S)
        if sql == "die" or (sql == "die once" and self.number == 0):
            self.usable = False
            return QueryResult(False, error="gone", fault=Fault.CONNECTION)
        return QueryResult(True, ("a",), ((sql,),))

    def explain(self, sql: str, limits: Limits) -> QueryResult:
        return QueryResult(True, ("plan",), (("look",),))

    def schema(self, *, examples: int = 3, samples: int = 2) -> Schema:
        self.owner.read += 1
        return Schema("x", "sqlite", (Table("t", (Column("a", "INT"), Column("b", "INT"))),))

    def close(self) -> None:
        self.closed = True


class Scripted(Connector):
    name = "scripted"
    dialect = "sqlite"
    engine = "Scripted"

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.sessions: list[Recorded] = []
        self.read = self.opened = self.lost = 0
        self.meeting = threading.Barrier(3)
        self.release = threading.Event()

    def discover(self, config: Mapping[str, Any]) -> dict[str, DatabaseInfo]:
        return {i: DatabaseInfo(i, self.name, {"password": "s3cret"}) for i in config["ids"]}

    def open(self, info: DatabaseInfo) -> Session:
        if info.db_id == "closed":
            raise ConfigError("it is closed")
        self.opened += 1
        if self.opened <= self.lost:
            raise ConnectionLost("somebody ended it")
        self.sessions.append(Recorded(self, len(self.sessions)))
        return self.sessions[-1]


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Iterator[DatabaseManager]:
    monkeypatch.setitem(registry._registered, "scripted", Scripted)
    with DatabaseManager(
        "scripted", {"ids": ["x", "closed"]}, limits=Limits(seconds=0.1), workers=3
    ) as manager:
        yield manager
        manager.connector.release.set()  # type: ignore[attr-defined]


def test_equal_queries_run_once(scripted: DatabaseManager) -> None:
    queries = [("x", "a"), ("x", "b"), ("x", "a"), ("x", "a")]
    assert [r.rows[0][0] for r in scripted.batch_execute_queries(queries)] == ["a", "b", "a", "a"]
    assert sorted(scripted.connector.ran) == ["a", "b"]  # type: ignore[attr-defined]
    assert scripted.batch_execute_queries([]) == []


@pytest.mark.parametrize(("lost", "fault"), [(2, None), (3, Fault.CONNECTION)])
def test_a_connection_lost_while_it_is_opened_is_opened_again(
    scripted: DatabaseManager, lost: int, fault: Fault | None
) -> None:
    scripted.connector.lost = lost  # type: ignore[attr-defined]
    result = scripted.execute("x", "a")
    assert (result.fault, result.error) == (fault, "somebody ended it" if fault else "")
    assert scripted.execute("x", "a").success


def test_queries_of_one_database_run_at_once(scripted: DatabaseManager) -> None:
    scripted.limits = Limits(seconds=WAIT_S)
    batches = [threading.Thread(target=scripted.execute, args=("x", "meet")) for _ in range(3)]
    for batch in batches:
        batch.start()
    for batch in batches:
        batch.join(WAIT_S)
    assert scripted.connector.meeting.broken is False  # type: ignore[attr-defined]
    assert scripted.connector.ran == ["meet"] * 3  # type: ignore[attr-defined]


def test_long_queries_of_one_batch_run_at_once(scripted: DatabaseManager) -> None:
    scripted.limits = Limits(seconds=WAIT_S)
    queries = [("x", f"q{i}") for i in range(50)] + [("x", f"meet {i}") for i in range(3)]
    assert all(result.success for result in scripted.batch_execute_queries(queries))
    assert not scripted.connector.meeting.broken  # type: ignore[attr-defined]


def test_queries_of_one_database_follow_each_other(scripted: DatabaseManager) -> None:
    queries = [(("x", "closed", "nowhere")[i % 3], f"q{i}") for i in range(9)]
    results = scripted.batch_execute_queries(queries)
    assert [r.fault for r in results] == [None, Fault.CONNECTION, Fault.UNKNOWN] * 3
    assert [r.rows for r in results[::3]] == [((f"q{i}",),) for i in (0, 3, 6)]
    assert len(scripted.connector.sessions) <= 3  # type: ignore[attr-defined]
    for session in scripted.connector.sessions:  # type: ignore[attr-defined]
        assert session.calls == ["hold", "release"] * (len(session.calls) // 2)


def test_an_engine_that_cannot_be_stopped_is_given_up(scripted: DatabaseManager) -> None:
    queries = [("x", f"stuck {i}") for i in range(5)] + [("x", f"q{i}") for i in range(20)]
    results = scripted.batch_execute_queries(queries)
    assert [r.fault for r in results[:5]] == [Fault.TIMEOUT] * 5
    assert all(r.success for r in results[5:])
    scripted.connector.release.set()  # type: ignore[attr-defined]
    assert [r.fault for r in results[:5]] == [Fault.TIMEOUT] * 5


def test_a_lost_connection_is_opened_again(scripted: DatabaseManager) -> None:
    assert scripted.execute("x", "die once").success
    sessions = scripted.connector.sessions  # type: ignore[attr-defined]
    assert [s.closed for s in sessions] == [True, False]
    assert scripted.execute("x", "die").fault is Fault.CONNECTION
    assert len(sessions) == 4


def test_a_database_that_cannot_be_opened_fails_alone(scripted: DatabaseManager) -> None:
    closed, open_ = scripted.batch_execute_queries([("closed", "a"), ("x", "a")])
    assert (closed.fault, closed.error) == (Fault.CONNECTION, "it is closed")
    assert open_.success
    with pytest.raises(ConfigError, match="it is closed"), scripted.get_connection("closed"):
        pass
    with pytest.raises(UnknownName, match="no database 'y'"), scripted.get_connection("y"):
        pass


def test_schema_is_read_once_until_closed(scripted: DatabaseManager) -> None:
    for _ in range(3):
        assert "a:INT" in scripted.get_db_details("x")
    assert scripted.connector.read == 1  # type: ignore[attr-defined]
    assert scripted.get_number_of_special_column("x") == 2
    scripted.close()
    scripted.get_schema("x")
    assert scripted.connector.read == 2  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match="there are m-schema, ddl, compact"):
        scripted.get_db_details("x", "toml")


def test_what_a_fingerprint_of_an_operator_sees(scripted: DatabaseManager) -> None:
    with DatabaseManager("scripted", {"ids": ["x"]}) as open_:
        seen = repr(fingerprint.plain(open_))
    assert "scripted" in seen
    assert "s3cret" not in seen + repr(scripted) + repr(scripted.databases)


def test_unknown_kinds_and_settings() -> None:
    with pytest.raises(ConfigError, match=r"db_type='sqlit' is not known.*Did you mean 'sqlite'"):
        DatabaseManager("sqlit")
    with pytest.raises(ConfigError, match="root_path"):
        DatabaseManager()
    with pytest.raises(ConfigError, match="does not exist"):
        DatabaseManager(config={"root_path": "/no/such/folder"})
    with pytest.raises(ConfigError, match="workers=0"):
        DatabaseManager(workers=0)
    assert OldPath is DatabaseManager


def test_connectors_of_other_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        EntryPoint("theirs", f"{__name__}:Scripted", "dataflow.databases"),
        EntryPoint("wrong", "pathlib:Path", "dataflow.databases"),
    ]
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: points)
    with DatabaseManager("theirs", {"ids": ["x"]}) as manager:
        assert manager.execute("x", "q").success
    with pytest.raises(DefinitionError, match="is no Connector"):
        DatabaseManager("wrong")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shop" / "shop.sqlite"
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (a INTEGER)")
        connection.execute("INSERT INTO t VALUES (1)")
    connection.close()
    return path


def test_ids_are_folders_or_names_of_files(file: Path, tmp_path: Path) -> None:
    shutil.copy(file, tmp_path / "shop.db")
    shutil.copy(file, tmp_path / "other.sqlite3")
    (tmp_path / "notes.txt").write_text("no database")
    (tmp_path / "deep" / "er").mkdir(parents=True)
    shutil.copy(file, tmp_path / "deep" / "er" / "x.sqlite")
    with DatabaseManager(config={"root_path": str(tmp_path)}) as manager:
        assert sorted(manager.list_databases()) == ["deep", "other", "shop", "shop_1"]
    with DatabaseManager(config={"root_path": [str(file), str(tmp_path / "deep")]}) as manager:
        assert manager.list_databases() == ["shop", "er"]
    with DatabaseManager(config={"root_path": str(tmp_path), "patterns": ["*.db"]}) as manager:
        assert manager.list_databases() == ["shop"]


def test_a_changed_file_is_seen(file: Path) -> None:
    with DatabaseManager(config={"root_path": str(file)}) as manager:
        before, schema = manager.fingerprint, manager.get_schema("shop")
        assert manager.execute("shop", "SELECT * FROM t").rows == ((1,),)
        with sqlite3.connect(file) as connection:
            connection.execute("CREATE TABLE u (b TEXT)")
            connection.execute("INSERT INTO t VALUES (2)")
        connection.close()
        assert manager.execute("shop", "SELECT * FROM t").rows == ((1,), (2,))
        assert manager.fingerprint != before
        assert len(manager.get_schema("shop").tables) == len(schema.tables) + 1


def test_a_file_with_a_write_ahead_log_gets_nothing_beside_it(file: Path) -> None:
    writer = sqlite3.connect(file)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.close()
    before = file.read_bytes()
    with DatabaseManager(config={"root_path": str(file)}) as manager:
        assert manager.execute("shop", "SELECT * FROM t").rows == ((1,),)
        assert list(file.parent.iterdir()) == [file]
        assert file.read_bytes() == before
        writer = sqlite3.connect(file)
        writer.execute("INSERT INTO t VALUES (2)")
        writer.commit()
        assert manager.execute("shop", "SELECT * FROM t").rows == ((1,), (2,))
        writer.close()


def test_a_file_that_is_replaced_is_opened_again(file: Path, tmp_path: Path) -> None:
    with DatabaseManager(config={"root_path": str(file)}) as manager:
        assert manager.execute("shop", "SELECT * FROM t").rows == ((1,),)
        with sqlite3.connect(tmp_path / "new") as connection:
            connection.execute("CREATE TABLE t AS SELECT 5 AS a")
        connection.close()
        (tmp_path / "new").replace(file)
        assert manager.execute("shop", "SELECT * FROM t").rows == ((5,),)
        file.unlink()
        gone = manager.execute("shop", "SELECT * FROM t")
        assert gone.fault is Fault.CONNECTION
        file.write_bytes(b"no database at all, but long enough to have a header of one hundred bytes" * 9)
        assert manager.execute("shop", "SELECT * FROM t").fault is Fault.CONNECTION


def test_text_that_is_no_utf8(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE odd AS SELECT CAST(x'636166e9' AS TEXT) AS a")
    connection.close()
    with DatabaseManager(config={"root_path": str(file)}) as manager:
        assert manager.execute("shop", "SELECT a FROM odd").rows == (("caf\ufffd",),)
        assert manager.execute("shop", "SELECT 'café'").rows == (("café",),)


def test_views_may_call_functions(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute(
            "CREATE VIEW v AS SELECT replace('a b', ' ', '_') AS a, printf('%03d', a) AS b FROM t"
        )
        connection.execute("CREATE VIEW w AS SELECT load_extension('x') AS a")
    connection.close()
    with DatabaseManager(config={"root_path": str(file)}) as manager:
        assert manager.execute("shop", "SELECT * FROM v").rows == (("a_b", "001"),)
        assert manager.execute("shop", "SELECT * FROM w").fault is Fault.FORBIDDEN


def test_a_batch_leaves_the_file_to_writers(file: Path) -> None:
    with DatabaseManager(config={"root_path": str(file)}) as manager:
        queries = [("shop", f"SELECT a + {i} FROM t") for i in range(20)]
        queries += [("shop", "SELECT nowt"), ("shop", "COMMIT"), ("shop", "BEGIN")]
        results = manager.batch_execute_queries(queries)
        assert [r.rows for r in results[:20]] == [((1 + i,),) for i in range(20)]
        assert [r.fault for r in results[20:]] == [Fault.UNKNOWN, Fault.FORBIDDEN, Fault.FORBIDDEN]
        with sqlite3.connect(file, timeout=0) as connection:
            connection.execute("UPDATE t SET a = 7")
        connection.close()
        assert manager.execute("shop", "SELECT a FROM t").rows == ((7,),)


def test_tables_for_full_text_are_read(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE VIRTUAL TABLE docs USING fts5(body)")
        connection.execute("INSERT INTO docs VALUES ('the white whale')")
        connection.execute("CREATE VIRTUAL TABLE places USING rtree(id, x0, x1)")
        connection.execute("INSERT INTO places VALUES (1, 0, 2)")
    connection.close()
    before = file.read_bytes()
    with DatabaseManager(config={"root_path": str(file)}) as manager:
        assert manager.execute("shop", "SELECT body FROM docs WHERE docs MATCH 'whale'").row_count == 1
        assert manager.execute("shop", "SELECT id FROM places WHERE x0 < 1").rows == ((1,),)
        for table in ("docs_data", "places_node", "places_rowid"):
            assert manager.execute("shop", f"DELETE FROM {table}").fault is Fault.FORBIDDEN
        assert [t.name for t in manager.get_schema("shop").tables] == ["t", "docs", "places"]
    assert file.read_bytes() == before


def test_comparisons(file: Path) -> None:
    with DatabaseManager(config={"root_path": str(file)}, limits=Limits(seconds=0.3)) as manager:
        gold = "SELECT 1 AS a UNION ALL SELECT 2 ORDER BY 1"
        same, ordered, missing, failed, lost = manager.batch_compare_queries(
            [
                ("shop", "SELECT 2 AS other UNION ALL SELECT 1", gold),
                ("shop", "SELECT 1 AS a UNION ALL SELECT 2 ORDER BY 1 DESC", gold),
                ("shop", "SELECT 1", gold),
                ("shop", "SELECT nowt", gold),
                ("nowhere", "SELECT 1", "SELECT 1"),
            ]
        )
        assert same
        assert not ordered
        assert not missing
        assert not failed
        assert "failed" in failed.message
        assert not lost
        assert manager.compare_queries("shop", "SELECT 1.0", "SELECT 1")
        one = manager.execute("shop", "SELECT NULL")
        assert not manager.compare_results(one, manager.execute("shop", "SELECT ''"))
