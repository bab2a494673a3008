"""What the operators for Text-to-SQL share: what a row's database holds, queries in batches, SQL inside replies."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import polars as pl

from dataflow.core.errors import ReplyError, RowError, did_you_mean
from dataflow.core.frames import as_text
from dataflow.core.outcome import Failure, Outcome, dropped
from dataflow.core.ports import Binding
from dataflow.core.prompt import Prompt, PromptABC
from dataflow.core.protocols import Request
from dataflow.core.replies import clip, without_thinking
from dataflow.core.rows import RowOperator, keep_rows
from dataflow.databases.comparison import Comparison, compare
from dataflow.databases.connector import Fault, QueryResult
from dataflow.databases.manager import DatabaseManager
from dataflow.databases.queries.features import orders
from dataflow.databases.schema import Column

Query = tuple[str, str]
"""A database and a query on it."""
_FENCE = re.compile(r"```[ \t]*([\w+-]*)[ \t]*\n?(.*?)```", re.DOTALL)
_LANGUAGES = {"sql", "sqlite", "sqlite3", "postgres", "postgresql", "pgsql", "mysql", "duckdb", "tsql"}
_QUERY = re.compile(r"\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*\(*\s*(?:select|with)\b", re.IGNORECASE | re.DOTALL)


def last_sql(reply: str) -> str | None:
    """The query in a reply: its last block marked as SQL, else its last block that is a query, else all of it."""
    text = without_thinking(reply)
    blocks = [(name.lower(), body.strip().rstrip(";").rstrip()) for name, body in _FENCE.findall(text)]
    marked = [body for name, body in blocks if name in _LANGUAGES and body]
    if found := marked or [body for name, body in blocks if not name and _QUERY.match(body)]:
        return str(found[-1])
    return text.strip().rstrip(";").rstrip() if not blocks and _QUERY.match(text) else None


def sql_of(reply: str) -> str:
    """The query in a reply.

    Raises:
        ReplyError: there is none.
    """
    if found := last_sql(reply):
        return found
    raise ReplyError(f"no SQL in the reply {clip(reply)}")


def known(manager: DatabaseManager, db_id: Any) -> str:
    """The id of a database that is there.

    Raises:
        RowError: it is not.
    """
    name = as_text(db_id)
    if not manager.database_exists(name):
        have = manager.list_databases()
        raise RowError(f"there is no database {name!r}.{did_you_mean(name, have)}")
    return name


def statements(manager: DatabaseManager, db_id: Any) -> tuple[list[str], list[str]]:
    """The CREATE statements of a database, and INSERT statements of a few rows."""
    creates, inserts = manager.get_create_statements_and_insert_statements(known(manager, db_id))
    return list(creates), list(inserts)


def special_columns(manager: DatabaseManager, db_id: str) -> list[str]:
    """The columns that queries are asked about, as `table.column`: all, or those of vectors where the engine is for them."""
    names = [f"{t.name}.{c.name}" for t in manager.get_schema(db_id).tables for c in t.columns]
    count = manager.get_number_of_special_column(db_id)
    vectors = [name for name in names if name.endswith("_embedding")]
    return vectors if count == len(vectors) else names[:count]


def details(manager: DatabaseManager, db_id: Any) -> str:
    """What a database holds, as prompts show it."""
    return manager.get_db_details(known(manager, db_id))


def schema_statements(manager: DatabaseManager, db_id: Any) -> str:
    """The CREATE statements of a database as one text."""
    return "\n\n".join(statements(manager, db_id)[0])


def column_info(manager: DatabaseManager, db_id: Any, sql: str) -> dict[str, str]:
    """What is known of the columns of the tables that a query names, of all tables where that is not known."""
    schema = manager.get_schema(known(manager, db_id))
    words = set(re.findall(r"\w+", sql.lower()))
    named = [t for t in schema.tables if set(re.findall(r"\w+", t.name.lower())) <= words]
    return {f"{t.name}.{c.name}": _described(c) for t in named or schema.tables for c in t.columns}


def _described(column: Column) -> str:
    shown = ", ".join(as_text(e) if isinstance(e, str) else str(e) for e in column.examples)
    parts = [column.type, column.comment, f"such as {shown}" if shown else ""]
    return "; ".join(p for p in parts if p)


def executed(manager: DatabaseManager, queries: Sequence[Query]) -> list[QueryResult | Failure]:
    """The result of each query; a `Failure` where its database is not there or cannot be reached."""
    return _answered(manager, queries, manager.batch_execute_queries)


def explained(manager: DatabaseManager, queries: Sequence[Query]) -> list[QueryResult | Failure]:
    """What each engine says of a query without running it."""
    return _answered(manager, queries, manager.batch_explain_queries)


def _answered(manager: DatabaseManager, queries: Sequence[Query], run: Any) -> list[QueryResult | Failure]:
    faults: dict[str, Failure] = {}
    for db_id in {db_id for db_id, _ in queries}:
        try:
            known(manager, db_id)
        except RowError as error:
            faults[db_id] = Failure.of(error)
    asked = [q for q in dict.fromkeys(queries) if q[0] not in faults]
    results = dict(zip(asked, run(asked), strict=True)) if asked else {}
    return [faults[q[0]] if q[0] in faults else _reached(results[q]) for q in queries]


def _reached(result: QueryResult) -> QueryResult | Failure:
    if not result.success and result.fault is Fault.CONNECTION:
        return Failure(f"the database cannot be reached: {result.error}", "ConnectionError")
    return result


def _orders(sql: str, dialect: str) -> bool:
    """Whether a query orders its rows at top level; false for one that cannot be parsed."""
    try:
        return orders(sql, dialect)
    except RowError:
        return False


def difference(
    manager: DatabaseManager, sql: str, result: QueryResult, gold: str, wanted: QueryResult
) -> Comparison:
    """How a result differs from that of a reference; the order of rows counts where both queries order them."""
    dialect = manager.dialect
    return compare(result, wanted, orders=(_orders(sql, dialect), _orders(gold, dialect)))


def told(result: QueryResult) -> str:
    """Why a query has no result, with the kind of fault in front."""
    return f"{result.fault or Fault.RUNTIME}: {result.error}".strip()


def evidence_text(cell: Any) -> str:
    """What must be known for a question; empty for null and NaN, which tables from pandas have for it."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    return as_text(cell).strip()


