"""What is done to a whole set of queries: without repetitions, parted by database, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from pydantic import Field

from dataflow.core.errors import RowError
from dataflow.core.frames import as_text
from dataflow.core.ports import In, Out
from dataflow.core.tables import Dataset, Selection, Summary
from dataflow.databases.manager import DatabaseManager
from dataflow.databases.queries.canonical import canonical
from dataflow.databases.queries.features import Features, features
from dataflow.databases.queries.hardness import spider_hardness

Cells = list[Any] | None
_PARTS = (
    "joins", "subqueries", "ctes", "set_operations", "conditions", "aggregates", "windows", "cases", "group_by", "having",
    "order_by", "limit", "distinct",
)  # fmt: skip


class SQLDeduplicateFilter(Dataset):
    """Keep the first of each set of queries on a database that differ in spelling only.

    Queries are compared in a normal form: white space, comments, case, aliases, needless brackets and the order of
    conditions do not count. One that cannot be parsed is compared as it is, but for white space. Null and blank queries
    are kept: nothing is known to be like them.
    """

    dialect: str = "sqlite"
    """Whose SQL it is, as sqlglot calls it."""

    input_sql_key = In("SQL", "the query")
    input_db_id_key = In("db_id", "its database", type="any")

    def select(self, queries: list[str | None], db_ids: list[Any]) -> Selection:
        seen: set[tuple[str, str]] = set()
        rows = []
        for i, (sql, db_id) in enumerate(zip(queries, db_ids, strict=True)):
            key = as_text(db_id), self._normal(sql or "")
            if not key[1] or key not in seen:
                rows.append(i)
            seen.add(key)
        lost = len(queries) - len(rows)
        return Selection(rows, reason="same query", metrics={"same_queries": lost})

    def _normal(self, sql: str) -> str:
        try:
            return canonical(sql, self.dialect) if sql.strip() else ""
        except RowError:
            return " ".join(sql.split())


class DatabaseSplitGenerator(Dataset):
    """Part a data set into `train` and `dev` by database, so that no database is in both.

    Databases go to `dev`, in an order drawn by `seed`, as long as that brings its rows nearer to `dev_share` of all; at
    least one goes there where there are two or more, and at least one stays in `train`. With `database_manager`,
    databases that have the same tables and columns count as one. Null for a null database.
    """

    dev_share: float = Field(0.1, ge=0, lt=1)
    """How much of the rows is to be in `dev`."""
    database_manager: DatabaseManager | None = None
    """The databases, to tell those that are alike."""
    seed: int = 0
    """Changes the order."""

    input_db_id_key = In("db_id", "the database", type="any")
    output_split_key = Out("split", "train or dev")

    def select(self, db_ids: list[Any]) -> Selection:
        counts = Counter(as_text(d) for d in db_ids if d is not None)
        kin: dict[Any, list[str]] = {}
        for db_id in counts:
            kin.setdefault(self._shape(db_id), []).append(db_id)
        dev = self._dev(list(kin.values()), counts)
        cells = [None if d is None else "dev" if as_text(d) in dev else "train" for d in db_ids]
        metrics = {
            "rows_of_split": {"train": cells.count("train"), "dev": cells.count("dev")},
            "databases_of_split": {"train": len(counts) - len(dev), "dev": len(dev)},
        }
        return Selection(columns={"output_split_key": cells}, metrics=metrics)

    def _dev(self, groups: list[list[str]], counts: Counter[str]) -> set[str]:
        """The databases that go to `dev`."""
        wanted, taken, dev = self.dev_share * counts.total(), 0, list[list[str]]()
        for group in sorted(groups, key=self._drawn):
            rows = sum(counts[d] for d in group)
            nearer = abs(taken + rows - wanted) < abs(taken - wanted)
            if len(dev) < len(groups) - 1 and nearer:
                dev.append(group)
                taken += rows
        if not dev and self.dev_share and len(groups) > 1:
            dev.append(min(groups, key=lambda g: (sum(counts[d] for d in g), self._drawn(g))))
        return {d for group in dev for d in group}

    def _drawn(self, group: list[str]) -> bytes:
        return blake2b(f"{self.seed}/{min(group)}".encode("utf-8", "surrogatepass")).digest()

    def _shape(self, db_id: str) -> Any:
        """The same for databases with the same tables."""
        manager = self.database_manager
        if manager is None or not manager.database_exists(db_id):
            return db_id
        tables = manager.get_schema(db_id).tables
        return tuple(sorted((t.name.lower(), tuple(c.name.lower() for c in t.columns)) for t in tables))


class Text2SQLDatasetEvaluator(Summary):
    """Count rows by difficulty, database and style, and by what their queries use.

    The metrics `difficulty`, `execution_difficulty`, `database`, `question_type` and `split` are of the columns named,
    `hardness` and `feature` are read off the queries: Spider's class, and how many queries have joins, subqueries,
    groups, windows and so on; `unparsed` ones are counted apart. Nulls are left out.
    """

    dialect: str = "sqlite"
    """Whose SQL it is, as sqlglot calls it."""
    most: int = Field(30, ge=1)
    """How many databases are named; the rest is counted as `other`."""

    input_sql_key = In("SQL", "the query")
    input_db_id_key = In("db_id", "its database", type="any")
    input_difficulty_key = In(doc="difficulty by what the query is made of", optional=True)
    input_execution_difficulty_key = In(doc="difficulty by how often a model finds it", optional=True)
    input_question_type_key = In(doc="the style of the question", optional=True)
    input_split_key = In(doc="train or dev", optional=True)

    def summarise(
        self, sql: list[Any], db_id: list[Any], level: Cells, found: Cells, style: Cells, split: Cells
    ) -> dict[str, Any]:
        columns = {"database": db_id, "difficulty": level, "execution_difficulty": found}
        columns |= {"question_type": style, "split": split}
        counted = {name: _counted(cells, self.most) for name, cells in columns.items() if cells is not None}
        return {"rows": len(sql), "dialect": {self.dialect: len(sql)}, **counted, **self._read(sql)}

    def _read(self, queries: Sequence[str | None]) -> dict[str, Any]:
        """What is read off the queries themselves."""
        used: Counter[str] = Counter()
        levels: Counter[str] = Counter()
        unparsed = 0
        for sql in filter(None, queries):
            try:
                levels[str(spider_hardness(sql, self.dialect))] += 1
                used.update(_parts(features(sql, self.dialect)))
            except RowError:
                unparsed += 1
        return {"hardness": _ranked(levels), "feature": _ranked(used), "unparsed": unparsed}


def _counted(cells: Sequence[Any], most: int) -> dict[str, int]:
    """The most frequent values, and all others together."""
    counts = Counter(as_text(c) for c in cells if c is not None)
    shown = _ranked(Counter(dict(counts.most_common(most))))
    rest = counts.total() - sum(shown.values())
    return {**shown, "other": rest} if rest else shown


def _ranked(counts: Counter[str]) -> dict[str, int]:
    """The most frequent first, equal ones by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _parts(found: Features) -> list[str]:
    """What a query has any of; a single plain table too is a feature."""
    return [part for part in _PARTS if getattr(found, part)] or ["plain"]
