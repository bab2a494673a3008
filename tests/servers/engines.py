"""The same small shop in every engine, for tests of what queries it."""

from __future__ import annotations

import hashlib
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from dataflow.databases.connector import Limits, QueryResult
from dataflow.databases.manager import DatabaseManager

SHOP = [
    """CREATE TABLE customers (
    id INTEGER PRIMARY KEY, {c} of the shop
    name VARCHAR(40) NOT NULL,
    email VARCHAR(80), phone VARCHAR(30), web VARCHAR(80),
    city VARCHAR(40) DEFAULT 'Paris', joined DATE)""",
    """CREATE TABLE orders (
    id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, total DECIMAL(10,2), note TEXT,
    FOREIGN KEY (customer_id) REFERENCES customers (id))""",
    "CREATE TABLE {q}odd name{q} ({q}a b{q} INTEGER, {q}select{q} VARCHAR(9))",
    """INSERT INTO customers VALUES
    (1, 'Ann', 'ann@example.com', '+33 1 23 45 67 89', 'https://ann.example.com', 'Paris', '2020-02-29'),
    (2, 'Bob', 'bob@example.com', '555-123-4567', NULL, 'Rome', '2021-01-01'),
    (3, 'Zoë', NULL, NULL, NULL, 'Rome', NULL)""",
    "INSERT INTO orders VALUES (1, 1, 9.50, 'gift'), (2, 1, 20.00, 'mail me: ann@example.com'), (3, 3, 0.25, NULL)",
    "INSERT INTO {q}odd name{q} VALUES (7, 'it''s')",
    "CREATE VIEW romans AS SELECT id, name FROM customers WHERE city = 'Rome'",
]


