"""Connectors by the name of their kind of database.

Another package adds its own by an entry point of the group `dataflow.databases`, called as its `db_type`::

    [project.entry-points."dataflow.databases"]
    oracle = "dataflow_oracle:OracleConnector"
"""

from __future__ import annotations

from importlib import import_module

from dataflow.core.errors import ConfigError, DefinitionError, did_you_mean
from dataflow.databases.connector import Connector

_OWN = {
    "sqlite": "sqlite:SqliteConnector",
    "sqlite-vec": "sqlite_vec:SqliteVecConnector",
    "duckdb": "duckdb:DuckDbConnector",
    "mysql": "mysql:MySqlConnector",
    "mariadb": "mysql:MySqlConnector",
    "postgresql": "postgres:PostgresConnector",
    "postgres": "postgres:PostgresConnector",
}
_registered: dict[str, type[Connector]] = {}


def register(connector: type[Connector]) -> type[Connector]:
    """Make a connector known under its `name`; also a decorator."""
    _registered[connector.name] = connector
    return connector


def connector_class(db_type: str) -> type[Connector]:
    """The connector of that name.

    Raises:
        ConfigError: there is none; names the nearest.
        DefinitionError: the entry point names something that is no connector.
    """
    if db_type in _registered:
        return _registered[db_type]
    if db_type in _OWN:
        module, _, name = _OWN[db_type].partition(":")
        found: type[Connector] = getattr(import_module(f"dataflow.databases.connectors.{module}"), name)
        return found
    return _of_entry_points(db_type)


def _of_entry_points(db_type: str) -> type[Connector]:
    from importlib.metadata import entry_points

    points = {point.name: point for point in entry_points(group="dataflow.databases")}
    if db_type not in points:
        known = sorted({*_OWN, *_registered, *points})
        raise ConfigError(
            f"db_type={db_type!r} is not known; there are {', '.join(known)}.{did_you_mean(db_type, known)}"
        )
    found = points[db_type].load()
    if not (isinstance(found, type) and issubclass(found, Connector)):
        raise DefinitionError(
            f"the entry point {db_type} = {points[db_type].value!r} of dataflow.databases is no Connector"
        )
    return found
