"""Each operation of a connector, on each engine."""

from __future__ import annotations

import datetime as dt
import pickle
from collections.abc import Iterator
from decimal import Decimal

import pytest

from dataflow.core.errors import ConfigError
from dataflow.databases.connector import Fault
from dataflow.databases.manager import DatabaseManager
from tests.servers.engines import Engine, MariaDb, Postgres


@pytest.fixture(scope="module")
def shop(engine: Engine) -> Iterator[DatabaseManager]:
    with engine.manager() as manager:
        yield manager


def test_finds_the_database(shop: DatabaseManager) -> None:
    assert shop.list_databases() == ["shop"]
    assert shop.database_exists("shop")
    assert not shop.database_exists("Shop ")


def test_rows_keep_order_and_columns_of_one_name(shop: DatabaseManager) -> None:
    result = shop.execute("shop", "SELECT name AS n, id AS n FROM customers ORDER BY id DESC")
    assert result.columns == ("n", "n")
    assert result.rows == (("Zoë", 3), ("Bob", 2), ("Ann", 1))
    assert result.data[0] == {"n": 3}
    assert result.row_count == 3


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name FROM customers WHERE name LIKE 'A%'",
        "SELECT name FROM customers WHERE id = 1;",
        "SELECT name FROM customers WHERE id = 1 ; -- the first",
        "-- the first\nSELECT name FROM customers WHERE id = 1 -- and only",
        "/* the first */ (SELECT name FROM customers WHERE id = 1)",
        "WITH a AS (SELECT name FROM customers WHERE id = 1) SELECT name FROM a",
        "SELECT name FROM customers WHERE name <> '%s %(a)s {} ; : ? $1' AND id = 1",
        "VALUES ('Ann')",
    ],
)
def test_forms_of_a_query(engine: Engine, shop: DatabaseManager, sql: str) -> None:
    if sql.startswith("/*") and engine.name == "sqlite":
        sql = sql.replace("(", "").replace(")", "")
    result = shop.execute("shop", sql)
    assert result.rows == (("Ann",),), result
    assert shop.batch_explain_queries([("shop", sql)])[0].success


def test_dates_that_python_has_not(engine: Engine, shop: DatabaseManager) -> None:
    if not isinstance(engine, Postgres):
        pytest.skip("an engine without infinite dates")
    found = shop.execute("shop", "SELECT 'infinity'::timestamp, '0044-03-15 BC'::date, 'x', 1")
    assert found.rows == (("infinity", "0044-03-15 BC", "x", 1),)
    assert shop.execute("shop", "SELECT '2024-02-29'::date").rows == ((dt.date(2024, 2, 29),),)


def test_values_keep_their_types(shop: DatabaseManager) -> None:
    rows = shop.execute(
        "shop", "SELECT total, note, joined FROM orders, customers c WHERE orders.id = 1 AND c.id = 1"
    ).rows
    total, note, joined = rows[0]
    assert total in (9.5, Decimal("9.50"))
    assert note == "gift"
    assert joined in ("2020-02-29", dt.date(2020, 2, 29))
    assert shop.execute("shop", "SELECT NULL, email FROM customers WHERE id = 3").rows == ((None, None),)


def test_schema(engine: Engine, shop: DatabaseManager) -> None:
    tables = {t.name: t for t in shop.get_schema("shop").tables}
    assert {"customers", "orders", "odd name", "romans"} <= set(tables)
    customers, orders = tables["customers"], tables["orders"]
    assert [c.name for c in customers.columns] == ["id", "name", "email", "phone", "web", "city", "joined"]
    assert [c.name for c in customers.columns if c.primary_key] == ["id"]
    assert [c.nullable for c in customers.columns[:3]] == [False, False, True]
    assert "Paris" in str(customers.columns[5].default)
    assert customers.row_count == 3
    (key,) = orders.foreign_keys
    assert (key.columns, key.table, key.to) == (("customer_id",), "customers", ("id",))
    assert tables["romans"].is_view
    assert not orders.is_view
    assert [c.name for c in tables["odd name"].columns] == ["a b", "select"]
    comments = {c.name: c.comment for c in customers.columns}
    assert (
        comments["id"] == "of the shop" if engine.name == "sqlite" else comments["city"] == "where they live"
    )


