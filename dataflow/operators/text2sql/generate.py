"""New SQL: queries on databases, and variations of queries."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any, ClassVar

import polars as pl
from pydantic import Field

from dataflow.core.asking import Ask, readable
from dataflow.core.errors import ReplyError, RowError
from dataflow.core.frames import values
from dataflow.core.generate import Generate, Source
from dataflow.core.outcome import Outcome
from dataflow.core.ports import Binding, In, Out
from dataflow.core.prompt import DIYPromptABC, Prompt, PromptABC, prompt_restrict
from dataflow.core.replies import clip
from dataflow.core.rows import expanded
from dataflow.databases.manager import DatabaseManager
from dataflow.operators.text2sql._databases import asked_by, draw_for, special_columns, sql_of, statements
from dataflow.prompts.text2sql import (
    SelectSQLGeneratorPrompt,
    SelectVecSQLGeneratorPrompt,
    SQLVariationGeneratorPrompt,
)

ABOUT_A_COLUMN = 0.75
_SELECT = SelectSQLGeneratorPrompt()
_VARIATION = SQLVariationGeneratorPrompt()


@prompt_restrict(SelectSQLGeneratorPrompt, SelectVecSQLGeneratorPrompt)
class SQLGenerator(Source):
    """Write queries on every database: one model call for each row.

    The rows take the databases in turn, so that the first few, as in a preview, tell of many. Complexity, functions,
    rows shown, number of columns, and in three of four cases a column that the query must be about are drawn by `seed`
    and the number of the row. A reply without SQL fails its row. Whether the query runs is for `SQLExecutionFilter` to
    find out.
    """

    database_manager: DatabaseManager
    """The databases."""
    generate_num: int = Field(300, ge=0)
    """How many queries are written for each database."""
    prompt_template: SelectSQLGeneratorPrompt | SelectVecSQLGeneratorPrompt | DIYPromptABC | None = None
    """What is asked; one that gives no complexity leaves that column null."""
    seed: int = 0
    """Changes what is drawn."""

    output_sql_key = Out("SQL", "the query")
    output_db_id_key = Out("db_id", "the database")
    output_sql_complexity_key = Out("sql_complexity_type", "Simple, Moderate, Complex or Highly Complex")

    @property
    def prompt(self) -> PromptABC:
        return self.prompt_template or _SELECT

    def slot_names(self, binding: Binding) -> set[str]:
        return _slots(self.prompt)

    def total(self) -> int:
        return self.generate_num * len(self.database_manager.list_databases())

    async def make(self, ask: Ask, number: int) -> tuple[str, str, str | None]:
        db_ids = self.database_manager.list_databases()
        db_id = db_ids[number % len(db_ids)]
        columns = await asyncio.to_thread(special_columns, self.database_manager, db_id)
        draw = Random(f"{self.seed}/{number}/column")
        column = draw.choice(columns) if columns and draw.random() < ABOUT_A_COLUMN else ""
        query, label = await _new_query(ask, self, db_id, number, column)
        return query, db_id, label


@prompt_restrict(SelectSQLGeneratorPrompt, SelectVecSQLGeneratorPrompt)
class SQLByColumnGenerator(Source):
    """Write queries about every column of every database: one model call for each row.

    Of databases with vectors the columns are those that hold vectors. Each prompt names its column; users' own prompts
    may take it as `column`. A reply without SQL fails its row.
    """

    database_manager: DatabaseManager
    """The databases."""
    generate_num: int = Field(5, ge=0)
    """How many queries are written for each column."""
    prompt_template: SelectSQLGeneratorPrompt | SelectVecSQLGeneratorPrompt | DIYPromptABC | None = None
    """What is asked."""
    seed: int = 0
    """Changes what is drawn."""

    output_sql_key = Out("SQL", "the query")
    output_db_id_key = Out("db_id", "the database")

    @property
    def prompt(self) -> PromptABC:
        return self.prompt_template or _SELECT

    def slot_names(self, binding: Binding) -> set[str]:
        return _slots(self.prompt)

    def columns(self) -> list[tuple[str, str]]:
        """Each database with each of its columns asked about, as `table.column`."""
        manager = self.database_manager
        return [(db_id, c) for db_id in manager.list_databases() for c in special_columns(manager, db_id)]

    def total(self) -> int:
        return self.generate_num * len(self.columns())

    async def make(self, ask: Ask, number: int) -> tuple[str, str]:
        columns = await asyncio.to_thread(self.columns)
        db_id, column = columns[number // self.generate_num]
        query, _ = await _new_query(ask, self, db_id, number, column)
        return query, db_id


async def _new_query(
    ask: Ask, op: SQLGenerator | SQLByColumnGenerator, db_id: str, number: int, column: str
) -> tuple[str, str | None]:
    """The query in the reply to the prompt of a row, and the complexity drawn."""
    creates, inserts = await asyncio.to_thread(statements, op.database_manager, db_id)
    slots = {
        "insert_statements": inserts,
        "create_statements": creates,
        "db_engine": op.database_manager.engine,
    }
    request, label = asked_by(op.prompt, slots, draw=Random(f"{op.seed}/{number}"), column=column)
    return await ask.read(request, sql_of), label


def _slots(prompt: PromptABC) -> set[str]:
    return set(prompt.slots) if isinstance(prompt, Prompt) else set()


@prompt_restrict(SQLVariationGeneratorPrompt)
class SQLVariationGenerator(Generate):
    """Make other queries out of each query: `num_variations` model calls a row.

    Each reply with SQL that is not the query again makes a row. The strategies are taken in turn, in an order drawn by `seed` and the query. The query
    itself does not stay, unless `keep_original`. A new row has the columns of the row it came from, but no question and no
    evidence, which would be those of another query. The row fails where no reply makes one; a null query makes no row.
    """

    expands: ClassVar[bool] = True

    database_manager: DatabaseManager
    """The databases."""
    num_variations: int = Field(10, ge=0)
    """How many variations are asked for."""
    prompt_template: SQLVariationGeneratorPrompt | DIYPromptABC | None = None
    """What is asked; one that gives no strategy leaves that column null."""
    keep_original: bool = False
    """Whether the query itself stays too, as the first of its rows, with a null strategy and its own question."""
    seed: int = 0
    """Changes the order of strategies."""

    input_sql_key = In("SQL", "the query")
    input_db_id_key = In("db_id", "its database", type="any")
    output_sql_variation_type_key = Out("sql_variation_type", "the strategy")
    output_sql_key = Out(doc="the new query; in place of the one read", like="input_sql_key")
    output_question_key = Out("question", "null in new rows", takes_over=True)
    output_evidence_key = Out("evidence", "null in new rows", takes_over=True)

    @property
    def prompt(self) -> PromptABC:
        return self.prompt_template or _VARIATION

    def slot_names(self, binding: Binding) -> set[str]:
        return _slots(self.prompt)

    async def answer(self, ask: Ask, sql: str, db_id: Any) -> list[tuple[Any, ...]]:
        creates, inserts = await asyncio.to_thread(statements, self.database_manager, db_id)
        slots = {
            "original_sql": sql,
            "create_statements": creates,
            "insert_statements": inserts,
            "db_engine": self.database_manager.engine,
        }
        strategies = list(SQLVariationGeneratorPrompt.strategies)
        order = draw_for(self.seed, db_id, sql).sample(strategies, len(strategies))
        asked = [
            asked_by(
                self.prompt, slots, draw=draw_for(self.seed, n, db_id, sql), strategy=order[n % len(order)]
            )
            for n in range(self.num_variations)
        ]

        def read(reply: str) -> str:
            made = sql_of(reply)
            if _plain(made) == _plain(sql):
                raise ReplyError(f"no variation, but the query again: {clip(made)}")
            return made

        made = await readable((ask.read(request, read) for request, _ in asked), RowError)
        return [(label, new, None, None) for new, (_, label) in zip(made, asked, strict=True) if new]

    def finish(self, frame: pl.DataFrame, binding: Binding, results: list[Any]) -> Outcome:
        if self.keep_original:
            first = zip(*(_cells(frame, c) for c in list(binding.writes.values())[1:]), strict=True)
            results = [[(None, *own), *made] for own, made in zip(first, results, strict=True)]
        return expanded(self, frame, binding, results)


def _plain(sql: str) -> str:
    """A query without the spaces, the case and the end that change nothing."""
    return " ".join(sql.casefold().split()).rstrip("; ")


def _cells(frame: pl.DataFrame, column: str) -> list[Any]:
    return values(frame[column]) if column in frame.columns else [None] * frame.height
