"""Two small databases for the cases of text2sql, in a folder that is gone when the tests end."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from dataflow.databases.connector import Limits
from dataflow.databases.manager import DatabaseManager

_FOLDER = tempfile.TemporaryDirectory(prefix="text2sql-cases-")
SHOP = """
CREATE TABLE product (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL, kind TEXT);
CREATE TABLE sale (id INTEGER PRIMARY KEY, product_id INTEGER REFERENCES product (id), day TEXT, pieces INTEGER);
INSERT INTO product VALUES (1, 'cup', 4.5, 'kitchen'), (2, 'pan', 20, 'kitchen'), (3, 'lamp', 35, 'living'), (4, 'rug', NULL, 'living');
INSERT INTO sale VALUES (1, 1, '2024-01-02', 3), (2, 2, '2024-01-02', 1), (3, 1, '2024-02-10', 2);
"""
ZOO = """
CREATE TABLE animal (id INTEGER PRIMARY KEY, "common name" TEXT, legs INTEGER);
INSERT INTO animal VALUES (1, 'owl', 2), (2, 'fox', 4), (3, 'newt', 4);
"""


def made(folder: Path, **scripts: str) -> Path:
    for name, script in scripts.items():
        with closing(sqlite3.connect(folder / f"{name}.sqlite")) as database:
            database.executescript(script)
    return folder


DATABASES = DatabaseManager(
    "sqlite",
    {"root_path": str(made(Path(_FOLDER.name), **{"shop": SHOP, "city-zoo": ZOO}))},
    limits=Limits(seconds=1.0, rows=1000),
)
"""`shop` and `city-zoo`, whose id has a hyphen."""