def test_examples_leak_nothing(shop: DatabaseManager) -> None:
    columns = {
        c.name: c.examples
        for t in shop.get_schema("shop").tables
        if t.name in ("customers", "orders")
        for c in t.columns
    }
    assert columns["name"] == ("Ann", "Bob", "Zoë")
    assert columns["city"] == ("Paris", "Rome")
    assert columns["email"] == columns["phone"] == columns["web"] == columns["note"] == ()
    assert len(columns["joined"]) == 1
    creates, inserts = shop.get_create_statements_and_insert_statements("shop")
    for text in (shop.get_db_details("shop"), *creates, *inserts):
        for private in ("example.com", "+33", "555-123"):
            assert private not in text


def test_statements_are_statements(shop: DatabaseManager) -> None:
    creates, inserts = shop.get_create_statements_and_insert_statements("shop")
    assert all(c.upper().startswith(("CREATE TABLE", "CREATE VIEW", "CREATE ALGORITHM")) for c in creates)
    assert any("customers" in c and "name" in c for c in creates)
    assert all(i.startswith("INSERT INTO ") and i.endswith(");") for i in inserts)
    assert sum("Ann" in i for i in inserts) == 1
    assert any("'it''s'" in i for i in inserts)


def test_m_schema(shop: DatabaseManager) -> None:
    text = shop.get_db_details("shop")
    assert text.startswith("【DB_ID】 shop\n【Schema】\n")
    assert "# Table: customers\n[\n(id:INT" in text
    assert "Primary Key, Examples: [1, 2, 3]" in text
    assert "【Foreign keys】\norders.customer_id=customers.id" in text


def test_explain_runs_nothing(engine: Engine, shop: DatabaseManager) -> None:
    good, slow, bad, write = shop.batch_explain_queries(
        [
            ("shop", "SELECT name FROM customers WHERE id = 1"),
            ("shop", engine.loop),
            ("shop", "SELECT nowt FROM customers"),
            ("shop", "DELETE FROM customers"),
        ]
    )
    assert good.success
    assert good.rows
    assert slow.success
    assert slow.seconds < 2
    assert bad.fault is Fault.UNKNOWN
    assert write.fault is Fault.FORBIDDEN


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("SELEC 1", Fault.SYNTAX),
        ("SELECT (1", Fault.SYNTAX),
        ("SELECT 1 FROM nowhere", Fault.UNKNOWN),
        ("SELECT nowt FROM customers", Fault.UNKNOWN),
        ("SELECT no_such_function(1)", Fault.UNKNOWN),
        ("INSERT INTO orders VALUES (9, 1, 1, 'x')", Fault.FORBIDDEN),
        ("SELECT 1; SELECT 2", None),
        ("", Fault.SYNTAX),
        ("   ", Fault.SYNTAX),
        ("SELECT '\0'", Fault.SYNTAX),
        ("SELECT '\ud800'", Fault.SYNTAX),
    ],
)
def test_faults(shop: DatabaseManager, sql: str, fault: Fault | None) -> None:
    result = shop.execute("shop", sql)
    assert not result.success
    assert result.error
    if fault is not None and not (sql.startswith("SELEC ") and result.fault is Fault.FORBIDDEN):
        assert result.fault is fault, result
    assert shop.execute("shop", "SELECT 1").rows == ((1,),)


def test_a_query_of_an_unknown_database_fails_alone(shop: DatabaseManager) -> None:
    here, there = shop.batch_execute_queries([("shop", "SELECT 2"), ("shops", "SELECT 2")])
    assert here.rows == ((2,),)
    assert there.fault is Fault.UNKNOWN
    assert "Did you mean 'shop'?" in there.error