class Engine(ABC):
    """A database `shop` of one engine, and what its administrator sees of it."""

    name: ClassVar[str]
    quote: ClassVar[str] = '"'
    comment: ClassVar[str] = "--"
    loop: ClassVar[str] = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    )
    """A query without an end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.outside = folder / "outside"
        self.outside.mkdir(parents=True)
        folder.chmod(0o755)
        self.outside.chmod(0o777)
        (self.outside / "secret.txt").write_text("the secret\n")
        self.make([s.format(q=self.quote, c=self.comment) for s in SHOP])

    def manager(self, *, workers: int = 4, **limits: Any) -> DatabaseManager:
        return DatabaseManager(
            self.name, self.config, limits=replace(Limits(seconds=5), **limits), workers=workers
        )

    def digest(self) -> str:
        """A hash of all that a query must not change."""
        files = [
            (str(p.relative_to(self.outside)), p.read_bytes())
            for p in sorted(self.outside.rglob("*"))
            if p.is_file()
        ]
        return hashlib.sha256(repr((files, self.contents())).encode()).hexdigest()

    @property
    @abstractmethod
    def config(self) -> Mapping[str, Any]: ...

    @abstractmethod
    def make(self, statements: list[str]) -> None: ...

    @abstractmethod
    def contents(self) -> Any:
        """All rows and settings, as the administrator reads them."""


class Sqlite(Engine):
    name = "sqlite"

    @property
    def path(self) -> Path:
        return self.folder / "data" / "shop.sqlite"

    @property
    def config(self) -> Mapping[str, Any]:
        return {"root_path": str(self.path.parent)}

    def make(self, statements: list[str]) -> None:
        self.path.parent.mkdir()
        connection = sqlite3.connect(self.path)
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()

    def contents(self) -> Any:
        return [(p.name, p.read_bytes()) for p in sorted(self.path.parent.iterdir())]


class DuckDb(Sqlite):
    name = "duckdb"

    @property
    def path(self) -> Path:
        return self.folder / "data" / "shop.duckdb"

    def make(self, statements: list[str]) -> None:
        import duckdb

        self.path.parent.mkdir()
        with duckdb.connect(str(self.path)) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.execute("CREATE SEQUENCE numbers")
            connection.execute("COMMENT ON COLUMN customers.city IS 'where they live'")


class Postgres(Engine):
    """The role that queries may write to the tables by its rights, so that only the connector keeps it from that."""

    name = "postgresql"

    def __init__(self, folder: Path, admin: str) -> None:
        self.admin = admin
        super().__init__(folder)

    @property
    def config(self) -> Mapping[str, Any]:
        from psycopg.conninfo import conninfo_to_dict

        server = conninfo_to_dict(self.admin)
        return {"host": server["host"], "port": server["port"], "user": "clerk", "password": "s3cret-word"}

    def _run(self, database: str, *statements: str) -> list[Any]:
        import psycopg

        with psycopg.connect(self.admin, dbname=database, autocommit=True) as connection:
            cursors = [connection.execute(statement) for statement in statements]  # type: ignore[call-overload]
            return [cursor.fetchall() for cursor in cursors if cursor.description]

    def make(self, statements: list[str]) -> None:
        self._run("postgres", "CREATE ROLE clerk LOGIN PASSWORD 's3cret-word'", "CREATE DATABASE shop")
        rest = [
            "COMMENT ON COLUMN customers.city IS 'where they live'",
            "CREATE SEQUENCE numbers",
            "CREATE FUNCTION write_one() RETURNS int LANGUAGE sql AS 'INSERT INTO orders VALUES (99, 1, 1, NULL) RETURNING 1'",
            "GRANT ALL ON ALL TABLES IN SCHEMA public TO clerk",
            "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO clerk",
            "GRANT ALL ON SCHEMA public TO clerk",
            "SELECT lo_from_bytea(4242, 'large')",
            "GRANT ALL ON LARGE OBJECT 4242 TO clerk",
        ]
        self._run("shop", *statements, *rest)

    def contents(self) -> Any:
        asked = [
            "SELECT * FROM customers ORDER BY 1",
            "SELECT * FROM orders ORDER BY 1",
            "SELECT last_value, is_called FROM numbers",
            "SELECT oid, relname, relacl::text FROM pg_class WHERE NOT relname LIKE 'pg_%' AND relpersistence <> 't' ORDER BY 1",
            "SELECT oid, proname FROM pg_proc WHERE oid > 16000 ORDER BY 1",
            "SELECT loid, pageno, data FROM pg_largeobject ORDER BY 1, 2",
            "SELECT rolname, rolsuper, rolconfig::text FROM pg_roles ORDER BY 1",
            "SELECT datname FROM pg_database ORDER BY 1",
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'",
            "SHOW shared_preload_libraries",
        ]
        return self._run("shop", *asked)

    def drop_connections(self) -> None:
        self._run("shop", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'clerk'")


class MariaDb(Engine):
    """The user may write to the tables by its rights, so that only the connector keeps it from that."""

    name = "mysql"
    quote = "`"
    loop = "SELECT count(*) FROM seq_1_to_1000000 a, seq_1_to_1000000 b WHERE a.seq + b.seq < 0"

    def __init__(self, folder: Path, admin: Mapping[str, Any]) -> None:
        self.admin = dict(admin)
        super().__init__(folder)

    @property
    def config(self) -> Mapping[str, Any]:
        return {"host": "127.0.0.1", "port": self.admin["port"], "user": "clerk", "password": "s3cret-word"}

    def _run(self, *statements: str) -> list[Any]:
        import pymysql

        given = {k: v for k, v in self.admin.items() if k != "port"}
        connection = pymysql.connect(**given, charset="utf8mb4", autocommit=True)
        try:
            with connection.cursor() as cursor:
                return [(cursor.execute(statement), cursor.fetchall()) for statement in statements]
        finally:
            connection.close()

    def make(self, statements: list[str]) -> None:
        rest = [
            "ALTER TABLE customers MODIFY city VARCHAR(40) DEFAULT 'Paris' COMMENT 'where they live'",
            "CREATE SEQUENCE numbers",
            "CREATE TABLE loose (a INTEGER) ENGINE=MyISAM",
            "INSERT INTO loose VALUES (1)",
            """CREATE FUNCTION write_one() RETURNS INTEGER MODIFIES SQL DATA
            BEGIN INSERT INTO loose VALUES (2); RETURN 1; END""",
            "CREATE PROCEDURE write_two() INSERT INTO orders VALUES (98, 1, 1, NULL)",
            "CREATE USER clerk IDENTIFIED BY 's3cret-word'",
            "GRANT ALL ON shop.* TO clerk",
        ]
        self._run("CREATE DATABASE shop CHARACTER SET utf8mb4", "USE shop", *statements, *rest)

    def contents(self) -> Any:
        asked = [
            "SELECT * FROM shop.customers ORDER BY 1",
            "SELECT * FROM shop.orders ORDER BY 1",
            "SELECT * FROM shop.loose ORDER BY 1",
            "SELECT next_not_cached_value FROM shop.numbers",
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema <> 'information_schema' ORDER BY 1, 2",
            "SELECT user, host FROM mysql.user ORDER BY 1, 2",
            "SHOW DATABASES",
            "SHOW GLOBAL VARIABLES LIKE 'max_connections'",
        ]
        return self._run(*asked)

    def drop_connections(self) -> None:
        self._run("KILL USER clerk")


def outcome(result: QueryResult) -> str:
    """What came of a query, for a message."""
    return f"{result.fault}: {result.error}" if not result.success else f"{result.row_count} rows"
