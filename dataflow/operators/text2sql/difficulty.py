"""How hard queries are: by what they are made of, and by how often a model finds them."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from typing import Any, Literal

import polars as pl
from pydantic import Field, model_validator

from dataflow.core.asking import Ask, askers, together
from dataflow.core.background import gathered
from dataflow.core.frames import ROW, as_text
from dataflow.core.generate import Generate
from dataflow.core.outcome import Failure, Outcome
from dataflow.core.ports import Binding, In, Out
from dataflow.core.protocols import Scope
from dataflow.core.rows import Map, outcome
from dataflow.databases.connector import QueryResult
from dataflow.databases.manager import DatabaseManager
from dataflow.databases.queries.features import component_score
from dataflow.databases.queries.hardness import spider_hardness
from dataflow.operators.text2sql._databases import Query, difference, executed, last_sql

GOLD_ERROR = "gold error"
_SPIDER = ["easy", "medium", "hard", "extra"]
_THRESHOLDS = (2, 4, 6)


def _check_labels(thresholds: list[int], labels: list[str]) -> None:
    if len(labels) != len(thresholds) + 1:
        raise ValueError(
            f"{len(thresholds)} thresholds need {len(thresholds) + 1} labels; there are {len(labels)}"
        )
    if sorted(set(thresholds)) != thresholds:
        raise ValueError(f"difficulty_thresholds={thresholds} must rise")


class SQLComponentClassifier(Map):
    """Tell how hard a query is by what it is made of, read off its parse tree.

    `spider` gives the class by Spider's rules (arXiv 1809.08887), from the first label for easy to the last of four for
    extra hard. `points` adds up: 2 for a subquery, 2 for a set operation, 1 for each join, and 1 each for several
    tables parted by commas, several columns, two or more ANDs and ORs, IN, EXISTS or LIKE, GROUP BY, HAVING, a function
    of CAST, ROUND, SUBSTRING, DATE and COALESCE, ORDER BY, and LIMIT; the label is that of the first threshold not
    below the sum, else the last. Words inside of names and texts do not count. A query that cannot be parsed fails.
    """

    difficulty_thresholds: list[int] = Field(list(_THRESHOLDS))
    """The most points for each label but the last."""
    difficulty_labels: list[str] = Field(list(_SPIDER))
    """The labels, from easy to hard."""
    method: Literal["spider", "points"] | None = None
    """How it is told; left out, `spider` for four labels with the thresholds 2, 4, 6, else `points`."""
    dialect: str = "sqlite"
    """Whose SQL it is, as sqlglot calls it."""

    input_sql_key = In("SQL", "the query")
    output_difficulty_key = Out("sql_component_difficulty", "one of the labels")

    @model_validator(mode="after")
    def _labels_fit(self) -> SQLComponentClassifier:
        _check_labels(self.difficulty_thresholds, self.difficulty_labels)
        if self.method == "spider" and len(self.difficulty_labels) != len(_SPIDER):
            raise ValueError("method='spider' needs four labels")
        return self

    @property
    def by_spider(self) -> bool:
        """Whether Spider's rules decide."""
        usual = tuple(self.difficulty_thresholds) == _THRESHOLDS
        return self.method == "spider" or (self.method is None and usual)

    def map(self, sql: str) -> str:
        if self.by_spider:
            return self.difficulty_labels[_SPIDER.index(spider_hardness(sql, self.dialect))]
        return self.difficulty_labels[
            bisect_left(self.difficulty_thresholds, component_score(sql, self.dialect))
        ]


class SQLExecutionClassifier(Generate):
    """Tell how hard a question is by how often a model finds its query.

    `num_generations` model calls a row, sampled: with a temperature of 0 all are alike. A reply is right where its query
    gives the result of the reference, by value; names of columns do not count, nor does the order of rows, unless both
    queries order them. The reference is run once a row, equal queries once. A row whose reference does not run gets the
    label `gold error`; a row whose call fails, or whose database is not there, fails.
    """

    database_manager: DatabaseManager
    """The databases."""
    num_generations: int = Field(10, ge=1)
    """How many samples a row; raised to the next multiple of 5 above the last threshold where it is not above it."""
    difficulty_thresholds: list[int] = Field([2, 5, 9])
    """The most right samples for each label but the last."""
    difficulty_labels: list[str] = Field(["extra", "hard", "medium", "easy"])
    """The labels, from hard to easy."""

    input_db_id_key = In("db_id", "the database", type="any")
    input_sql_key = In("SQL", "the reference")
    input_prompt_key = In("prompt", "what the model is asked")
    output_difficulty_key = Out("sql_execution_difficulty", "one of the labels, or `gold error`")
    output_correct_key = Out(
        doc="how many samples are right; written where it is named", type="int", optional=True
    )

    @model_validator(mode="after")
    def _labels_fit(self) -> SQLExecutionClassifier:
        _check_labels(self.difficulty_thresholds, self.difficulty_labels)
        return self

    @property
    def samples(self) -> int:
        """How many samples are drawn of each row."""
        last = self.difficulty_thresholds[-1] if self.difficulty_thresholds else 0
        return self.num_generations if self.num_generations > last else (last // 5 + 1) * 5

    async def answer(self, ask: Ask, db_id: Any, sql: str, prompt: str) -> list[str]:
        return await together(*(ask(prompt) for _ in range(self.samples)))

    async def apply(self, frame: pl.DataFrame, binding: Binding, scope: Scope) -> Outcome:
        rows = self.cells(frame, binding)
        asks = askers(self.llm_serving, scope, frame[ROW].to_list(), type(self).__name__, binding.args)
        replies = await gathered(self._one(ask, row) for ask, row in zip(asks, rows, strict=True))
        results = await asyncio.to_thread(self._judged, rows, replies)
        return outcome(frame, results, lambda kept, done: self.finish(kept, binding, done))

    def _judged(self, rows: list[tuple[Any, ...]], replies: list[Any]) -> list[Any]:
        """Label and number of right samples, row by row; null and failed rows as they are."""
        asked = [
            _queries(row, found) if isinstance(found, list) else []
            for row, found in zip(rows, replies, strict=True)
        ]
        answers = iter(executed(self.database_manager, [q for queries in asked for q in queries]))
        results = [{q: next(answers) for q in queries} for queries in asked]
        return [
            self._graded(row, found, made) if isinstance(found, list) else found
            for row, found, made in zip(rows, replies, results, strict=True)
        ]

    def _graded(self, row: tuple[Any, ...], replies: list[str], made: dict[Query, Any]) -> Any:
        if broken := next((r for r in made.values() if isinstance(r, Failure)), None):
            return broken
        db_id, gold = as_text(row[0]), row[1]
        wanted: QueryResult = made[db_id, gold]
        if not wanted.success:
            return GOLD_ERROR, None
        right = 0
        same: dict[str, bool] = {}
        for sql in map(last_sql, replies):
            if sql and sql not in same:
                same[sql] = bool(difference(self.database_manager, sql, made[db_id, sql], gold, wanted))
            right += bool(sql and same[sql])
        return self.difficulty_labels[bisect_left(self.difficulty_thresholds, right)], right


def _queries(row: tuple[Any, ...], replies: list[str]) -> list[Query]:
    """What must be run for a row: the reference, then each query found."""
    found = [sql for reply in replies if (sql := last_sql(reply))]
    return [(as_text(row[0]), sql) for sql in dict.fromkeys([row[1], *found])]