def test_limits_of_rows_bytes_and_time(engine: Engine) -> None:
    many = "SELECT a.id FROM customers a, customers b, customers c"
    with engine.manager(rows=27) as fits, engine.manager(rows=26) as short, engine.manager(bytes=1000) as few:
        assert fits.execute("shop", many).row_count == 27
        assert short.execute("shop", many).fault is Fault.TOO_LARGE
        assert few.execute("shop", f"{many}, customers d").fault is Fault.TOO_LARGE
        assert short.execute("shop", "SELECT 1").rows == ((1,),)
    with engine.manager(seconds=0.5) as quick:
        loop, one = quick.batch_execute_queries([("shop", engine.loop), ("shop", "SELECT 1")])
        assert loop.fault is Fault.TIMEOUT
        assert loop.seconds < 3
        assert one.rows == ((1,),)
        assert quick.execute("shop", "SELECT 3").rows == ((3,),)


def test_sessions_are_used_again_and_closed(engine: Engine) -> None:
    manager = engine.manager()
    with manager.get_connection("shop") as first:
        pass
    with manager.get_connection("shop") as second:
        assert second is first
        with manager.get_connection("shop") as third:
            assert third is not second
    manager.close()
    assert manager.execute("shop", "SELECT 1").success
    manager.close()


def test_pickles_and_shows_no_password(shop: DatabaseManager) -> None:
    again = pickle.loads(pickle.dumps(shop))
    with again:
        assert again.execute("shop", "SELECT count(*) FROM orders").rows == ((3,),)
    for text in (
        repr(shop),
        repr(shop.databases),
        repr(shop.fingerprint),
        shop.execute("shop", "nonsense").error,
    ):
        assert "s3cret-word" not in text


def test_powerful_roles_are_refused(engine: Engine) -> None:
    if not isinstance(engine, Postgres | MariaDb):
        pytest.skip("an engine without roles")
    user = (
        {"user": "postgres"}
        if isinstance(engine, Postgres)
        else {"unix_socket": engine.admin["unix_socket"], "user": "root"}
    )
    admin = {**engine.config, **user, "password": "hunter2", "databases": ["shop"]}
    with DatabaseManager(engine.name, admin) as manager:
        result = manager.execute("shop", "SELECT 1")
    assert result.fault is Fault.CONNECTION
    assert "could read" in result.error
    assert "GRANT" in result.error
    assert "hunter2" not in result.error


def test_errors_of_connecting_show_no_password(engine: Engine) -> None:
    if not isinstance(engine, Postgres | MariaDb):
        pytest.skip("an engine without passwords")
    wrong = {**engine.config, "password": "wr0ng-word", "databases": ["shop"]}
    with DatabaseManager(engine.name, wrong) as manager:
        result = manager.execute("shop", "SELECT 1")
    assert result.fault is Fault.CONNECTION
    assert "clerk" in result.error
    assert "wr0ng-word" not in result.error + repr(manager) + repr(manager.databases)
    with pytest.raises(ConfigError) as raised:
        DatabaseManager(engine.name, {k: v for k, v in wrong.items() if k != "databases"})
    assert "wr0ng-word" not in str(raised.value)


def test_a_server_that_drops_connections(engine: Engine) -> None:
    if not isinstance(engine, Postgres | MariaDb):
        pytest.skip("an engine without a server")
    with engine.manager() as manager:
        with manager.get_connection("shop"), manager.get_connection("shop"), manager.get_connection("shop"):
            pass
        engine.drop_connections()
        results = manager.batch_execute_queries([("shop", f"SELECT {i}") for i in range(8)])
    assert [r.rows for r in results] == [((i,),) for i in range(8)]


def test_fingerprint_is_stable(engine: Engine, shop: DatabaseManager) -> None:
    with engine.manager() as other:
        assert other.fingerprint == shop.fingerprint
    with engine.manager(rows=5) as other:
        assert other.fingerprint != shop.fingerprint