def filled(cell: Any) -> bool:
    """Whether a cell holds something."""
    return bool(evidence_text(cell))


@dataclass(frozen=True)
class Lost:
    """Why a row is dropped."""

    reason: str


def draw_for(seed: int, *cells: Any) -> Random:
    """What is drawn for a row with these cells: the same, wherever in a table it is."""
    return Random("/".join([str(seed), *map(as_text, cells)]).encode("utf-8", "surrogatepass"))


def parted(op: RowOperator, frame: pl.DataFrame, binding: Binding, results: Sequence[Any]) -> Outcome:
    """The rows with their results written, without those whose result says why they are `Lost`."""
    reasons = {i: r.reason for i, r in enumerate(results) if isinstance(r, Lost)}
    kept = keep_rows(frame, [i not in reasons for i in range(frame.height)])
    done = Outcome(op.written(kept, binding, [r for i, r in enumerate(results) if i not in reasons]))
    if reasons:
        done.dropped = dropped(frame, list(reasons), list(reasons.values()), binding.first_read)
    return done


def asked_by(prompt: PromptABC, slots: Mapping[str, Any], **more: Any) -> tuple[Request, str | None]:
    """A prompt filled in, and the label it gives with it, if any.

    A user's own prompt gets the slots that it names, by position where it names others; of `more` only what it names.
    """
    built = _called(prompt.build_prompt, slots, more)
    text, label = built if isinstance(built, tuple) else (built, None)
    own = getattr(prompt, "build_system_prompt", None)
    system = _called(own, {}, {**slots, **more}) if callable(own) else None
    return Request.of(str(text), system, prompt.schema() if isinstance(prompt, Prompt) else None), label


def _called(build: Any, slots: Mapping[str, Any], more: Mapping[str, Any]) -> Any:
    params = inspect.signature(build).parameters
    if any(p.kind is p.VAR_KEYWORD for p in params.values()):
        return build(**slots, **more)
    extra = {k: v for k, v in more.items() if k in params}
    if set(slots) <= set(params):
        return build(**slots, **extra)
    needed = [n for n, p in params.items() if p.default is p.empty and n not in extra]
    if set(needed) <= set(slots):
        return build(**{n: slots[n] for n in params if n in slots}, **extra)
    return build(*list(slots.values())[: len(needed)], **extra)
