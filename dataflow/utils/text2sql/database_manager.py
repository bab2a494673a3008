"""The import path of open-dataflow 1.x; see `dataflow.databases.manager`."""

from dataflow.databases.connector import DatabaseInfo as DatabaseInfo
from dataflow.databases.connector import QueryResult as QueryResult
from dataflow.databases.manager import DatabaseManager as DatabaseManager
